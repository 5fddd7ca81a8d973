"""What can be told of lines without a judge: variety, copies, talk about being a machine, secrets."""

import re
from collections.abc import Sequence

from learning.filters.novelty import rouge_l, words_of

_SAME_LINE = 0.7
_COPIED_WORDS = 12
_SECRET_WORDS = 4
_META = re.compile(
    r"\b(?:as an ai|i(?:'m| am) an? (?:ai|bot|chatbot|language model|assistant|program|character|npc)\b"
    r"|language model|system prompt|my (?:instructions|prompt|training data)|openai|fine-?tun)",
    re.IGNORECASE,
)


def distinct_pairs(lines: Sequence[str]) -> float:
    """Share of different pairs of neighbouring words among all such pairs (distinct-2)."""
    pairs = [pair for line in lines for pair in zip(words_of(line), words_of(line)[1:], strict=False)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def talks_about_itself(line: str) -> bool:
    """Whether a line speaks of models, prompts or instructions instead of the world."""
    return bool(_META.search(line))


def same_line(one: str, other: str) -> bool:
    """Whether two lines are the same but for a few words."""
    return rouge_l(words_of(one), words_of(other)) > _SAME_LINE


def shares_run(line: str, other: str, length: int) -> bool:
    """Whether a line repeats so many words in a row of another text."""
    ours, theirs = words_of(line), words_of(other)
    runs = {tuple(theirs[at : at + length]) for at in range(len(theirs) - length + 1)}
    return any(tuple(ours[at : at + length]) in runs for at in range(len(ours) - length + 1))


def copies(line: str, trained: Sequence[str]) -> bool:
    """Whether a line recites a line it was trained on, twelve words in a row."""
    return any(shares_run(line, text, _COPIED_WORDS) for text in trained)


def leaks(line: str, secret: str) -> bool:
    """Whether a line tells a secret, four words in a row of it."""
    return shares_run(line, secret, _SECRET_WORDS)
