"""Is it told to be this NPC by its voice alone?

A naive Bayes over runs of letters, taught on what each NPC's author wrote for it to say (style examples,
mottos, greeting), is asked who speaks. Names are masked: who a line speaks of gives nobody away.
It knows some two hundred words a voice, so a share is read against its own ceiling (each NPC's lines,
one left out at a time) and against chance.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from characters.sheet import Sheet
from learning.exam.matching import Mark
from learning.exam.values import Category

_WIDTHS = (2, 3, 4)
_SMOOTH = 0.3
_FEWEST = 4  # words; "Aye." is everybody's
_HEARD: frozenset[Category] = frozenset({"off-distribution", "form-only"})
_NAME = re.compile(r"(?<![.!?\u2026\"“] )(?<!^)\b[A-Z][a-z]+\b")


def own_lines(sheet: Sheet) -> tuple[str, ...]:
    """What the author wrote for an NPC to say."""
    return (*(example.line for example in sheet.speech.examples), *sheet.speech.mottos, sheet.greeting)


@dataclass(frozen=True)
class Ear:
    """Knows voices by their runs of letters.

    Attributes:
        names: whose voices, in the order of the table's rows.
        grams: the column of every run.
        table: log-probability of a run in a voice.
    """

    names: tuple[str, ...]
    grams: Mapping[str, int]
    table: np.ndarray

    @classmethod
    def taught(cls, lines: Mapping[str, Sequence[str]]) -> "Ear":
        """Teach it everybody's lines."""
        counts = {name: _counted(said) for name, said in lines.items()}
        grams = {gram: place for place, gram in enumerate(sorted(set().union(*counts.values())))}
        table = np.full((len(counts), len(grams)), _SMOOTH)
        for row, name in enumerate(counts):
            for gram, times in counts[name].items():
                table[row, grams[gram]] += times
        return cls(tuple(counts), grams, np.log(table / table.sum(axis=1, keepdims=True)))

    def who(self, line: str) -> str:
        """Whose voice a line is in; of those equally likely, the first by name."""
        heard = np.zeros(len(self.grams))
        for gram, times in _counted([line]).items():
            if gram in self.grams:
                heard[self.grams[gram]] = times
        scores = self.table @ heard
        return min(name for name, score in zip(self.names, scores, strict=True) if score >= scores.max() - 1e-9)

    def distance(self, line: str, name: str) -> float:
        """How far a line is from a voice: nats a run of letters beyond the nearest voice's."""
        counted = {gram: times for gram, times in _counted([line]).items() if gram in self.grams}
        heard = np.zeros(len(self.grams))
        for gram, times in counted.items():
            heard[self.grams[gram]] = times
        scores = self.table @ heard
        return float(scores.max() - scores[self.names.index(name)]) / max(1, sum(counted.values()))


def taught_on(cast: Mapping[str, Sheet]) -> Ear:
    """An ear for a cast, by slug."""
    return Ear.taught({slug: own_lines(sheet) for slug, sheet in cast.items()})


def recognised(marks: Sequence[Mark], slug: str, ear: Ear) -> list[Mark]:
    """Note of every free remark whether it is told to be this NPC's."""
    return [replace(one, own=ear.who(one.reply) == slug) if _says_enough(one) else one for one in marks]


def distance(marks: Sequence[Mark], slug: str, ear: Ear) -> float | None:
    """The mean distance of its free remarks from its own voice; None where it made none."""
    found = [ear.distance(one.reply, slug) for one in marks if _says_enough(one)]
    return math.fsum(found) / len(found) if found else None


def ceiling(cast: Mapping[str, Sheet]) -> float:
    """The share of authors' own lines that are recognised with that line left out: no model can be told better."""
    lines = {slug: own_lines(sheet) for slug, sheet in cast.items()}
    right = [
        Ear.taught({**lines, slug: [*said[:place], *said[place + 1 :]]}).who(said[place]) == slug
        for slug, said in lines.items() for place in range(len(said)) if len(said[place].split()) >= _FEWEST
    ]  # fmt: skip
    return sum(right) / len(right) if right else 0.0


def _says_enough(one: Mark) -> bool:
    return one.item.category in _HEARD and len(one.reply.split()) >= _FEWEST


def _counted(lines: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in lines:
        text = " " + " ".join(_NAME.sub("\u00b7", line).casefold().split()) + " "
        found.update(text[at : at + width] for width in _WIDTHS for at in range(len(text) - width + 1))
    return found
