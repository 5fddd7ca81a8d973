"""The judged stage of the gate: of two lines, which one evaluators prefer, once people agreed with them.

Both voices' replies to the exam are compared, in both orders and at like length, so nothing is spoken for
it. A judge that only advises is not asked at all; one that cannot be reached holds nobody up.
"""

import math
import time
from collections.abc import Awaitable, Callable, Sequence

from characters.messages import Scene, Turn
from learning.errors import LearningError
from learning.exam.matching import Mark
from learning.exam.running import PLAYER
from learning.gate import Measure, Stage
from learning.judges.judging import like_length
from learning.judges.looking import seen_line
from learning.judges.seat import Seat
from learning.nightly.values import Night
from learning.teachers.errors import BudgetReached

NAME = "judged"
MEASURE = "evaluators prefer its line"
_MOST = 120  # questions: from 106 on, less than eight points of a hundred are chance
_ASKED_OF = ("off-distribution", "provocation", "no false refusal", "identity", "grounding")
_ONE_SIDED = 1.645  # standard deviations: equals lose by more in one night of twenty
_CLEARLY = 0.55

Marks = Callable[[], Awaitable[list[Mark]]]


def judged(night: Night, candidate: Marks, incumbent: Marks, deadline: float) -> Stage:
    """The stage; it has nothing to say where no judge is wanted, or where it only advises."""

    async def compare() -> list[Measure]:
        if night.seat is None or not night.judges:
            return []
        after, before = await candidate(), await incumbent()
        try:
            async with night.seat("") as seat:
                if not seat.standing.decides:
                    night.say(f"gate: the judge {seat.judge.name} is not asked; {seat.standing}")
                    return []
                found = preferred(await _preferences(seat, _chosen(after, before), deadline))
                return [found] if found else []
        except LearningError as error:
            night.say(f"gate: the judge has no say tonight; {error}")
            return []

    return NAME, compare


def preferred(preferences: Sequence[float]) -> Measure | None:
    """The share of comparisons that the candidate wins, a tie for half a win; None where nothing was compared."""
    n = len(preferences)
    if not n:
        return None
    share = sum(1.0 if one > 0 else 0.5 if one == 0 else 0.0 for one in preferences) / n
    chance = _ONE_SIDED * 0.5 / math.sqrt(n)
    return Measure(MEASURE, share, 0.5, n, tolerance=chance, target=share > _CLEARLY)


def _chosen(after: Sequence[Mark], before: Sequence[Mark]) -> list[tuple[Mark, Mark]]:
    """Questions whose replies can be compared, spread evenly over the kinds."""
    both = [
        (new, old) for new, old in zip(after, before, strict=True)
        if new.item.category in _ASKED_OF and not new.item.before and like_length(new.reply, old.reply)
    ]  # fmt: skip
    return both[:: max(1, -(-len(both) // _MOST))]


async def _preferences(seat: Seat, pairs: Sequence[tuple[Mark, Mark]], deadline: float) -> list[float]:
    """What the judge prefers, above 0 the candidate's; as many as time and budget allow."""
    found: list[float] = []
    for new, old in pairs:
        if time.monotonic() > deadline:
            break
        if new.reply == old.reply:
            found.append(0.0)
            continue
        asked = [Turn(PLAYER, new.item.question)]
        marks, scene = (new, old), Scene(present=(PLAYER,))
        one, other = [seen_line(seat.part, asked, scene, mark.reply, seat.lore) for mark in marks]
        try:
            found.append(await seat.judge.prefer(one, other))
        except BudgetReached:
            break
    return found
