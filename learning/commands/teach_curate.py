"""`understudy teach curate`: hear an NPC question by question, and keep, correct or reject what it says."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from learning.commands.place import Place, now

if TYPE_CHECKING:
    from characters.inference.engine import Engine
    from characters.prompt import Part
    from db.store import Store
    from learning.curation import Choice, Curated, Drawn

_CHOICES = {"k": "keep", "c": "correct", "r": "reject", "s": "skip", "q": "quit"}
_DONE = {"keep": "kept", "correct": "corrected", "reject": "rejected"}
_ASK = "[k]eep  [c]orrect  [r]eject  [s]kip  [q]uit: "


@click.command()
@click.argument("npc")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(1), help="Questions at most.")
@click.option("--seed", default=1, show_default=True, help="Another seed draws other questions.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def curate(npc: str, rounds: int, seed: int, campaign: str | None, as_json: bool) -> None:
    """Draw a question, hear the answer, and keep, correct or reject it.

    What you keep or correct is an example of how the NPC speaks from its next line on, and a row for its
    training; what you reject is a row that says "not like this". Answer with a letter, or with `c` and the
    line as it should go. With --json every line on standard output is an object, and a choice is read for each
    question.
    """
    place = Place.find(campaign)
    desk = _Desk(rounds, seed, as_json)
    place.run(lambda store, number: _curate(place, store, number, npc, desk))
    counted = dict(desk.counts)
    if as_json:
        click.echo(json.dumps({"event": "end", "counts": counted}))
        return
    told = ", ".join(f"{count} {what}" for what, count in counted.items()) or "nothing changed"
    click.echo(f"\n{told}. They count from the next line on, and in the next night.")


@dataclass
class _Desk:
    """Where a person sits: what is shown, and what is read."""

    rounds: int
    seed: int
    as_json: bool
    counts: Counter[str] = field(default_factory=Counter)

    def show(self, number: int, part: Part, drawn: Drawn, line: str) -> None:
        if self.as_json:
            told = {"event": "question", "number": number, "asker": drawn.asker, "asked": drawn.text, "line": line}
            click.echo(json.dumps(told, ensure_ascii=False))
            sys.stdout.flush()
            return
        click.echo(f"\n{number}. {drawn.asker}: {drawn.text}\n   {part.sheet.first_name}: {line}")

    async def choose(self, line: str) -> tuple[str, str]:
        """What a person wants done, and the corrected line; the end of input is "quit"."""
        while True:
            said = await asyncio.to_thread(_read, "" if self.as_json else _ASK)
            if said is None:
                return "quit", ""
            first, _, rest = said.strip().partition(" ")
            choice = _CHOICES.get(first[:1].casefold(), "") if first else ""
            if choice == "correct":
                rest = rest.strip() or await asyncio.to_thread(_edited, line)
                if rest.strip():
                    return choice, " ".join(rest.split())
            elif choice:
                return choice, ""
            self.note("Answer k, c, r, s or q; after c the line as it should go.")

    def recorded(self, done: Curated, made: list[str]) -> None:
        """Count what was done, and say what came of it."""
        self.counts.update([_DONE[done.choice]])
        if self.as_json:
            click.echo(json.dumps({"event": "ack", "choice": done.choice, "made": made}))
            sys.stdout.flush()

    def note(self, text: str) -> None:
        if self.as_json:
            click.echo(json.dumps({"event": "error", "message": text}))
        else:
            click.echo(text)


def _read(ask: str) -> str | None:
    try:
        return input(ask)
    except EOFError:
        return None


def _edited(line: str) -> str:
    """The line after a person went over it; without a terminal there is nobody to do so."""
    if not sys.stdin.isatty():
        return ""
    from prompt_toolkit import prompt

    return prompt("   as it should go: ", default=line)


async def _curate(place: Place, store: Store, campaign: int, npc: str, desk: _Desk) -> None:
    from characters.library import Library
    from db.queries import teaching
    from learning.commands.teach_bootstrap import part_of
    from learning.curation import Curated, questions, record

    slug = Library(place.home.root).find(npc)
    part = await part_of(place, store, campaign, slug, leaves=False)
    async with store.session() as session:
        rows = await teaching.taught_rows(session, campaign, slug)
    engine = place.engine()
    try:
        adapter = await _voice(store, campaign, slug, engine)
        for number, drawn in enumerate(questions(part, rows, desk.seed), 1):
            line = await _line(place, engine, part, drawn, adapter)
            desk.show(number, part, drawn, line)
            choice, corrected = await desk.choose(line)
            if choice == "quit":
                break
            if choice != "skip":
                done = Curated(drawn, line, cast("Choice", choice), corrected)
                desk.recorded(done, await record(store, campaign, part, done, now()))
                part = await part_of(place, store, campaign, slug, leaves=False)
            if number >= desk.rounds:
                break
    finally:
        await engine.close()


async def _voice(store: Store, campaign: int, slug: str, engine: Engine) -> str | None:
    """The adapter the NPC speaks with, loaded."""
    from db.queries import adapters

    async with store.session() as session:
        active = await adapters.active_adapter(session, campaign, slug)
    if active is None:
        return None
    await engine.load_adapter(active.adapter, Path(active.path))
    return active.adapter


async def _line(place: Place, engine: Engine, part: Part, drawn: Drawn, adapter: str | None) -> str:
    """The NPC's answer, drawn as at the table."""
    from characters.inference.engine import Finish, Request, Sampling
    from characters.messages import Turn
    from characters.prompt import build_prompt
    from learning.nightly import budget

    can, sampling = await engine.capabilities(), Sampling(**place.settings.sampling.model_dump())
    prompt = build_prompt(part, [Turn(drawn.asker, drawn.text)], template=can.template,
                          budget=budget(can, sampling.max_tokens))  # fmt: skip
    request = Request(prompt.text, prompt.messages, prompt.stop, sampling, "curate", adapter)
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event.text.strip()
    raise AssertionError("a stream ends with Finish")
