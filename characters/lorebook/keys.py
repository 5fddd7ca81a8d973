"""Whether an entry's keys were said, by SillyTavern's rules.

A plain key is found as it is written; one of a single word, where whole words are wanted, only as a
word of its own (scripts without spaces excepted). Secondary keys then allow or forbid.
"""

from dataclasses import dataclass

from characters.lorebook.entry import AND_ALL, AND_ANY, NOT_ALL, Entry
from characters.lorebook.patterns import found_by, is_delimited
from characters.macros import Names, expand

_UNSPACED = ((0x0E00, 0x0EFF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF), (0x20000, 0x3FFFF))


class Text:
    """A text that is searched many times; folded once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.casefold()

    def has(self, key: str, *, case_sensitive: bool, whole: bool) -> bool:
        """Whether a plain key is in it."""
        text, key = (self.text, key) if case_sensitive else (self.folded, key.casefold())
        if not whole or len(key.split()) != 1 or _unspaced(key):
            return key in text
        place = text.find(key)
        while place >= 0:
            end = place + len(key)
            if not _joins(text, place - 1, key[0]) and not _joins(text, end, key[-1]):
                return True
            place = text.find(key, end)
        return False


@dataclass(frozen=True)
class Rules:
    """How keys are looked for where an entry does not say."""

    case_sensitive: bool = False
    whole_words: bool = True


@dataclass(frozen=True)
class Match:
    """What was found: the primary keys, how many points they and the secondary ones are worth, or why not."""

    keys: tuple[str, ...] = ()
    score: int = 0
    refused: str = ""


def match(entry: Entry, text: Text, names: Names, rules: Rules) -> Match:
    """Look for an entry's keys in a text."""
    primary = tuple(key for key in entry.keys if _found(key, entry, text, names, rules))
    if not primary:
        return Match(refused="none of its keys was said")
    if not entry.secondary:
        return Match(primary, len(primary))
    second = sum(1 for key in entry.secondary if _found(key, entry, text, names, rules))
    every = second == len(entry.secondary)
    if entry.logic == AND_ANY:
        refused = "" if second else "none of its secondary keys was said"
        points = second
    elif entry.logic == AND_ALL:
        refused, points = ("" if every else "not all of its secondary keys were said"), second
    elif entry.logic == NOT_ALL:
        refused, points = ("all of its secondary keys were said" if every else ""), 0
    else:
        refused, points = ("one of its secondary keys was said" if second else ""), 0
    return Match(primary, len(primary) + points, refused)


def _found(key: str, entry: Entry, text: Text, names: Names, rules: Rules) -> bool:
    key = expand(key, names, scanning=True).strip()
    case = rules.case_sensitive if entry.case_sensitive is None else entry.case_sensitive
    if entry.regex or is_delimited(key):
        return found_by(key, text.text, case)
    whole = rules.whole_words if entry.whole_words is None else entry.whole_words
    return bool(key) and text.has(key, case_sensitive=case, whole=whole)


def _joins(text: str, place: int, edge: str) -> bool:
    """Whether the letter at a place makes one word with a key's edge."""
    return 0 <= place < len(text) and _wordly(text[place]) and _wordly(edge)


def _wordly(char: str) -> bool:
    return char.isalnum() or char == "_"


def _unspaced(key: str) -> bool:
    return any(low <= ord(char) <= high for char in key for low, high in _UNSPACED)
