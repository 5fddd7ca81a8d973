"""Looks at every round of growth, and stops it where what comes gets worse.

A model that feeds on its own text narrows: fewer of its questions are new, its lines say less, and the
same words come again (Alemohammad et al. 2023; Gerstgrasser et al. 2024). Three figures show it early, each
against the first round with rows enough, so that a model is measured by what it can do and not by another's level.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from learning.filters.novelty import words_of

_LEAST_ACCEPTANCE = 0.05
_ACCEPTANCE_KEPT, _DIVERSITY_KEPT = 0.5, 0.8  # share of the first round's
_SCORE_LOST = 0.2
_FEWEST = 10  # accepted rows from which on a round's score and diversity say something


@dataclass(frozen=True)
class Round:
    """What one round came to.

    Attributes:
        proposed: questions the model wrote.
        accepted: rows that came of them.
        score: mean score of the accepted lines, −1 to 1.
        diversity: distinct pairs of words among the accepted questions, as a share of all their pairs.
        similarity: mean over them of the similarity to the pool as it stood.
    """

    number: int
    proposed: int
    accepted: int
    score: float
    diversity: float
    similarity: float

    @property
    def acceptance(self) -> float:
        """Accepted of proposed."""
        return self.accepted / self.proposed if self.proposed else 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json` and the record."""
        return {**asdict(self), "acceptance": round(self.acceptance, 4)}

    def __str__(self) -> str:
        return (f"round {self.number}: {self.accepted} of {self.proposed} questions accepted "
                f"({self.acceptance:.0%}), score {self.score:+.2f}, diversity {self.diversity:.2f}, "
                f"mean similarity {self.similarity:.2f}")  # fmt: skip


def diversity(texts: Sequence[str]) -> float:
    """Distinct pairs of neighbouring words as a share of all, 0..1; 0 where there are none."""
    pairs = [pair for words in map(words_of, texts) for pair in itertools.pairwise(words)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def reason_to_stop(rounds: Sequence[Round]) -> str:
    """Why growth has to end after the last of these rounds, "" where it may go on."""
    last = rounds[-1]
    first = next((one for one in rounds if one.accepted >= _FEWEST), last)  # a target's end may leave a scrap of one
    if last.acceptance < _LEAST_ACCEPTANCE:
        return f"of {last.proposed} questions only {last.accepted} were accepted"
    if last is first or last.accepted < _FEWEST:
        return ""
    if last.acceptance < _ACCEPTANCE_KEPT * first.acceptance:
        return f"acceptance fell from {first.acceptance:.0%} to {last.acceptance:.0%}"
    if last.score < first.score - _SCORE_LOST:
        return f"the lines' score fell from {first.score:+.2f} to {last.score:+.2f}"
    if last.diversity < _DIVERSITY_KEPT * first.diversity:
        return f"diversity fell from {first.diversity:.2f} to {last.diversity:.2f}"
    return ""
