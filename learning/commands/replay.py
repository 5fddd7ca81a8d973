"""`understudy replay`: an evening spoken again with other voices, side by side."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from characters.library import Library
from characters.prompt import Budget, Part, build_prompt
from db.values import HeardLine
from learning.commands.place import Place
from learning.errors import NothingToLearn
from learning.gate import Witness

if TYPE_CHECKING:
    from db.store import Store

_BASE = "base"


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
    from db.queries import adapters, harvest

    async with store.session() as session:
        lines = await harvest.evening_lines(session, campaign, evening)
        known = {v.adapter: v for v in await adapters.versions(session, campaign)}
    lines = [line for line in lines if line.before and npc in {None, line.npc}]
    if not lines:
        raise NothingToLearn("No NPC said anything in that session; `understudy replay last` takes the newest.")
    wanted = list(voices) or [_BASE, *[v.adapter for v in known.values() if v.state == "active"]]
    if unknown := [voice for voice in wanted if voice != _BASE and voice not in known]:
        raise NothingToLearn(f"There is no adapter {unknown[0]!r}; `understudy adapters` lists them.")
    engine, library = place.engine(), Library(place.home.root)
    try:
        can = await engine.capabilities()
        budget = Budget(min(can.context, can.context_budget or can.context), place.settings.sampling.max_tokens,
                        can.system_budget or 700)  # fmt: skip
        for voice in wanted:
            if voice != _BASE:
                await engine.load_adapter(voice, Path(known[voice].path))
        rows = []
        for line in lines:
            sheet = library.get(line.npc)
            part = Part(line.npc, sheet, library.world(sheet.world))
            turns = [turn.said.turn for turn in line.before]
            prompt = build_prompt(part, turns, scene=line.scene, template=can.template, budget=budget)
            said = {v: (await Witness(engine, None if v == _BASE else v).line(prompt.text, prompt.stop))[0]
                    for v in wanted if v == _BASE or known[v].npc == line.npc}  # fmt: skip
            rows.append(_row(line, said))
            await asyncio.sleep(0)
    finally:
        await engine.close()
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
