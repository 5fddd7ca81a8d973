"""`understudy bench harvest`: a campaign of years is harvested; beside it, what reading the same rows alone takes."""

import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

_NOW = datetime(2027, 1, 1, 4, 0, tzinfo=UTC)


@click.command("harvest")
@click.option("--turns", default=1_000_000, show_default=True, help="How long the campaign is.")
@click.option("--share", default=0.02, show_default=True, help="How many of the turns have a reaction.")
@click.option("--database", default="", help="URL of an empty database; a temporary SQLite file unless given.")
@click.option("--json", "as_json", is_flag=True)
def bench_harvest(turns: int, share: float, database: str, as_json: bool) -> None:
    """How long tonight's harvest takes after years of play."""
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{Path(folder) / 'db.sqlite'}"
        found = asyncio.run(_measure(url, turns, share))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| measure | understudy | reading the rows alone | ratio |\n|---|---|---|---|")
    click.echo(f"| harvest of {found['turns']} turns with {found['reactions']} reactions, s | {found['seconds']} "
               f"| {found['reading']} | {found['ratio']} |")  # fmt: skip
    click.echo(f"\nThe processor worked on it for {found['processor']} s. {found['rows']} rows "
               f"for {found['npcs']} NPCs, {found['trainable']} of them may be learnt from. "
               f"The campaign was invented and written in {found['written']} s.")  # fmt: skip


async def _measure(url: str, turns: int, share: float) -> dict[str, Any]:
    from db.long_campaign import CAST, write_long_campaign
    from db.provenance import Policy
    from db.queries import harvest, lines
    from db.store import Store
    from learning.desk import refresh

    store = await Store.open(url)
    try:
        began = time.monotonic()
        written = await write_long_campaign(store, turns, share)
        made, rows, trainable = time.monotonic() - began, 0, 0
        began = time.monotonic()
        async with store.session() as session:
            read = [await lines.count(session, npc) for npc in CAST]
        reading, began, before = time.monotonic() - began, time.monotonic(), time.process_time()
        async with store.session() as session:
            heard = await harvest.npcs_heard(session, written.campaign)
        for npc in heard:
            async with store.session() as session:
                found = await refresh(session, written.campaign, npc, Policy(), _NOW)
            rows, trainable = rows + len(found), trainable + sum(candidate.trainable for candidate in found)
        spent, processor = time.monotonic() - began, time.process_time() - before
    finally:
        await store.close()
    return {
        "turns": turns, "lines": sum(read), "reactions": written.reactions, "npcs": len(heard), "rows": rows,
        "trainable": trainable, "seconds": round(spent, 1), "processor": round(processor, 1),
        "reading": round(reading, 1), "ratio": round(spent / reading, 1), "written": round(made, 1),
    }  # fmt: skip
