"""Leaves out rows that say what another row says, and rows that say what the exam asks.

Lines at a table are short, so likeness is measured on runs of five characters: one changed word of
twelve would break five of a line's eight runs of five *words*, and a near-duplicate would look like
another line; of its runs of characters it breaks one in eight. One measure for all lengths also has
no seam between "short" and "long" across which a copy could pass.

MinHash with locality-sensitive hashing only finds who to compare; the verdict is the exact Jaccard
similarity, so that it does not hang on luck. Everything is deterministic: seeded permutations, and
a ranking in which no two rows are equal.
"""

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from db.provenance import QUOTATION, runs, words

SEED = 1
NEAR = 0.85  # two rows are near-duplicates from here on
TOO_CLOSE = 0.7  # a train row is too close to the exam from here on
HABIT = 3  # rows that share eight words in a row make them a way of speaking, no quotation

_SHINGLE = 5  # characters
_PERMUTATIONS = 128
# 32 bands of 4: two texts of similarity 0.7 meet with probability 0.9998, of 0.85 practically always.
_BANDS = (32, 4)
_TOKEN = re.compile(r"<[^<>\s]{1,40}>")
_NUMBER = re.compile(r"\d+")

Run = tuple[str, ...]


class Exchange(Protocol):
    """A row: what was asked, what is answered, and how much it counts."""

    @property
    def kind(self) -> str: ...
    @property
    def asked(self) -> str: ...
    @property
    def completion(self) -> str: ...
    @property
    def rejected(self) -> str: ...
    @property
    def label(self) -> bool: ...
    @property
    def weight(self) -> int: ...
    @property
    def line(self) -> int: ...


R = TypeVar("R", bound=Exchange)


@dataclass(frozen=True)
class Kept(Generic[R]):
    """What is left, in its order, and how many rows were left out by reason."""

    rows: tuple[R, ...]
    left_out: Mapping[str, int]


def said(row: Exchange) -> str:
    """What a row says, as it is compared: question and answers in plain folded words, without template tokens."""
    text = " ".join(_TOKEN.sub(" ", part) for part in (row.asked, row.completion, row.rejected))
    return " ".join(words(text))


def remove_duplicates(rows: Sequence[R], threshold: float = NEAR) -> Kept[R]:
    """Keep one of each group of rows that say the same.

    Rows are compared within their kind, labels within their verdict. Of two alike the heavier stays,
    then the one of the newer line, then the later in the list. Rows whose numbers differ are never
    near-duplicates: a price is what such a row teaches.

    Args:
        threshold: Jaccard similarity of five-character runs, 0..1, from which two rows are alike.
    """
    order = sorted(range(len(rows)), key=lambda index: (rows[index].weight, rows[index].line, index), reverse=True)
    known: dict[tuple[str, bool], _Index] = {}
    kept, left_out = [], Counter[str]()
    seen: set[tuple[str, bool, str]] = set()
    for index in order:
        row, text = rows[index], said(rows[index])
        group = (row.kind, row.label)
        if (*group, text) in seen:
            left_out["exact duplicate"] += 1
            continue
        seen.add((*group, text))
        near = known.setdefault(group, _Index())
        if any(_NUMBER.findall(text) == _NUMBER.findall(other) for other in near.alike(text, threshold)):
            left_out["near-duplicate"] += 1
            continue
        near.add(text)
        kept.append(index)
    return Kept(tuple(rows[index] for index in sorted(kept)), dict(left_out))


def decontaminate(train: Sequence[R], guarded: Sequence[str], threshold: float = TOO_CLOSE) -> Kept[R]:
    """Leave out train rows that share too much with texts of the exam or of held-out rows.

    Too much is a Jaccard similarity of at least the threshold, or eight words in a row, unless three
    train rows or more share these eight: then they are a motto or a habit, which is what the row is
    there to teach, and which the held-out lines of the same voice cannot but have too.

    Args:
        guarded: texts that must stay unknown; for rows, `said(row)`.
    """
    index, forbidden = _Index(), set[Run]()
    for text in dict.fromkeys(" ".join(words(_TOKEN.sub(" ", text))) for text in guarded):
        index.add(text)
        forbidden |= runs(text.split(), QUOTATION)
    texts = [said(row) for row in train]
    shared = [runs(text.split(), QUOTATION) & forbidden for text in texts]
    common = Counter(run for found in shared for run in found)
    rows, left_out = [], Counter[str]()
    for row, text, found in zip(train, texts, shared, strict=True):
        if index.alike(text, threshold):
            left_out["too close to exam or held-out"] += 1
        elif any(common[run] < HABIT for run in found):
            left_out["quotes exam or held-out"] += 1
        else:
            rows.append(row)
    return Kept(tuple(rows), dict(left_out))


def shingles(text: str) -> frozenset[str]:
    """A text's runs of five characters; a shorter text is its own only run."""
    if len(text) <= _SHINGLE:
        return frozenset({text})
    return frozenset(text[start : start + _SHINGLE] for start in range(len(text) - _SHINGLE + 1))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Size of what two sets share over the size of both together, 0..1; two empty sets are equal."""
    together = len(one | other)
    return len(one & other) / together if together else 1.0


class _Index:
    """Texts that can be asked who is like another."""

    def __init__(self) -> None:
        from datasketch import MinHash, MinHashLSH

        self._empty = MinHash(num_perm=_PERMUTATIONS, seed=SEED)
        self._lsh = MinHashLSH(num_perm=_PERMUTATIONS, params=_BANDS)
        self._texts: list[tuple[str, frozenset[str]]] = []
        self._asked: tuple[str, Hashable] = ("", None)

    def add(self, text: str) -> None:
        self._lsh.insert(len(self._texts), self._sketch(text))
        self._texts.append((text, shingles(text)))

    def alike(self, text: str, threshold: float) -> list[str]:
        """The texts at least so similar, in order of their adding."""
        if not self._texts:
            return []
        ours = shingles(text)
        near = [self._texts[number] for number in sorted(self._lsh.query(self._sketch(text)))]
        return [other for other, theirs in near if jaccard(ours, theirs) >= threshold]

    def _sketch(self, text: str) -> object:
        """A text's MinHash; the last one is kept, for who is asked about is often added next."""
        if self._asked[0] != text or self._asked[1] is None:
            sketch = self._empty.copy()
            sketch.update_batch([run.encode() for run in sorted(shingles(text))])
            self._asked = (text, sketch)
        return self._asked[1]
