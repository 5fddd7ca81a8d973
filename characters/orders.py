"""What a sentence does at a counter: how many of which ware it orders, what it takes back, and whether it pays.

Judged by wording alone, as players write: "two ales and a bath, please", "make that three", "never mind the bath",
"here's your silver". The sums that follow from it are made elsewhere (`knowledge`, `bill`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from characters.words import fold, stem, terms, words

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100,
    "dozen": 12, "couple": 2, "pair": 2,
}  # fmt: skip
_GROUPS = frozenset({"dozen", "couple", "pair", "hundred"})
_COIN_WORDS = frozenset("copper coppers silver silvers gold platinum coin coins piece pieces cp sp gp pp".split())
_ARTICLES = frozenset({"a", "an", "the", "another", "some", "my", "our"})
_STILL_COUNTING = frozenset({"of", "times", "those", "these", "them"})  # "two of those, the bath I mean"
_PRICED_FOR = frozenset({"much", "what", "price", "total", "sum", "that"})

_COIN = r"(?:coppers?|silvers?|gold|platinum|coins?|[csgp]p)"
_A_NUMBER = rf"(?:\d+x?|{'|'.join(NUMBERS)})"
_WELL = r"(?:(?:ok|okay|yes|yeah|fine|well|all ?right|very well|sure)[,!. ]+)*"
_AGREES = re.compile(
    rf"^\W*{_WELL}(?:it's a |you have a |you've got a )?"
    r"(?:deal|sold|done|fine|agreed|all ?right|sounds good|yes,? please|sure)(?: then)?\W*$"
)
_TAKES = re.compile(
    r"\b(?:i|we)(?:'ll| will) (?:take|buy|get|order|go with|try|have(?! to\b))\b"
    r"|\b(?:i|we) (?:need|want|take)\b(?! to\b| (?:it|that) (?:you|back)\b)"
    r"|\b(?:i|we)(?:'d| would) (?:love|take)\b(?! to\b)"
    r"|\b(?:i|we)(?:'d| would) like (?!to (?!take|have|buy|get|order)\b)"
    r"|\b(?:add|throw in) (?!it\b|that\b|them\b|those\b|this\b|all\b|up\b|every)|\bgimme\b|\blet's have\b"
    r"|\b(?:give|hand|bring|pour|fetch|sell|get) (?:me|us)\b"
    r"|^(?:deal|sold|done|agreed)\b(?! with)"
    r"|\b(?:let me|can (?:i|we|you)|may (?:i|we)|could (?:i|we|you)) (?:have|take|buy|get|bring|pour)\b"
    rf"|\bmake (?:it|that) (?:an?|half|{_A_NUMBER})\b|,? please\b|, then\b"
    rf"|^(?:(?:and|yes|yeah|no|ok|okay|sure|just|only|then|well|hmm|actually|sorry)[, ]+)*"
    rf"(?:a )?(?:another|{_A_NUMBER}|half a dozen)\b"
    rf"(?! (?:day|question|thing|moment|minute|second|hour|night|time)s?\b)(?! ?{_COIN}\b)|^and (?:an?|the|one)\b"
    r"|^(?:just )?an? (?:(?!is\b|was\b|would\b|of\b)\w+[, ]*){1,6}[.!]*$"
)
_ONLY_ASKS = re.compile(
    r"\bhow (?:much|is|are)\b|what (?:would|does|do|about|is)|\bcosts?\b|\bprices?\b|\btell (?:me|us)\b|\bdescribe\b"
)
_POLITE = re.compile(
    r"\b(?:can|may|could|would|will) (?:i|we|you)\b.*\b(?:have|take|get|bring|buy|pour|give|fetch|hand)\b"
)
_ASKS = re.compile(r"\?\s*$")
_TIMES = re.compile(r"(?<=\d)x$")  # "2x ale"
_INSTEAD = re.compile(
    rf"\bmake (?:it|that)\b|\b(?:actually|sorry|on second thoughts?|rather)\b.*\b(?:just|only) (?:an?|{_A_NUMBER})\b"
)
_CANCELS = re.compile(
    r"^\W*(?:(?:actually|sorry|no|oh|wait)[,. ]+)*(?:cancel|forget|scratch|never ?mind) (?:it|that|the order)\W*$"
)
_REFUSES = re.compile(
    r"\b(?:never ?mind|(?<!don't )(?<!not )forget|cancel|instead of|without|no more|don't(?! forget)"
    r"|not(?! forget)|no)\b"
)
_CLAUSE = re.compile(r"[,.;!]| but | just | instead")
_SMALL = "one|two|three|four|five|six|seven|eight|nine|ten"
_MONEY = rf"(?:(?:your|the|my|our) )?(?:(?:an?|some|\d+|{_SMALL}) )?(?:coins?|money|gold|silver|copper|platinum|pay)\b"
_PAYS = re.compile(
    rf"\bhere(?:'s| is| are|,)? (?:you (?:go|are)(?=\s*[.,!]|$)|{_MONEY})"
    rf"|(?:\b(?:i|we) |\*)(?:hand|give|pass|flip|toss|throw)s?(?: over)?(?: \w+)? {_MONEY}"
    r"|(?:\b(?:i|we) |\*)pays?\b|\bpays? up\b|\bkeep the change\b"
    r"|\b(?:put|lay|slide|count|drop|push|toss)(?:e?s)? (?:(?!on|in)\w+ ){0,3}(?:coins?|money|coppers?|silvers?|gold)\b"
    r"(?=\W*$|[.,;!]| (?:on|down|in|into|before|over|out|to|at|across|towards?)\b)"  # a goose lays silver eggs
)
_OWN_PRICE = rf"(?:\d+|a|{'|'.join(NUMBERS)}) (?:pieces? of )?{_COIN}\b"
OFFER = (
    r"^(?:(?:fine|all ?right|ok|okay|very well|well|no|then|(?:i|let's) say|say|(?:how|what) about|make it)[,.!]* )*"
    rf"{_OWN_PRICE}(?=\s*(?:$|[.!?]|,? (?:and )?(?:not? (?:a )?\w+ more|at most|tops|then|for (?:it|that|them)\b)))"
)
_OFFERS = re.compile(OFFER)
_NOT_YET = re.compile(r"\?\s*$|\b(?:later|tomorrow|if|tab|credit)\b")


@dataclass(frozen=True)
class Refusal:
    """An order that is taken back: the words that say of what, and the rest of the sentence."""

    of: str
    rest: str


def takes(text: str) -> bool:
    """Whether a sentence orders something."""
    folded = fold(text).strip()
    if _ONLY_ASKS.search(folded) or (_ASKS.search(folded) and not _POLITE.search(folded)):
        return False
    if offers(text):  # "fine, four silver" to one who asked for five
        return False
    return bool(_TAKES.search(folded)) or agrees(text)


def agrees(text: str) -> bool:
    """Whether a remark strikes a deal, and says nothing else: "Deal.", "Yes please!", "Ok, sold."."""
    return bool(_AGREES.search(fold(text)))


def offers(text: str) -> bool:
    """Whether a remark names a price of its own: "Two copper, and not a coin more."."""
    return bool(_OFFERS.search(fold(text).strip()))


def cancels(text: str) -> bool:
    """Whether a remark takes the last order back, whatever it was: "Cancel that."."""
    return bool(_CANCELS.search(fold(text)))


def pays(text: str) -> bool:
    """Whether a sentence lays coin on the table."""
    folded = fold(text).strip()
    return bool(_PAYS.search(folded)) and not _NOT_YET.search(folded) and not _ONLY_ASKS.search(folded)


def replaces(text: str) -> bool:
    """Whether a sentence changes the number of what was ordered last: "make it three"."""
    return bool(_INSTEAD.search(fold(text)))


def refusal(text: str) -> Refusal | None:
    """What a sentence takes back: "two ales, but no bath" takes back a bath, and nothing else."""
    folded = fold(text).strip()
    found = _REFUSES.search(folded)
    if found is None:
        return None
    after = folded[found.end() :]
    end = _CLAUSE.search(after)
    clause, rest = (after[: end.start()], after[end.end() :]) if end else (after, "")
    return Refusal(clause, f"{folded[: found.start()]} {rest}")


def counted(text: str, names: Sequence[str]) -> dict[str, int]:
    """How many of each ware a sentence speaks of: a number counts what is named after it.

    Args:
        names: the wares it may be about, likeliest first.

    Returns:
        Only wares that are named. Where none is, the first gets the sentence's number, if it has one
        ("I'll take two"), and "both" is one of each of the first two.
    """
    said = _read(text)
    subjects = {name: {*terms(name), *(word for word in words(name) if word.isdecimal())} for name in names}
    counts, number, last = dict[str, int](), 0, ""
    for at, (count, word) in enumerate(said):
        named = _named(said, at, subjects)
        if named:
            last = named
            if counts.setdefault(named, number or 1) == (number or 1):
                number = 0
        elif count:
            number = 0 if last and _for_whom(said, at) else count
        elif word in _ARTICLES and (at == 0 or said[at - 1][1] not in _STILL_COUNTING):
            number = 0
    if last and number:  # "the stew: make it three"
        counts[last] = number
    return counts if counts or not names else _unnamed(said, names, number)


def _unnamed(said: Sequence[tuple[int, str]], names: Sequence[str], number: int) -> dict[str, int]:
    if any(word == "both" for _, word in said):
        return dict.fromkeys(names[:2], 1) if len(names) > 1 else {names[0]: 2}
    number = number or next((count for count, _ in said if count), 0)
    return {names[0]: number} if number else {}


def _for_whom(said: Sequence[tuple[int, str]], at: int) -> bool:
    """Whether a number says for how many people: "a bath for two"."""
    before = [word for _, word in said[max(0, at - 2) : at]]
    return before[-1:] == ["for"] and not set(before[:1]) & _PRICED_FOR


def _named(said: Sequence[tuple[int, str]], at: int, subjects: dict[str, set[str]]) -> str:
    """The ware that a word is part of; of several the one whose words stand around it, too."""

    def run(subject: set[str]) -> int:
        if not _is_of(said[at], subject):
            return 0
        low = high = at
        while low > 0 and _is_of(said[low - 1], subject):
            low -= 1
        while high + 1 < len(said) and _is_of(said[high + 1], subject):
            high += 1
        return high - low + 1

    lengths = {name: run(subject) for name, subject in subjects.items()}
    best = max(lengths, key=lambda name: lengths[name], default="")
    return best if best and lengths[best] else ""


def _is_of(said: tuple[int, str], subject: set[str]) -> bool:
    count, word = said
    return word in subject or (not count and stem(word) in subject)


def _read(text: str) -> list[tuple[int, str]]:
    """The words of a sentence, each with its number, 0 where it is none; a number of coins counts nothing."""
    said, found, at = words(text), list[tuple[int, str]](), 0
    while at < len(said):
        number, length = _number(said, at)
        after = said[at + length] if at + length < len(said) else ""
        if number and after in _COIN_WORDS:
            at += length + 1
            continue
        found.append((number, said[at]))
        at += max(length, 1)
    return found


def _number(said: Sequence[str], at: int) -> tuple[int, int]:
    """The number that begins at a word, and how many words it takes; 0 and 0 where none does."""
    if list(said[at : at + 3]) == ["half", "a", "dozen"]:
        return 6, 3
    skip = int(said[at] == "a" and not {*said[at + 1 : at + 2]}.isdisjoint(_GROUPS))
    word, after = _TIMES.sub("", said[at + skip]), said[at + skip + 1 : at + skip + 2]
    number = int(word) if word.isdecimal() and len(word) < 4 else NUMBERS.get(word, 0)
    if not number:
        return 0, 0
    if after == ["dozen"]:
        return number * 12, 2
    if number >= 20 and number % 10 == 0 and after and 0 < NUMBERS.get(after[0], 0) < 10:
        return number + NUMBERS[after[0]], 2
    return number, skip + 1
