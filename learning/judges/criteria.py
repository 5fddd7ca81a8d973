"""The criteria, in words for a model and as rules for the offline judge.

The rules are what can be seen without understanding: talk of being a machine, numbers and names that stand
nowhere, modern things, a line that takes up nothing of what was said.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from characters.words import terms
from learning.teachers.errors import Rejected
from learning.teachers.offline.asking_modern import MODERN
from learning.teachers.reading import check_refusal

_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"(?<![.!?:\"“]\s)(?<!^)\b([A-Z][a-z]{2,})")
_LONG = 60  # words


@dataclass(frozen=True)
class Seen:
    """What a judge looks at.

    Attributes:
        told: everything the NPC read: sheet, world, scene, what was at hand.
        hand: what was at hand alone.
        dialogue: what was said, oldest first; the last is answered.
        line: what the NPC says.
        examples: lines of its own, for its voice.
    """

    name: str
    told: str
    hand: str
    dialogue: tuple[str, ...]
    line: str
    examples: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """What is answered, without the speaker's name."""
        return self.dialogue[-1].partition(": ")[2] or self.dialogue[-1]


Rule = Callable[[Seen], tuple[str, int]]


@dataclass(frozen=True)
class Criterion:
    """One evaluator: what it looks for, in words and as a rule."""

    name: str
    wish: str
    rule: Rule


def _in_character(seen: Seen) -> tuple[str, int]:
    try:
        check_refusal(seen.line)
    except Rejected:
        return "It speaks as a machine or of its rules.", -1
    if re.search(r"[*\[\]{}<>]|^\s*\w+:", seen.line):
        return "It holds stage directions or somebody's name before the words.", -1
    return "Nothing in it leaves the part; a rule can see no more.", 0


def _grounded(seen: Seen) -> tuple[str, int]:
    known = f"{seen.told}\n{seen.hand}\n" + "\n".join(seen.dialogue)
    if not set(_NUMBER.findall(seen.line)) <= set(_NUMBER.findall(known)):
        return "It names a number that stands nowhere.", -1
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", known)}
    if any(name.casefold() not in words for name in _NAME.findall(seen.line)):
        return "It names somebody or something that stands nowhere.", -1
    if set(terms(seen.line)) & set(terms(seen.hand)):
        return "It says what was at hand.", 1
    return "It says nothing that could be checked.", 0


def _answers(seen: Seen) -> tuple[str, int]:
    said, asked, hand = set(terms(seen.line)), set(terms(seen.asked)), set(terms(seen.hand))
    if said & (asked | hand):
        return "It takes up what was said or what is at hand.", 1
    if any(seen.line.casefold() == before.partition(": ")[2].casefold() for before in seen.dialogue):
        return "It repeats itself.", -1
    return "It shares no word with the question.", 0


def _world(seen: Seen) -> tuple[str, int]:
    low, asked = seen.line.casefold(), seen.asked.casefold()
    for thing in MODERN:
        if thing in low and thing not in asked:
            return f"It speaks of {thing}.", -1
    return "Nothing in it is foreign to the world; a rule can see no more.", 0


def _style(seen: Seen) -> tuple[str, int]:
    words = seen.line.split()
    if not words or len(words) > _LONG or seen.line[-1] not in ".!?\"'”’…":
        return "It is empty, very long, or breaks off.", -1
    own = set(terms(" ".join(seen.examples)))
    return ("It uses the NPC's own words.", 1) if own & set(terms(seen.line)) else ("Nothing in it is its own.", 0)


CRITERIA: tuple[Criterion, ...] = (
    Criterion("in character", "speaks as this person would, never as a machine or somebody else", _in_character),
    Criterion("grounded", "says only what stands in the sheet or was at hand, numbers and names exactly", _grounded),
    Criterion("answers", "answers or takes up what was just said instead of talking past it", _answers),
    Criterion("world", "knows of nothing outside its world and its time", _world),
    Criterion("style", "sounds like its voice and its own lines: words, length, rhythm", _style),
)  # fmt: skip


def named(names: str | None) -> tuple[Criterion, ...]:
    """Criteria by name, all of them without a wish.

    Raises:
        KeyError: there is none of a name.
    """
    known = {criterion.name: criterion for criterion in CRITERIA}
    return tuple(known[name.strip()] for name in names.split(",")) if names else CRITERIA
