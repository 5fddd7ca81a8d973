"""`understudy replay`: an evening spoken again with other voices, side by side."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from db.values import HeardLine
from learning.commands.place import Place
from learning.commands.voices import BASE, check_known, open_voices, versions_of
from learning.errors import NothingToLearn

if TYPE_CHECKING:
    from db.store import Store


@click.command()
@click.argument("session", default="last")
@click.option("--adapter", "voices", multiple=True, metavar="ID",
              help="Speak with this one; twice for two of them; `base` is the model alone.")
@click.option("--npc", metavar="SLUG", help="Only this NPC's lines.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def replay(session: str, voices: tuple[str, ...], npc: str | None, campaign: str | None, as_json: bool) -> None:
    """Speak an evening again (its number, or `last`), greedily, with each voice named; show what differs."""
    if session != "last" and not session.isdigit():
        raise NothingToLearn(f"{session!r} is no session; give its number, or `last`.")
    place = Place.find(campaign)
    number = None if session == "last" else int(session)
    found = place.run(lambda store, table: _replay(place, store, table, number, voices, npc))
    if as_json:
        click.echo(json.dumps({"lines": found}, ensure_ascii=False))
        return
    for row in found:
        click.echo(f"\n{row['asked']}\n  that evening: {row['heard']}")
        for voice, text in row["said"].items():
            click.echo(f"  {voice}: {_marked(row['heard'], text)}")


async def _replay(
    place: Place, store: Store, campaign: int, evening: int | None, voices: Sequence[str], npc: str | None
) -> list[dict[str, Any]]:
    from db.queries import harvest

    async with store.session() as session:
        lines = await harvest.evening_lines(session, campaign, evening)
    known = await versions_of(store, campaign)
    lines = [line for line in lines if line.before and npc in {None, line.npc}]
    if not lines:
        raise NothingToLearn("No NPC said anything in that session; `understudy replay last` takes the newest.")
    wanted = list(voices) or [BASE, *[v.adapter for v in known.values() if v.state == "active"]]
    check_known(wanted, known)
    rows = []
    async with open_voices(place, wanted, known) as heard:
        for line in lines:
            prompt = heard.prompt(line)
            said = {v: await heard.speak(prompt, v) for v in wanted if v == BASE or known[v].npc == line.npc}
            rows.append(_row(line, said))
            await asyncio.sleep(0)
    return rows


def _row(line: HeardLine, said: dict[str, str]) -> dict[str, Any]:
    return {"line_id": line.id, "npc": line.npc, "asked": line.before[-1].said.text, "heard": line.text, "said": said}


def _marked(before: str, after: str) -> str:
    """The new line with what is new in it between brackets."""
    if before == after:
        return "(the same)"
    old, new, out = before.split(), after.split(), []
    for kind, _, _, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        words = " ".join(new[start:end])
        if words:
            out.append(words if kind == "equal" else f"[{words}]")
    return " ".join(out)
