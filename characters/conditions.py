"""When a secret may be told: its condition, taken apart, and what satisfies each part.

`persuasion 15` is for the dice, `asked about the key` for words, and anything else ("trusts the
party") for the GM. Parts joined by *and* are all needed, those joined by *or* or a semicolon are
alternatives. A secret without a condition is told when the GM says so.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from characters.sheet import Secret
from characters.words import fold, terms, words

By = Literal["gm", "roll", "words"]

_ROLLED = re.compile(
    r"^(?:a |an )?(?:successful )?([a-z][a-z' ]*?)(?: check| roll| test)?(?: of| at| dc)? (\d{1,3})\+?(?: or more)?$"
)
_WORDS = re.compile(
    r"^(?:is |when |if |once |being )*(?:asked|spoken to|questioned|pressed)(?: directly)? (?:about|of|for|on) (.+)$"
    r"|^(?:hears|someone mentions|mention of) (.+)$"
)


@dataclass(frozen=True)
class Part:
    """One part of a condition.

    Attributes:
        text: as the author wrote it.
        by: who or what satisfies it; the GM may satisfy any.
        skill: of a roll.
        least: the total a roll needs.
        topic: the words that must be spoken, as stems.
    """

    text: str
    by: By
    skill: str = ""
    least: int = 0
    topic: tuple[str, ...] = ()


def key_of(secret: Secret) -> str:
    """Names a secret by what it says, so that its state survives other changes of the sheet."""
    return "secret." + hashlib.sha256(secret.text.encode()).hexdigest()[:12]


@lru_cache(maxsize=256)
def parts(condition: str) -> tuple[tuple[Part, ...], ...]:
    """A condition as alternatives of parts that are all needed; none for an empty condition."""
    ways = re.split(r"\s*;\s*|\s+or\s+(?!more\b)", condition.strip())
    return tuple(tuple(_part(one) for one in re.split(r"\s+and\s+", way)) for way in ways if way.strip())


def _part(text: str) -> Part:
    folded = " ".join(fold(text).strip(" .").split())
    if found := _ROLLED.match(folded):
        return Part(text, "roll", found[1].strip(), int(found[2]))
    if found := _WORDS.match(folded):
        topic = tuple(dict.fromkeys(terms(found[1] or found[2])))
        if topic:
            return Part(text, "words", topic=topic)
    return Part(text, "gm")


def by_words(secret: Secret, said: str) -> list[Part]:
    """The parts of a condition that a remark satisfies: it names the topic."""
    heard = set(terms(said))
    return [part for way in parts(secret.condition) for part in way if part.by == "words" and set(part.topic) <= heard]


def by_roll(secret: Secret, skill: str, total: int) -> list[Part]:
    """The parts of a condition that a roll satisfies."""
    rolled = set(fold(skill).split())
    return [
        part for way in parts(secret.condition) for part in way
        if part.by == "roll" and set(part.skill.split()) <= rolled and total >= part.least
    ]  # fmt: skip


def is_open(secret: Secret, satisfied: Iterable[str]) -> bool:
    """Whether a secret may be told.

    Args:
        satisfied: the texts of parts that are satisfied; "" stands for the GM's word on the whole.
    """
    done = set(satisfied)
    return "" in done or any(all(part.text in done for part in way) for way in parts(secret.condition))


def tells(line: str, secret: str) -> bool:
    """Whether a line tells a secret: four words in a row of it, or all of a shorter one."""
    said, hidden = words(line), words(secret)
    size = min(4, len(hidden))
    runs = {tuple(hidden[at : at + size]) for at in range(len(hidden) - size + 1)}
    return size > 0 and any(tuple(said[at : at + size]) in runs for at in range(len(said) - size + 1))
