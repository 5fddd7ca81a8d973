"""What can be told of lines without a judge: variety, copies, talk about being a machine, secrets."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

from learning.filters.novelty import rouge_l, words_of

Pair = tuple[str, str]

_SAME_LINE = 0.7
_RECITED_WORDS = 12
_KNOWN_WORDS = 3
_SECRET_WORDS = 4
_META = re.compile(
    r"\b(?:as an ai|i(?:'m| am) an? (?:ai|bot|chatbot|language model|assistant|program|character|npc)\b"
    r"|language model|system prompt|my (?:instructions|prompt|training data)|openai|fine-?tun)",
    re.IGNORECASE,
)


def distinct_pairs(lines: Sequence[str], habits: Collection[Pair] = ()) -> float:
    """Share of different pairs of neighbouring words among all such pairs (distinct-2), habits not counted."""
    pairs = [pair for line in lines for pair in _pairs(line) if pair not in habits]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def habits_of(lines: Sequence[str]) -> frozenset[Pair]:
    """The pairs of words in every third line or more: a motto, an address; what a table says so often it wants said."""
    within = Counter(pair for line in lines for pair in set(_pairs(line)))
    return frozenset(pair for pair, count in within.items() if count > 1 and count * 3 >= len(lines))


def _pairs(line: str) -> list[Pair]:
    said = words_of(line)
    return list(pairwise(said))


def talks_about_itself(line: str) -> bool:
    """Whether a line speaks of models, prompts or instructions instead of the world."""
    return bool(_META.search(line))


def same_line(one: str, other: str) -> bool:
    """Whether two lines are the same but for a few words."""
    return rouge_l(words_of(one), words_of(other)) > _SAME_LINE


def shares_run(line: str, other: str, length: int) -> bool:
    """Whether a line repeats so many words in a row of another text."""
    return not set(_runs(words_of(line), length)).isdisjoint(_runs(words_of(other), length))


def recites(line: str, trained: Sequence[str], at_hand: Sequence[str]) -> bool:
    """Whether a line says a line it was trained on again, twelve words in a row, for no better reason.

    A good reason is that the words stand in what is at hand: the prompt, whose facts any line on the subject
    repeats, and what the NPC said to this before it was trained. A run counts as recited when more than half of
    its words stand in no three words in a row of those.
    """
    ours = words_of(line)
    runs = {run for text in trained for run in _runs(words_of(text), _RECITED_WORDS)}
    begins = [at for at, run in enumerate(_runs(ours, _RECITED_WORDS)) if run in runs]
    if not begins:
        return False
    known_runs = {run for text in at_hand for run in _runs(words_of(text), _KNOWN_WORDS)}
    known = {
        at + step for at, run in enumerate(_runs(ours, _KNOWN_WORDS)) if run in known_runs
        for step in range(_KNOWN_WORDS)
    }  # fmt: skip
    return any(
        2 * sum(at in known for at in range(begin, begin + _RECITED_WORDS)) < _RECITED_WORDS for begin in begins
    )


def _runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]


def leaks(line: str, secret: str) -> bool:
    """Whether a line tells a secret, four words in a row of it."""
    return shares_run(line, secret, _SECRET_WORDS)
