"""Copies a database into another, such as SQLite's file into PostgreSQL, and proves that it is the same.

    empty and current? → batches, each with the mark of how far it came → counts and content compared

A batch and its mark are one transaction, so a copy that was broken off goes on where it was. Until
the copy is proven, the mark stands in the target; whoever finds it there knows that it is not whole.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.errors import StoreError
from db.models import Base
from db.store import Store, translated

_BATCH = 500
_marks = Table(
    "copy_marks", MetaData(), Column("name", String(100), primary_key=True), Column("last", Integer, nullable=False),
    Column("origin", String(1000), nullable=False),
)  # fmt: skip


class CopyRefused(StoreError):
    """A database that is not copied as things stand."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds.

    Attributes:
        rows: how many, by table.
        content: a hash over every value of every row, equal on both sides.
        went_on: an earlier copy was gone on with.
    """

    rows: dict[str, int]
    content: str
    went_on: bool


async def copy_database(
    source: Store, target: Store, tell: Callable[[str, int], None] = lambda name, rows: None
) -> Copied:
    """Copy everything, and compare.

    Args:
        source: nobody writes to it meanwhile (see `db.store.Store.kept_still`); what a server's is told
            meanwhile is left out.
        tell: told of each table and how many rows of it are copied.

    Raises:
        CopyRefused: the target holds something else, or the copy does not come out equal.
        StoreError: one of the two goes away or refuses; what was copied is gone on with.
    """
    tables = list(Base.metadata.sorted_tables)
    with translated(target.where):
        async with target.engine.begin() as connection:
            went_on = await _claim(connection, source.where, target.where, tables)
    with translated(source.where):
        async with source.engine.connect() as connection:
            reading = await _of_one_moment(connection)
            for table in tables:
                await _copy_table(reading, target, table, tell)
            theirs = {table.name: await _content(reading, table) for table in tables}
    with translated(target.where):
        async with target.engine.connect() as connection:
            ours = {table.name: await _content(connection, table) for table in tables}
    differ = [name for name in theirs if theirs[name] != ours[name]]
    if differ:
        raise CopyRefused(
            f"{source.where} was changed while or since it was copied (differs in {', '.join(differ)}); empty "
            f"{target.where} and copy again while nobody plays."
        )
    with translated(target.where):
        async with target.engine.begin() as connection:
            await connection.run_sync(_marks.drop)
            await _set_sequences(connection, tables)
    whole = hashlib.sha256(json.dumps(sorted(theirs.items())).encode()).hexdigest()
    return Copied({name: count for name, (count, _) in theirs.items()}, f"sha256-{whole}", went_on)


async def _of_one_moment(connection: AsyncConnection) -> AsyncConnection:
    """Read what stands there now, whatever is written meanwhile; an SQLite file's readers do that in any case."""
    if connection.dialect.name == "postgresql":
        return await connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


async def _claim(connection: AsyncConnection, origin: str, where: str, tables: list[Table]) -> bool:
    """Make sure that the target is empty, or a copy of the same that was broken off; whether it was."""
    if await connection.run_sync(lambda sync: inspect(sync).has_table(_marks.name)):
        begun = await connection.scalar(select(_marks.c.origin).limit(1))
        if begun not in {None, origin}:
            raise CopyRefused(f"{where} holds the beginning of a copy of {begun}; empty it, or go on with that one.")
        return True
    for table in tables:
        if await connection.scalar(select(table.c.id).limit(1)) is not None:
            raise CopyRefused(f"{where} is not empty (there are rows in {table.name}); copy into an empty database.")
    await connection.run_sync(_marks.create)
    await connection.execute(insert(_marks), [{"name": table.name, "last": 0, "origin": origin} for table in tables])
    return False


async def _copy_table(reading: AsyncConnection, target: Store, table: Table, tell: Callable[[str, int], None]) -> None:
    mark = _marks.c.name == table.name
    with translated(target.where):
        async with target.engine.connect() as connection:
            last = await connection.scalar(select(_marks.c.last).where(mark)) or 0
            copied = await connection.scalar(select(func.count()).select_from(table)) or 0
    while True:
        wanted = select(table).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)
        rows = [_plain(dict(row)) for row in (await reading.execute(wanted)).mappings()]
        if not rows:
            tell(table.name, copied)
            return
        last, copied = rows[-1]["id"], copied + len(rows)
        with translated(target.where):
            async with target.engine.begin() as connection:
                await connection.execute(insert(table), rows)
                await connection.execute(update(_marks).where(mark).values(last=last))
        tell(table.name, copied)


async def _content(connection: AsyncConnection, table: Table) -> tuple[int, str]:
    """How many rows a table has, and a hash of all their values in order."""
    digest, count, last = hashlib.sha256(), 0, 0
    while True:
        wanted = select(table).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)
        rows = (await connection.execute(wanted)).mappings().all()
        for row in rows:
            value = {name: _comparable(value) for name, value in _plain(dict(row)).items()}
            digest.update(json.dumps(value, sort_keys=True, ensure_ascii=True).encode())
            last, count = row["id"], count + 1
        if not rows:
            return count, digest.hexdigest()


def _plain(value: Any) -> Any:
    """A value as every database can keep it: PostgreSQL has no place for the character 0."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _comparable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.timestamp() if isinstance(value, datetime) else value


async def _set_sequences(connection: AsyncConnection, tables: list[Table]) -> None:
    """Let new rows be numbered after the copied ones, where a sequence numbers them."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        highest = await connection.scalar(select(func.max(table.c.id)))
        if highest is not None:
            named = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :highest)")
            await connection.execute(named, {"name": table.name, "highest": highest})
