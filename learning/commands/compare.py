"""`understudy compare`: two voices of an NPC, heard blind, and which of them the table prefers.

What was asked at this table is answered anew by both. Which comes first is drawn for every
question, and who was who is told at the end. A vote is a preference to learn from and a number for
the gate, so questions that neither voice was trained on come first, and alone where there are any.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from db.values import HeardLine, TakeMade
from learning.commands.place import Place, now
from learning.commands.voices import BASE, Voices, adapter_of, check_known, open_voices, versions_of
from learning.errors import NothingToLearn
from learning.exam.scoring import wilson
from learning.gate.votes import judged_again, votes_measure

if TYPE_CHECKING:
    from characters.prompt import Prompt
    from db.queries.adapters import Version
    from db.queries.votes import Tally, Vote
    from db.store import Store

_SPARE = 3  # questions to choose from for every one that is put: often both say the same
_ANSWERS = {"1": 0, "2": 1, "0": None}


@dataclass(frozen=True)
class Question:
    """What the GM decides on; `lines` are in the order that was drawn."""

    number: int
    of: int
    asked: str
    lines: tuple[str, str]


Ask = Callable[[Question], str]
"""Puts a question; returns "1", "2", "0" for equal, or "" when nothing more comes."""


@click.command()
@click.argument("npc")
@click.option("--adapter", "voices", multiple=True, metavar="ID",
              help="One of the two; `base` is the model alone. Unless named: the newest candidate, and what speaks.")
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 500), metavar="N",
              help="How many questions.")
@click.option("--seed", type=int, metavar="N", help="Of the order the two are heard in; drawn unless given.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True,
              help="JSON lines; votes (1, 2, or 0 for equal) are read from standard input, one a line.")
def compare(
    npc: str, voices: tuple[str, ...], count: int, seed: int | None, campaign: str | None, as_json: bool
) -> None:
    """Hear two voices of NPC blind, on what this table asked, and say which is better."""
    if len(voices) > 2 or len(set(voices)) < len(voices):
        raise click.UsageError("Name two different voices at most: --adapter A --adapter B.")
    place = Place.find(campaign)
    wish = _Wish(npc, voices, count, random.SystemRandom().randrange(1 << 31) if seed is None else seed)
    ask = _ask_as_json if as_json else _ask
    found = place.run(lambda store, number: _compare(place, store, number, wish, ask))
    click.echo(json.dumps({"event": "result", **found}, ensure_ascii=False) if as_json else _told(found))


@dataclass(frozen=True)
class _Wish:
    """What the command line asks for."""

    npc: str
    voices: tuple[str, ...]
    count: int
    seed: int


async def _compare(place: Place, store: Store, campaign: int, wish: _Wish, ask: Ask) -> dict[str, Any]:
    from characters.library import Library
    from db.queries import adapters, play, votes

    slug = Library(place.home.root).find(wish.npc)
    known = await versions_of(store, campaign, slug)
    async with store.session() as session:
        speaking = await adapters.active_adapter(session, campaign, slug)
        gm = await play.person(session, campaign, "local:gm", "You", "gm")
        before = await votes.votes(session, campaign, slug)
    incumbent = speaking.adapter if speaking else BASE
    pair = _pair(slug, wish.voices, known, incumbent)
    voted = {vote.turn for vote in before if {vote.better, vote.other} == {adapter_of(voice) for voice in pair}}
    reports = [known[voice].report for voice in pair if voice != BASE]
    trained = await asyncio.to_thread(_trained_on, place.home.folder("datasets"), reports)
    fresh, seen = await _questions(store, campaign, slug, voted, trained, wish.count)
    sitting = _Sitting(store, pair, wish, gm.id, ask)
    async with open_voices(place, pair, known) as heard:
        await sitting.hold(heard, fresh)
    async with store.session() as session:
        cast = await votes.votes(session, campaign, slug)
    verdict = await _judge_again(store, cast, pair, known, incumbent)
    counted = votes.tally(cast, *map(adapter_of, pair))
    return {"npc": slug, **_counted(pair, counted), "asked": sitting.asked, "same": sitting.same,
            "left": len(fresh) - sitting.asked - sitting.same, "seen": seen, "seed": wish.seed,
            "verdict": verdict}  # fmt: skip


def _pair(npc: str, named: tuple[str, ...], known: dict[str, Version], incumbent: str) -> tuple[str, str]:
    """The two voices: candidate first, as far as one is."""
    check_known(named, known)
    if len(named) == 2:
        return named[0], named[1]
    if named:
        return named[0], incumbent if named[0] != incumbent else BASE
    waiting = [v.adapter for state in ("candidate", "held") for v in known.values() if v.state == state]
    if waiting:
        return waiting[0], incumbent
    if incumbent != BASE:
        return incumbent, BASE
    raise NothingToLearn(f"{npc} has one voice only; `understudy night` trains another.")


async def _questions(
    store: Store, campaign: int, npc: str, voted: set[int], trained: set[int], count: int
) -> tuple[list[HeardLine], bool]:
    """What the table asked and has not voted on, newest evening first, and whether a voice was trained on it."""
    from db.queries import harvest

    asked: list[HeardLine] = []
    async with store.session() as session:
        for evening in await harvest.evenings(session, campaign, npc):
            heard = await harvest.evening_lines(session, campaign, evening)
            asked += [line for line in heard if line.npc == npc and line.before and not line.retracted]
            if len([line for line in asked if line.id not in voted | trained]) >= _SPARE * count:
                break
    if not asked:
        raise NothingToLearn(f"Nobody has asked {npc} anything yet; play, then compare.")
    unseen = [line for line in asked if line.id not in trained]
    return [line for line in unseen or asked if line.id not in voted], not unseen


def _trained_on(datasets: Path, reports: Iterable[dict[str, Any]]) -> set[int]:
    """The lines that are in the training of adapters."""
    from learning.datasets.snapshot import KINDS, DatasetMissing, open_snapshot

    found: set[int] = set()
    for report in reports:
        try:
            snapshot = open_snapshot(datasets, str(report.get("dataset") or "dataset-of-nobody"))
        except DatasetMissing:
            continue
        for kind in KINDS:
            found |= {row["line"] for split in ("train", "validation") for row in snapshot.rows(kind, split)}
    return found


class _Sitting:
    """One time of listening."""

    def __init__(self, store: Store, pair: tuple[str, str], wish: _Wish, gm: int, ask: Ask) -> None:
        self.store, self.pair, self.wish, self.gm, self.ask = store, pair, wish, gm, ask
        self.asked = self.same = 0

    async def hold(self, heard: Voices, lines: Iterable[HeardLine]) -> None:
        """Ask until there are votes enough, or nobody answers; every vote is kept at once."""
        async for line, prompt, said in self._different(heard, lines):
            drawn = random.Random(f"{self.wish.seed} {line.id}").sample((0, 1), 2)
            question = Question(self.asked + 1, self.wish.count, line.before[-1].said.text,
                                (said[drawn[0]], said[drawn[1]]))  # fmt: skip
            answer = await asyncio.to_thread(self.ask, question)
            if answer not in _ANSWERS:
                return
            choice = _ANSWERS[answer]
            await self._keep(heard, line, prompt, said, None if choice is None else drawn[choice])
            self.asked += 1
            if self.asked >= self.wish.count:
                return

    async def _different(
        self, heard: Voices, lines: Iterable[HeardLine]
    ) -> AsyncIterator[tuple[HeardLine, Prompt, tuple[str, str]]]:
        """The questions to which the two do not say the same."""
        known = set[str]()
        for line in lines:
            prompt = heard.prompt(line)
            said = (await heard.speak(prompt, self.pair[0]), await heard.speak(prompt, self.pair[1]))
            if said[0] == said[1] or not all(said) or prompt.text in known:
                self.same += 1
                continue
            known.add(prompt.text)
            yield line, prompt, said

    async def _keep(
        self, heard: Voices, line: HeardLine, prompt: Prompt, said: tuple[str, str], chosen: int | None
    ) -> None:
        from db.queries import votes

        better = chosen or 0
        made = TakeMade(prompt.hash, heard.can.template.hash if heard.can.template else "",
                        heard.library.get(line.npc).version, heard.can.base_id, None, {"temperature": 0.0},
                        prompt.at_hand)  # fmt: skip
        both = [(text, replace(made, adapter=adapter_of(v))) for text, v in zip(said, self.pair, strict=True)]
        vote = votes.Compared(line.id, self.gm, line.before[-1].said.text, both[better], both[1 - better],
                              equal=chosen is None)  # fmt: skip
        async with self.store.session() as session:
            await votes.vote(session, vote, now())


async def _judge_again(
    store: Store, cast: list[Vote], pair: tuple[str, str], known: dict[str, Version], incumbent: str
) -> dict[str, Any] | None:
    """Put the votes into the verdict of a candidate that was heard beside the voice in force."""
    from db.queries import adapters, votes

    found = [v for v in pair if v in known and known[v].state in {"candidate", "held"} and known[v].report]
    if len(found) != 1 or incumbent not in pair or "measures" not in known[found[0]].report:
        return None
    counted = votes.tally(cast, found[0], adapter_of(incumbent))
    report = known[found[0]].report
    verdict = judged_again(report, votes_measure(counted.first, counted.second))
    state = "candidate" if verdict.passed else "held"
    async with store.session() as session:
        await adapters.judge_again(session, found[0], state, {**report, **verdict.as_json()})
    return {"adapter": found[0], "passed": verdict.passed, "reason": verdict.reason}


def _counted(pair: tuple[str, str], counted: Tally) -> dict[str, Any]:
    """All votes between the two, tonight's and those before."""
    share = wilson(counted.first, counted.decided)
    return {"voices": list(pair), "votes": [counted.first, counted.second], "equal": counted.equal,
            "share": share.share, "low": share.low, "high": share.high, "n": share.n}  # fmt: skip


