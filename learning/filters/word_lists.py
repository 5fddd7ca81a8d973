"""Longest common subsequences of one text with many others at once.

One text against another is a few machine words of bit-parallel dynamic programming (Hyyrö 2004); one
against thousands is the same few operations on arrays. Numbers stand for words: comparing is what
costs, and numbers compare quickly.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BITS = 64

Integers = NDArray[np.int64]


class WordLists:
    """A growing list of texts, each a list of words."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._flat, self._starts, self._lengths = array("q"), array("q"), array("q")
        self._masks = np.zeros((1, 256), np.uint64)

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def lengths(self) -> Integers:
        """How many words every text has."""
        return _view(self._lengths).copy()

    def add(self, words: Sequence[str]) -> None:
        """Append a text."""
        self._starts.append(len(self._flat))
        self._lengths.append(len(words))
        self._flat.extend(self._numbers.setdefault(word, len(self._numbers)) for word in words)

    def common(self, words: Sequence[str], chosen: Integers | None = None) -> Integers:
        """Length of the longest common subsequence of a text with every text, or with the chosen ones.

        Args:
            chosen: places of texts, int64 of shape (k,).

        Returns:
            int64 of shape (k,), in the order of `chosen`.
        """
        starts, lengths = _view(self._starts), _view(self._lengths)
        if chosen is not None:
            starts, lengths = starts[chosen], lengths[chosen]
        if not words or not len(lengths):
            return np.zeros(len(lengths), np.int64)
        order = np.argsort(-lengths, kind="stable")  # the long ones first: at word j only these are left
        left = np.searchsorted(-lengths[order], -np.arange(int(lengths.max())), side="left")
        found = np.empty(len(lengths), np.int64)
        found[order] = self._common(words, starts[order], left)
        return found

    def _common(self, words: Sequence[str], starts: Integers, left: Integers) -> Integers:
        """The same for texts by falling length.

        Args:
            left: how many texts have a word at each place, int64 of shape (length of the longest,).
        """
        flat, places = _view(self._flat), starts.copy()
        masks, known = self._masks_of(words)
        rows = np.full((len(masks), len(starts)), ~np.uint64(0))
        for count in left.tolist():
            numbers = flat[places[:count]]
            carry: NDArray[np.uint64] | None = None
            for mask, row in zip(masks, rows, strict=True):
                before = row[:count]
                matches = mask[numbers]
                grown = before + (before & matches)
                over = grown < before
                if carry is not None:
                    grown += carry
                    over |= grown < carry
                carry = over.astype(np.uint64)
                row[:count] = grown | (before & ~matches)
            places += 1
        masks[:, known] = 0
        return _zeros(rows, len(words))

    def _masks_of(self, words: Sequence[str]) -> tuple[NDArray[np.uint64], list[int]]:
        """Where each word stands in a text, a bit a place; and the numbers that have a bit anywhere."""
        width, size = -(-len(words) // _BITS), self._masks.shape
        if size[0] < width or size[1] < len(self._numbers):
            self._masks = np.zeros((max(size[0], width), max(size[1], 2 * len(self._numbers))), np.uint64)
        masks, known = self._masks[:width], []
        for place, word in enumerate(words):
            number = self._numbers.get(word)
            if number is not None:
                masks[place // _BITS, number] |= np.uint64(1 << place % _BITS)
                known.append(number)
        return masks, known


def _zeros(rows: NDArray[np.uint64], length: int) -> Integers:
    """How many of the first `length` bits of every column are zero."""
    spare = len(rows) * _BITS - length
    rows[-1] |= ~(~np.uint64(0) >> np.uint64(spare))
    found: Integers = np.bitwise_count(~rows).sum(axis=0, dtype=np.int64)
    return found


def _view(numbers: "array[int]") -> Integers:
    """The numbers without a copy; must be let go of before the next one is appended."""
    return np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)
