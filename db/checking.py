"""Looks for what is wrong with what is kept: the database's own integrity, references that lead nowhere, files.

Every finding is a sentence saying what is wrong, where, and what to do. Looking changes nothing.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.home import Home
from db.models import ActiveAdapter, AdapterVersion, Base, Campaign, Take, TurnRow
from db.store import Store

_DIGEST = re.compile(r"-([0-9a-f]{12})$")
_SPEAKS = frozenset({"active", "retired", "candidate", "held"})  # states whose file is still wanted
_MOST = 20  # of one kind that are told


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        about: "database", "reference", "adapter" or "dataset".
        harm: whether something is lost, or only to be known.
    """

    about: str
    sentence: str
    harm: bool = True


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was found."""

    rows: dict[str, int]
    adapters: int
    datasets: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is lost."""
        return not any(finding.harm for finding in self.findings)


async def check(store: Store, home: Home) -> Checked:
    """Look at everything.

    Raises:
        StoreError: the database cannot be read at all.
    """
    tables = Base.metadata.sorted_tables
    async with store.session() as session:
        connection = await session.connection()
        found = await _integrity(connection, store.where)
        for table in tables:
            found += await _dangling(connection, table)
        found += await _soft(session)
        counts = {table.name: await connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
        rows = await session.execute(
            select(AdapterVersion, Campaign.name).join(Campaign, Campaign.id == AdapterVersion.campaign_id)
        )
        versions = [(row.adapter, row.npc, row.path, row.state, name) for row, name in rows.all()]
    for version in versions:
        found += await asyncio.to_thread(_adapter, *version)
    folders = sorted(path.parent for path in home.root.glob("datasets/*/manifest.json"))
    for folder in folders:
        found += await asyncio.to_thread(_dataset, folder)
    return Checked(counts, len(versions), len(folders), tuple(found))


# --- the database ------------------------------------------------------------------------------------


async def _integrity(connection: AsyncConnection, where: str) -> list[Finding]:
    found = []
    if connection.dialect.name == "sqlite":
        told = [str(row[0]) for row in (await connection.execute(text("PRAGMA integrity_check(20)"))).all()]
        if told != ["ok"]:
            found.append(Finding("database", f"The database {where} is damaged ({told[0]}); restore a backup."))
    unfinished = await connection.run_sync(lambda sync: inspect(sync).has_table("copy_marks"))
    if unfinished:
        found.append(Finding("database", f"The database {where} is a copy that was broken off; go on with "
                                         "`understudy db copy`."))  # fmt: skip
    return found


async def _dangling(connection: AsyncConnection, table: Table) -> list[Finding]:
    """References of a table that lead nowhere, though the schema forbids it."""
    found = []
    for column in table.columns:
        for key in column.foreign_keys:
            other = key.column
            lost = await _lost(connection, column, other)
            if lost:
                sentence = _leads_nowhere(f"{table.name}.{column.name}", other.table.name, lost)
                found.append(Finding("reference", sentence))
    return found


async def _lost(connection: AsyncConnection, column: Column[Any], other: Column[Any]) -> list[int]:
    there = other.table.alias()
    wanted = (
        select(column.table.c.id)
        .outerjoin(there, there.c[other.name] == column)
        .where(column.is_not(None), there.c[other.name].is_(None)).order_by(column.table.c.id).limit(_MOST)
    )  # fmt: skip
    return list(await connection.scalars(wanted))


def _leads_nowhere(what: str, where: str, rows: list[int]) -> str:
    listed = ", ".join(str(row) for row in rows)
    return f"{what} of row {listed} names no row of {where}; restore a backup, or delete these rows."


async def _soft(session: AsyncSession) -> list[Finding]:
    """References the schema does not know of."""
    found = []
    kept = (
        select(TurnRow.id).outerjoin(Take, (Take.id == TurnRow.kept_take_id) & (Take.turn_id == TurnRow.id))
        .where(TurnRow.kept_take_id.is_not(None), Take.id.is_(None)).order_by(TurnRow.id).limit(_MOST)
    )  # fmt: skip
    if lost := list(await session.scalars(kept)):
        found.append(Finding("reference", _leads_nowhere("turns.kept_take_id", "its own takes", lost)))
    speaking = (
        select(ActiveAdapter.npc, ActiveAdapter.adapter)
        .outerjoin(AdapterVersion, AdapterVersion.adapter == ActiveAdapter.adapter)
        .where(ActiveAdapter.adapter.is_not(None), AdapterVersion.id.is_(None))
    )
    found += [
        Finding("reference", f"{npc} is to speak with {adapter}, which is not registered; `understudy rollback {npc}`.")
        for npc, adapter in (await session.execute(speaking)).all()
    ]
    return found


# --- files -------------------------------------------------------------------------------------------


def _adapter(name: str, npc: str, path: str, state: str, campaign: str) -> list[Finding]:
    """An adapter's file; it is named by the beginning of its sha256."""
    file = Path(path)
    remedy = f"`understudy rollback {npc}` lets it speak with another voice" if state == "active" else (
        "the next night trains anew")  # fmt: skip
    if not file.is_file():
        sentence = f"The adapter {name} of {npc} in {campaign} is registered, and its file {path} is gone; {remedy}."
        return [Finding("adapter", sentence, harm=state in _SPEAKS)]
    wanted = _DIGEST.search(file.stem)
    if wanted is not None:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if not digest.startswith(wanted[1]):
            sentence = f"The adapter {name} of {npc} in {campaign} is not what was trained ({path} changed); {remedy}."
            return [Finding("adapter", sentence)]
    return []


def _dataset(folder: Path) -> list[Finding]:
    return list(_faults(folder))


def _faults(folder: Path) -> Iterator[Finding]:
    """A snapshot's files against its manifest; an emptied one has none of what it lists."""
    name = folder.name
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        files = dict(manifest.get("files", {}))
    except (OSError, ValueError, AttributeError, TypeError):
        yield Finding("dataset", f"The manifest of {name} cannot be read; delete {folder}, a night builds it anew.")
        return
    if "emptied" in manifest:
        return
    for file, wanted in sorted(files.items()):
        path = folder / file
        if not path.is_file():
            yield Finding("dataset", f"{name} lacks its file {file}; delete {folder}, a night builds it anew.")
            continue
        with path.open("rb") as opened:
            digest = "sha256-" + hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != wanted:
            yield Finding("dataset", f"{name} is not what was built ({file} changed); delete {folder}, a night builds "
                                     "it anew.")  # fmt: skip
