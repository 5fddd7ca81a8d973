"""Finds the few texts of a pool that could be too similar to another one, by their rarest words.

Two word lists of n and m words whose longest common subsequence is at least t share at least t words
(counting repeated ones as often as both have them). Put every text's words into one fixed order,
rare ones first: then the first n − t + 1 words of the one and the first m − t + 1 of the other have a
word in common, for if not, everything shared would lie in the last t − 1 places of one of them
(prefix filter, Chaudhuri et al. 2006). t depends on both lengths: texts are entered under as many of
their words as the smallest t of their length asks for, and looked for by length.

What is found is thinned by a bound on the words both have, read off 128 bits a text (bitmap filter,
Sandes et al. 2020): every bit that only one of two texts has stands for at least one word that the
other lacks, so with b bits in common they share no more than n − (bits of the one − b) words, and no
more than m − (bits of the other − b). Both filters only leave out what cannot reach t.
"""

from array import array
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Token = tuple[str, int]  # a word, and how often it stood in the text before
Integers = NDArray[np.int64]

_HALF = 64  # bits of a signature in one machine word
_FIRST_ORDER = 64  # texts from which on the words are put in order


class RareWords:
    """An index over a growing pool.

    Args:
        needed: of a length n, the least length of a common subsequence that makes a text of m words too
            similar, for m = 0, 1, …; int64 of shape (at least `most` + 1,), `IMPOSSIBLE` where none does.
    """

    def __init__(self, needed: Callable[[int, int], Integers]) -> None:
        self._needed = needed
        self._texts: list[list[int]] = []
        self._numbers: dict[Token, int] = {}
        self._often, self._rank = array("q"), array("q")
        self._found: dict[int, dict[int, array[int]]] = {}  # word → length of the text → places of texts
        self._ordered, self._most = 0, 0
        self._signatures, self._lost = array("Q"), array("q")

    def add(self, words: Sequence[str]) -> None:
        """Append a text."""
        tokens = []
        for token in _tokens(words):
            number = self._numbers.setdefault(token, len(self._often))
            if number == len(self._often):
                self._often.append(0)
                self._rank.append(-number - 1)  # unknown when the order was made: rarer than what was known
            self._often[number] += 1
            tokens.append(number)
        bits = _signature(tokens)
        self._signatures.extend(bits)
        self._lost.append(sum(half.bit_count() for half in bits) - len(tokens))
        self._texts.append(tokens)
        self._most = max(self._most, len(tokens))
        if len(self._texts) >= max(_FIRST_ORDER, 2 * self._ordered):
            self._put_in_order()
        else:
            self._enter(len(self._texts) - 1)

    def near(self, words: Sequence[str]) -> tuple[Integers, Integers]:
        """The places of all texts that could be too similar, and how long a common subsequence would have to be."""
        known = [number for token in _tokens(words) if (number := self._numbers.get(token)) is not None]
        known.sort(key=self._rank.__getitem__)
        needed = self._needed(len(words), self._most).tolist()
        entries, least = [], []
        for behind, number in enumerate(reversed(known)):  # words nobody has come first, and find nothing
            for length, found in self._found.get(number, {}).items():
                if needed[length] <= behind + 1:
                    entries.append(np.frombuffer(found, np.int64))
                    least.append(needed[length])
        if not entries:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        places, wanted = np.concatenate(entries), np.repeat(least, [len(entry) for entry in entries])
        bits = _signature(known)
        there = np.frombuffer(self._signatures, np.uint64).reshape(-1, 2)[places]
        both = np.bitwise_count(there & np.array(bits, np.uint64)).sum(axis=1, dtype=np.int64)
        ours_lost = sum(half.bit_count() for half in bits) - len(known)
        could = both - wanted >= np.maximum(np.frombuffer(self._lost, np.int64)[places], ours_lost)
        chosen, at = np.unique(places[could], return_index=True)
        return chosen, wanted[could][at]

    def _put_in_order(self) -> None:
        """Rank all words by how many texts have them, and enter all texts anew."""
        ranked = sorted(range(len(self._often)), key=lambda number: (self._often[number], number))
        for rank, number in enumerate(ranked):
            self._rank[number] = rank
        self._found = {}
        self._ordered = len(self._texts)
        for place in range(self._ordered):
            self._enter(place)

    def _enter(self, place: int) -> None:
        tokens = sorted(self._texts[place], key=self._rank.__getitem__)
        for number in tokens[: _prefix(len(tokens), self._needed(len(tokens), len(tokens)))]:
            self._found.setdefault(number, {}).setdefault(len(tokens), array("q")).append(place)


IMPOSSIBLE = np.iinfo(np.int64).max // 2


def _prefix(length: int, needed: Integers) -> int:
    """How many of a text's rarest words must be looked at: by the shortest text that could be too similar."""
    least = int(needed[: length + 1].min(initial=IMPOSSIBLE))
    return 0 if least >= IMPOSSIBLE else length - least + 1


def _tokens(words: Sequence[str]) -> list[Token]:
    seen: dict[str, int] = {}
    tokens = []
    for word in words:
        before = seen.get(word, 0)
        tokens.append((word, before))
        seen[word] = before + 1
    return tokens


def _signature(tokens: Sequence[int]) -> tuple[int, int]:
    """A bit for every token; tokens known early, which are the frequent ones, seldom share one."""
    bits = 0
    for token in tokens:
        bits |= 1 << token % (2 * _HALF)
    return bits & (1 << _HALF) - 1, bits >> _HALF
