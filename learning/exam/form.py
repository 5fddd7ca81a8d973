"""Is a line well formed, whatever it says?

Finished, no loop, no template token, at most eighty words, nobody else's lines, not empty.
"""

import re
from collections.abc import Iterable, Sequence

from characters.words import words

MAX_WORDS = 80
_LABELS = ("user", "assistant", "system", "human", "ai", "player", "npc", "model", "gm", "dm", "traveller", "you")
_TEMPLATE = re.compile(
    r"<\|?/?[a-z_]{1,24}\|?>|\|>|<\||\[/?INST\]|<</?SYS>>"
    r"|\[(?:You (?:know|once said)|Direction|The scene begins|Go on)",
    re.IGNORECASE,
)
_HANGING = re.compile(
    r"(?:[,;:\u2013\u2014-]|\b(?:and|or|but|the|a|an|of|to|with|for|in|is|are|my|your|that)"
    r"|\b(?:and|or|the|an?|of|to|with|for|about|my|your) [.!?])$", re.IGNORECASE
)
_STUTTER = re.compile(r"([^\W\d_]{2,4})\1{3,}", re.IGNORECASE)  # "jeckckckckck"; a scream is one letter
_WIDEST = 16
_REFRAIN = 6


def form_faults(reply: str, *, finished: bool = True, names: Iterable[str] = ()) -> tuple[str, ...]:
    """Say what is wrong with a line; nothing when it is well formed.

    Args:
        finished: whether the engine ended it by itself.
        names: who is at the table; a line of theirs, or one's own label, is a fault.
    """
    text = reply.strip()
    if not any(ch.isalpha() for ch in text):
        return ("empty",)
    faults = (
        ("unfinished", not finished or bool(_HANGING.search(text))),
        ("loops", loops(text)),
        ("template token", bool(_TEMPLATE.search(text))),
        (f"over {MAX_WORDS} words", len(text.split()) > MAX_WORDS),
        ("speaks for others", _labelled(text, names)),
    )
    return tuple(name for name, found in faults if found)


def loops(text: str) -> bool:
    """Whether a text goes round: a word four times in a row, a pair three times, more twice, six words ever again.

    "No, no, no!" is speech, and so is an echo: "The lagoon folk? The lagoon folk live on rafts." The engine's own
    rule (characters/inference/stopping.py) is another: it sees only a beginning, and cutting a good line is worse.
    """
    if _STUTTER.search(text):
        return True
    said = words(text)
    rows = [tuple(said[at : at + _REFRAIN]) for at in range(len(said) - _REFRAIN + 1)]
    if len(set(rows)) < len(rows) or _in_a_row(said, {1: 4, 2: 3, 3: 3}, 3):
        return True
    return any(_in_a_row(words(sentence), {1: 4, 2: 3}, 2) for sentence in re.split(r"[.!?\u2026\n]+", text))


def _in_a_row(said: Sequence[str], wanted: dict[int, int], otherwise: int) -> bool:
    """Whether words are said again at once, as often as is too often for their number."""
    for width in range(1, min(_WIDEST, len(said) // 2) + 1):
        times = wanted.get(width, otherwise)
        for at in range(len(said) - width * times + 1):
            piece = said[at : at + width]
            if all(said[at + n * width : at + (n + 1) * width] == piece for n in range(1, times)):
                return True
    return False


def _labelled(text: str, names: Iterable[str]) -> bool:
    """Whether somebody's name opens a line, as in a script."""
    known = {name.casefold() for name in (*_LABELS, *names)}
    openings = re.findall(r"(?:^|\n)\s*[*_]{0,2}([\w][\w' ]{0,39}?)[*_]{0,2}:(?=\s|$)", text)
    return any(opening.casefold() in known for opening in openings)
