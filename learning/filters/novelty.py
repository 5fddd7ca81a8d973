"""Keeps a pool of instructions from repeating itself: ROUGE-L, exactly as Self-Instruct published it.

Texts are lower-cased and split on everything but a–z and 0–9, without stemming; the similarity of
two texts is the F1 of their longest common subsequence of words. A text is novel when no text of
the pool is more similar than the threshold (Wang et al., 2023, section 2.2: 0.7).

`score` compares with every text of the pool and tells what it found. `decide` gives the same verdict
and no more, which is why it may leave most of the pool unread: F1 grows with the length l of the
common subsequence, so for every pair of lengths there is a least l at which F1, computed in the very
floating-point operations of `score`, is above the threshold. `rare_words` finds all texts that share
that many words with the text, and a few that do not; for those the common subsequence is worked out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.filters.rare_words import IMPOSSIBLE, RareWords
from learning.filters.word_lists import WordLists

_SPLIT = re.compile(r"[^a-z0-9]+")
_MOST_SIMILAR = 10
_MANY = 48  # texts from which on comparing them all at once is quicker


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
    return _against(_places(one), len(one), other)


def _places(words: Sequence[str]) -> dict[str, int]:
    """Where each word stands, a bit a place."""
    places: dict[str, int] = {}
    for index, word in enumerate(words):
        places[word] = places.get(word, 0) | 1 << index
    return places


def _against(places: Mapping[str, int], length: int, other: Sequence[str]) -> int:
    row = full = (1 << length) - 1
    for word in other:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return length - row.bit_count()


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

    Raises:
        ValueError: the threshold is not in 0..1.
    """

    def __init__(self, pool: Iterable[str] = (), threshold: float = 0.7) -> None:
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"a similarity is between 0 and 1, and so is its threshold, not {threshold}")
        self.threshold = threshold
        self._texts: list[str] = []
        self._words: list[list[str]] = []
        self._lists = WordLists()
        self._rare = RareWords(self._needed)
        self._indexed = 0
        self._least: dict[int, NDArray[np.int64]] = {}
        for text in pool:
            self.add(text)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Let a text join the pool, whatever its score."""
        self._texts.append(text)
        self._words.append(words_of(text))
        self._lists.add(self._words[-1])

    def score(self, text: str) -> Novelty:
        """Compare a text with every text of the pool."""
        words = words_of(text)
        found = _f1(self._lists.common(words), len(words), self._lists.lengths)
        nearest = np.argsort(-found, kind="stable")[:_MOST_SIMILAR]
        highest = float(found.max(initial=0.0))
        mean = float(np.mean(found)) if len(found) else 0.0
        similar = tuple((self._texts[place], float(found[place])) for place in nearest.tolist())
        return Novelty(highest, mean, similar, highest <= self.threshold)

    def decide(self, text: str) -> bool:
        """Whether a text is novel: the verdict of `score`, read off the few texts that could be too similar."""
        for known in self._words[self._indexed :]:  # only who asks for verdicts pays for the index
            self._rare.add(known)
        self._indexed = len(self._words)
        words = words_of(text)
        near, needed = self._rare.near(words)
        if len(near) > _MANY:
            return not bool((self._lists.common(words, near) >= needed).any())
        places, pairs = _places(words), zip(near.tolist(), needed.tolist(), strict=True)
        return not any(_against(places, len(words), self._words[other]) >= least for other, least in pairs)

    def _needed(self, length: int, most: int) -> NDArray[np.int64]:
        """The least common subsequence that makes texts of `length` and of 0, 1, … `most` words too similar."""
        known = self._least.get(length)
        if known is None or len(known) <= most:
            known = self._least[length] = _least_common(length, 2 * max(length, most) + 1, self.threshold)
        return known


def _least_common(length: int, most: int, threshold: float) -> NDArray[np.int64]:
    """For m = 0 … most: the least l whose F1 over `length` and m words is above the threshold, or IMPOSSIBLE.

    Where floating-point numbers put F1 on the other side of the threshold than real ones would, theirs counts.
    """
    lengths = np.arange(most + 1)
    least = np.maximum(0, np.floor(threshold * (length + lengths) / 2).astype(np.int64) - 1)
    for _ in range(3):
        least += _f1(least, length, lengths) <= threshold
    possible = (least <= np.minimum(length, lengths)) & (_f1(least, length, lengths) > threshold)
    return np.where(possible, least, IMPOSSIBLE)


def _f1(shared: NDArray[np.int64], length: int, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of common subsequences of a text of `length` words with others, as `rouge_l` computes one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = shared / lengths, shared / length if length else np.zeros(len(shared))
        return np.where((shared > 0) & (lengths > 0), 2 * precision * recall / (precision + recall), 0.0)
