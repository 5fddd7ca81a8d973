"""A judge that was opened for an NPC, with how it stands beside people: what gate and reinforcement are given.

Whoever opens it (a command) knows settings, keys and prices; who uses it sees a judge and whether it may decide.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from characters.prompt import Part
from learning.judges.agreement import Standing
from learning.judges.judging import Judge


@dataclass(frozen=True)
class Seat:
    """A judge in its place.

    Attributes:
        part: the NPC as the judge may see it.
        lore: what the NPC was told besides its sheet.
    """

    judge: Judge
    standing: Standing
    part: Part
    lore: Sequence[str] = ()


# Opens a seat with the criteria that are named, all of them for "", on connections of its own.
OpenSeat = Callable[[str], AbstractAsyncContextManager[Seat]]
