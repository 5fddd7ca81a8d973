"""Keeps a pool of instructions from repeating itself: ROUGE-L, exactly as Self-Instruct published it.

Texts are lower-cased and split on everything but a–z and 0–9, without stemming; the similarity of
two texts is the F1 of their longest common subsequence of words. A text is novel when no text of
the pool is more similar than the threshold (Wang et al., 2023, section 2.2: 0.7).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SPLIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Novelty:
    """How a text stands to a pool.

    Attributes:
        max_similarity: the highest ROUGE-L F1 with any text of the pool, 0 for an empty pool.
        mean_similarity: the mean over the pool.
        most_similar: the ten nearest texts with their similarity, nearest first.
        novel: whether the text may join.
    """

    max_similarity: float
    mean_similarity: float
    most_similar: tuple[tuple[str, float], ...]
    novel: bool


def words_of(text: str) -> list[str]:
    """A text's words as the published filter counts them."""
    return [word for word in _SPLIT.split(text.lower()) if word]


def common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, by bit-parallel dynamic programming (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for index, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return len(one) - row.bit_count()


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of the longest common subsequence of two word lists, in 0..1."""
    if not one or not other:
        return 0.0
    shared = common_subsequence(one, other)
    precision, recall = shared / len(other), shared / len(one)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


class NoveltyFilter:
    """A growing pool of texts.

    Args:
        pool: the texts to start from, seeds first.
        threshold: a text more similar than this to any of the pool is not novel.
    """

    def __init__(self, pool: Iterable[str] = (), threshold: float = 0.7) -> None:
        self.threshold = threshold
        self._texts: list[str] = []
        self._words: list[list[str]] = []
        self._counts: list[Counter[str]] = []
        for text in pool:
            self.add(text)

    def add(self, text: str) -> None:
        """Let a text join the pool, whatever its score."""
        words = words_of(text)
        self._texts.append(text)
        self._words.append(words)
        self._counts.append(Counter(words))

    def score(self, text: str) -> Novelty:
        """Compare a text with every text of the pool."""
        words = words_of(text)
        found = [rouge_l(words, other) for other in self._words]
        nearest = sorted(range(len(found)), key=lambda index: -found[index])[:10]
        highest = max(found, default=0.0)
        mean = sum(found) / len(found) if found else 0.0
        similar = tuple((self._texts[index], found[index]) for index in nearest)
        return Novelty(highest, mean, similar, highest <= self.threshold)

    def decide(self, text: str) -> bool:
        """Whether a text is novel: the verdict of `score`, skipping pairs that cannot reach the threshold."""
        words = words_of(text)
        counts = Counter(words)
        for other, theirs in zip(self._words, self._counts, strict=True):
            total = len(words) + len(other)
            # F1 = 2·LCS / total, and no subsequence is longer than the words both have.
            if total == 0 or 2 * min(len(words), len(other)) <= self.threshold * total:
                continue
            if 2 * (counts & theirs).total() <= self.threshold * total:
                continue
            if rouge_l(words, other) > self.threshold:
                return False
        return True
