"""Evaluators as rewards: what a judge thinks of an answer, asked while a trainer waits.

A trainer is synchronous and sits in whatever event loop began the night, so a judge is asked in a loop of
its own, on a thread beside. A judge that only advises rewards nothing: what it likes would be learnt.
"""

import asyncio
import contextlib
import dataclasses
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from learning.errors import RecipeInvalid
from learning.judges.criteria import CRITERIA, Criterion, Seen
from learning.judges.seat import OpenSeat, Seat
from learning.recipes.rewards import RULES, Reward, Said

ALL = "judge"  # the reward of that name is the mean over all criteria
_TOKEN = re.compile(r"<\|?/?[A-Za-z_]{1,24}\|?>|\[/?INST\]")
_AT_HAND = re.compile(r"\[You know: ([^\]\n]+)\]")

T = TypeVar("T")


class Aside:
    """An event loop on a thread of its own, for as long as the block lasts."""

    def __enter__(self) -> "Aside":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in it, and wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def wanted_of(rewards: Mapping[str, float]) -> str | None:
    """The criteria that rewards name, as a judge is opened with them; None where rules alone reward.

    Raises:
        RecipeInvalid: all of a judge and parts of it are named at once.
    """
    named = [criterion.name for criterion in CRITERIA if criterion.name in rewards]
    if ALL not in rewards:
        return ", ".join(named) if named else None
    if named:
        raise RecipeInvalid(f"Rewards are {ALL!r}, which is all criteria, or some of them by name, not both; choose.")
    return ""


@contextlib.contextmanager
def rewarding(
    open_seat: OpenSeat, rewards: Mapping[str, float], rows: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Reward]]:
    """The evaluators that rewards name, for a training on these rows; none where rules alone reward.

    Raises:
        RecipeInvalid: the judge was not held against enough votes, or people do not agree with it.
    """
    wanted = wanted_of(rewards)
    if wanted is None:
        yield {}
        return
    with Aside() as aside:
        seats = contextlib.AsyncExitStack()
        seat = aside.run(seats.enter_async_context(open_seat(wanted)))
        try:
            if not seat.standing.decides:
                option = f' --criteria "{wanted}"' if wanted else ""
                raise RecipeInvalid(
                    f"The judge {seat.judge.name} may not reward ({seat.standing}); "
                    f"ask people for more votes, then run `understudy teach judge {seat.part.slug}{option}`."
                )
            yield _evaluators(seat, rows, aside, [name for name in rewards if name not in RULES])
        finally:
            aside.run(seats.aclose())


def _evaluators(
    seat: Seat, rows: Sequence[Mapping[str, Any]], aside: Aside, names: Sequence[str]
) -> dict[str, Reward]:
    asked = {str(row["prompt"]): str(row.get("asked") or "") for row in rows}
    known = {criterion.name: (criterion,) for criterion in CRITERIA} | {ALL: CRITERIA}

    def reward(criteria: Sequence[Criterion]) -> Reward:
        def of(answers: Sequence[Said]) -> list[float | None]:
            seen = [seen_answer(seat, said, asked.get(said.prompt, "")) for said in answers]
            if not seat.judge.desk.teacher.remote and seat.judge.desk.teacher.source == "offline_teacher":
                return [_by_rules(criteria, one) for one in seen]  # thousands of answers need no books
            return aside.run(_asked(seat, criteria, seen))

        return of

    return {name: reward(known[name]) for name in names if name in known}


def seen_answer(seat: Seat, said: Said, asked: str) -> Seen:
    """An answer as a judge sees it: the prompt it was given to, without the template's tokens."""
    told = _TOKEN.sub("\n", said.prompt).strip()
    sheet = seat.part.sheet
    examples = (*(e.line for e in sheet.speech.examples), *(e.line for e in seat.part.style))
    tail = told[told.rfind(asked) :] if asked and asked in told else told[-600:]
    at_hand = "\n".join(_AT_HAND.findall(tail) or _AT_HAND.findall(told)[-3:])
    return Seen(sheet.name, told, at_hand, (f"Player: {asked}" if asked else tail,), said.text, examples)


def _by_rules(criteria: Sequence[Criterion], seen: Seen) -> float:
    return sum(criterion.rule(seen)[1] for criterion in criteria) / len(criteria)


async def _asked(seat: Seat, criteria: Sequence[Criterion], answers: Sequence[Seen]) -> list[float | None]:
    judge = dataclasses.replace(seat.judge, criteria=tuple(criteria))
    found: list[float | None] = []
    for seen in answers:
        judged = await judge.score(seen)
        found.append(judged.score if judged.opinions else None)
    return found
