"""How well a memory meets a question: words by their rarity, senses at about half, whoever keeps the memories.

The database finds candidates by its full-text index and ranks them here; what was said in one scene
alone (an exam's) is few enough to be ranked as it is. So both bring the same memories to hand.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from characters.messages import Fact
from characters.remembering import OFFERED, Found, senses, stems

SENSE = 0.55  # what a shared sense is worth beside a shared word
_SMOOTH = 100  # memories more than there are: in a young campaign nothing is rare yet
_LONG = 0.01

Asked = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Hit:
    """A memory a search found: the score, the share of the question it meets, and the words that met."""

    id: int
    score: float
    share: float
    words: tuple[str, ...]


def rarities(counts: Mapping[str, int], total: int) -> dict[str, float]:
    """What each word of a question is worth, by how many of `total` memories have it; what none has is left out."""
    return {word: math.log(1 + (total + _SMOOTH) / (count + 1)) for word, count in counts.items() if count}


def ranked(rows: Iterable[tuple[int, str, str]], asked: Asked, rarity: Mapping[str, float]) -> list[Hit]:
    """Rows by how much of the question they meet: a word counts by its rarity, a mere sense of it about half.

    Of memories that meet the same, the shorter says it more plainly. A word of the question that no
    memory has counts as much as the others do on average.

    Args:
        rows: id, stems and senses of each memory, words between blanks.
        asked: the question's stems, each with its senses.
    """
    worth = {stem: rarity.get(stem) or max((rarity.get(s, 0.0) for s in senses), default=0.0)
             for stem, senses in asked.items()}  # fmt: skip
    known = [value for value in worth.values() if value]
    whole = sum(value or sum(known) / len(known) for value in worth.values())
    found = []
    for number, said_stems, said_senses in rows:
        said, meant = said_stems.split(), set(said_senses.split())
        has = set(said)
        met = {stem: max([rarity[stem]] if stem in has else [SENSE * rarity[s] for s in asked[stem] if s in meant],
                         default=0.0) for stem in asked}  # fmt: skip
        score = sum(met.values())
        near = sum(min(1.0, met[stem] / worth[stem]) * (worth[stem]) for stem in asked if met[stem])
        share = min(1.0, near / whole) if whole else 0.0
        hits = tuple(stem for stem in asked if met[stem])
        found.append(Hit(number, score / (1 + _LONG * len(said)), share, hits))
    return sorted(found, key=lambda hit: (-hit.score, -hit.id))


def find_among(told: Sequence[str], question: str) -> list[Found]:
    """Of some memories those that share words or senses with a question, best first.

    Args:
        told: the memories' texts, oldest first; their places become their keys.
    """
    asked = {stem: senses([stem]) for stem in stems(question)}
    words_of = [stems(text) for text in told]
    rows = [(place, " ".join(said), " ".join(senses(said))) for place, said in enumerate(words_of)]
    words = {*asked, *(sense for some in asked.values() for sense in some)}
    counts = {word: sum(word in f"{said} {meant}".split() for _, said, meant in rows) for word in words}
    rarity = rarities(counts, len(rows))
    hits = [hit for hit in ranked(rows, asked, rarity) if hit.words] if rarity else []
    return [
        Found(Fact(f"memory.{hit.id}", told[hit.id], "memory"), hit.score, hit.share, hit.words)
        for hit in hits[:OFFERED]
    ]
