"""One exam, held and judged: everything a report tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from characters.sheet import Sheet
from learning.exam.footprint import Footprint, footprint
from learning.exam.matching import Mark
from learning.exam.running import Result
from learning.exam.values import Item
from learning.exam.voice import distance, recognised, taught_on


@dataclass(frozen=True)
class Opinions:
    """What a judge thinks of the replies.

    Attributes:
        standing: how it stood when it was held against people's votes, as a sentence.
        n: replies it looked at.
        means: mean score by criterion, −1 to 1.
    """

    judge: str
    standing: str
    decides: bool
    n: int
    means: Mapping[str, float]


@dataclass(frozen=True)
class Sitting:
    """A result with its marks.

    Attributes:
        name: the NPC's.
        speaker: who answered, as people know it: a model's name, an adapter's id.
        opinions: a judge's, where one was asked.
        strange: mean distance of its free remarks from its own voice, nats a run of letters; None without remarks.
    """

    result: Result
    marks: tuple[Mark, ...]
    name: str
    speaker: str
    footprint: Footprint | None = None
    strange: float | None = None
    opinions: Opinions | None = None


def judged(
    result: Result, items: Sequence[Item], sheet: Sheet, cast: Mapping[str, Sheet], *, speaker: str,
    megabytes: float | None = None,
) -> Sitting:  # fmt: skip
    """Judge an exam by matcher and ear as they stand now.

    Args:
        cast: the sheets by slug whose voices are told apart; the NPC's own is added.
        megabytes: memory that speaking took.

    Raises:
        ExamImpossible: the items are not those that were asked.
    """
    ear = taught_on({**cast, result.npc: sheet})
    marks = recognised(result.marks(items, (sheet.name, sheet.first_name)), result.npc, ear)
    foot, strange = footprint(result.replies, megabytes), distance(marks, result.npc, ear)
    return Sitting(result, tuple(marks), sheet.name, speaker, foot, strange)
