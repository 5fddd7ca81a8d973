"""What an answer is worth, by rules that need no model; evaluators reward through the same door.

A rule is a modest teacher: it knows form, not sense. It is there to mend what a table complains of
(lines that do not end, that run on, that repeat what was asked), and to prove that reinforcement
works at all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from characters.inference.stopping import loops
from learning.errors import RecipeInvalid

_WORD = re.compile(r"[\w']+")
_META = re.compile(r"\b(?:as an ai|language model|i am an ai|assistant)\b|<\||\|>|^\s*\[", re.IGNORECASE)
_FITTING, _FAR_TOO_LONG = 10, 30  # words


@dataclass(frozen=True)
class Said:
    """An answer as the table would hear it.

    Attributes:
        prompt: everything the model read.
        ended: by itself, or where somebody else's line would have begun; not by length and not in a loop.
    """

    prompt: str
    text: str
    ended: bool


Reward = Callable[[Sequence[Said]], Sequence[float | None]]


def each(rule: Callable[[Said], float]) -> Reward:
    """A reward that looks at one answer at a time."""
    return lambda answers: [rule(said) for said in answers]


def form(said: Said) -> float:
    """1 for a line that ends, says something and stays in its role; −1 for one that does not."""
    words = _WORD.findall(said.text)
    good = said.ended and 2 <= len(words) <= 60 and not loops(said.text) and not _META.search(said.text)
    return 1.0 if good else -1.0


def brief(said: Said) -> float:
    """1 up to ten words, falling to −1 at thirty; nothing said is worth −1, and so is a line that does not end."""
    words = len(_WORD.findall(said.text))
    if not words or not said.ended or loops(said.text):
        return -1.0
    return 1.0 - 2.0 * min(1.0, max(0, words - _FITTING) / (_FAR_TOO_LONG - _FITTING))


RULES: Mapping[str, Reward] = {"form": each(form), "brief": each(brief)}


def rewards_of(
    wanted: Mapping[str, float], more: Mapping[str, Reward] | None = None
) -> list[tuple[str, Reward, float]]:  # fmt: skip
    """The rewards a recipe names, each with its weight.

    Args:
        more: evaluators by name, beside the rules.

    Raises:
        RecipeInvalid: one sentence naming what is not there.
    """
    known = {**RULES, **(more or {})}
    if unknown := [name for name in wanted if name not in known]:
        raise RecipeInvalid(f"There is no reward {unknown[0]!r}; rewards are {', '.join(sorted(known))}.")
    return [(name, known[name], weight) for name, weight in wanted.items()]
