"""`understudy privacy`: what is kept about a person, and how it is forgotten."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.errors import TableError
from bot.wiring import House, find_house

if TYPE_CHECKING:
    from db.forgetting import Report
    from db.queries.privacy import Known
    from db.store import Store

T = TypeVar("T")

NOT_REACHED = (
    "Not reached: backups, which hold it until they expire or you delete them; files you imported, exported or merged, "
    "and homes on other machines; what other people said about them, their name in it too; and what a table that is "
    "open now still has in memory, until it is closed."
)
_PAGES = {
    "clean": "The database was written anew: its free pages and its log hold nothing of it.",
    "busy": "Another program held the database, so its free pages may still hold old words: close the table and run "
            "`understudy privacy forget {key} --yes`.",
    "server": "The rows are deleted; the server's free pages, its log and its backups are its operator's "
              "(VACUUM FULL frees the pages).",
}  # fmt: skip


@click.group()
def privacy() -> None:
    """Hand over or forget what is kept about a person."""


@privacy.command()
@click.argument("person")
@click.option("--campaign", metavar="NAME", help="Only there; all campaigns unless named.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def export(person: str, campaign: str | None, out: Path | None, as_json: bool) -> None:
    """Hand over everything kept about PERSON (a key such as local:ana, or a name), as JSON."""
    from db import forgetting

    house = find_house()

    async def work(store: "Store", known: "Known") -> dict[str, Any]:
        return await forgetting.export(store, house.home, known)

    found = _with_person(house, person, campaign, work)
    if out is not None:
        out.write_text(json.dumps(found, ensure_ascii=False, indent=2), "utf-8")
        counts = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
        done = {"key": found["key"], "file": str(out), "counts": counts}
        click.echo(json.dumps(done, ensure_ascii=False) if as_json else f"{out}: everything kept about {found['key']}.")
        return
    click.echo(json.dumps(found, ensure_ascii=False, indent=None if as_json else 2))


@privacy.command()
@click.argument("person")
@click.option("--campaign", metavar="NAME", help="Only there; all campaigns unless named.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True)
def forget(person: str, campaign: str | None, yes: bool, as_json: bool) -> None:
    """Forget PERSON (a key such as local:ana, or a name), and what was made of their words. There is no way back."""
    from db import forgetting

    house = find_house()

    async def sure(store: "Store", known: "Known") -> "Known":
        return known

    known = _with_person(house, person, campaign, sure)
    where = ", ".join(sorted(known.campaigns.values()))
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise TableError(f"Forgetting {known.key} in {where} cannot be undone; add --yes if it is meant.")
        click.confirm(f"Forget {known.key} ({', '.join(known.names)}) in {where}? It cannot be undone.", abort=True)

    async def work(store: "Store", known: "Known") -> "Report":
        return await forgetting.forget(store, house.home, known, datetime.now(UTC))

    report = _with_person(house, known.key, campaign, work)
    if as_json:
        said = {**report.as_json(), "not_reached": NOT_REACHED, "database": _PAGES[report.pages].format(key=report.key)}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo("\n".join(_told(known.key, report)))


def _with_person(
    house: House, person: str, campaign: str | None, work: Callable[["Store", "Known"], Awaitable[T]]
) -> T:
    """Open the database, find the person, do the work, close."""
    from db.queries.privacy import find_person
    from db.store import Store

    async def whole() -> T:
        store = await Store.open(house.database_url)
        try:
            async with store.session() as session:
                known = await find_person(session, person, campaign)
            return await work(store, known)
        finally:
            await store.close()

    house.home.folder("")
    return asyncio.run(whole())


def _told(person: str, report: "Report") -> list[str]:
    """The report for people."""
    rows, files = report.rows, report.files
    found = {
        "turns": rows.turns, "lines of NPCs that repeated them": rows.lines, "reactions": rows.reactions,
        "style examples": rows.style_examples, "candidate rows": rows.candidate_rows, "derived notes": rows.derived,
        "datasets, emptied": len(files.emptied), "files, cleaned": len(files.rewritten),
        "files, removed": len(files.removed),
    }  # fmt: skip
    lines = [f"{person} is forgotten:", *(f"{count:>7}  {what}" for what, count in found.items() if count)]
    if report.blocked:
        lines.append(f"Blocked, for they were trained on rows of theirs: {', '.join(report.blocked)}. These NPCs speak "
                     "without them from the next line on, and the next night trains them anew.")  # fmt: skip
    return [*lines, _PAGES[report.pages].format(key=report.key), NOT_REACHED]