def _told(found: dict[str, Any]) -> str:
    first, second = found["voices"]
    rows = [f"{found['asked']} votes now; {found['same']} times both said the same, or what was asked before."]
    if not found["asked"] and not found["left"]:
        rows = ["There is nothing new to compare: play on, or train another voice."]
    if found["n"]:
        rows.append(f"In all: {first} {found['votes'][0]}, {second} {found['votes'][1]}, equal {found['equal']}. "
                    f"{first} is preferred in {found['share']:.0%} of {found['n']} "
                    f"(95 % interval {found['low']:.0%} to {found['high']:.0%}).")  # fmt: skip
    if found["seen"]:
        rows.append("One of the two was trained on these questions; votes on new ones say more.")
    if verdict := found["verdict"]:
        rows.append(f"{verdict['adapter']}: {verdict['reason']}.")
    return "\n".join(rows)


def _ask(question: Question) -> str:
    """Ask a person."""
    click.echo(f"\n{question.number}/{question.of}  {question.asked}")
    for number, line in enumerate(question.lines, 1):
        click.echo(f"  {number}: {line}")
    while True:
        try:
            answer: str = click.prompt("Which is better? 1, 2, 0 for equal, q to end", prompt_suffix=": ").strip()
        except click.Abort:
            return ""
        if answer in _ANSWERS:
            return answer
        if answer.casefold() in {"q", "quit"}:
            return ""


def _ask_as_json(question: Question) -> str:
    """Ask a program; the end of its input ends the comparison."""
    asked = {"event": "question", "number": question.number, "of": question.of, "asked": question.asked,
             "first": question.lines[0], "second": question.lines[1]}  # fmt: skip
    click.echo(json.dumps(asked, ensure_ascii=False))
    for answer in sys.stdin:
        if answer.strip() in _ANSWERS:
            return answer.strip()
        sentence = f"{answer.strip()[:20]!r} is no vote; write 1, 2, or 0 for equal."
        click.echo(json.dumps({"event": "error", "message": sentence}))
    return ""
