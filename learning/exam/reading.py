"""How the exam reads a reply: the same value in any writing.

"Eight coppers", "8 cp" and "8 copper pieces" are one price; "twenty-five" and "25" are one number;
"the wolves" and "a wolf" share a stem. Everything here is a pure function of the text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from characters.words import STOPWORDS, fold, stem
from learning.filters.novelty import common_subsequence

_UNITS = {
    word: value for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen""".split()
    )
}  # fmt: skip
_TENS = {word: 10 * (place + 2) for place, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split())}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000}
_ORDINALS = {
    word: value + 1 for value, word in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
        fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()
    )
}  # fmt: skip
_COINS = {
    "copper": 1, "coppers": 1, "cp": 1, "silver": 10, "silvers": 10, "sp": 10,
    "gold": 100, "golds": 100, "gp": 100, "platinum": 1000, "pp": 1000,
}  # fmt: skip
_SHORT = 3  # letters of a stem that is another word's by chance
_FILLERS = frozenset({"piece", "pieces", "of", "good", "shiny", "coin", "coins", "whole", "fine", "honest"})
_AFTER_A_COIN = frozenset(
    "piece pieces coin coins each please and for a an per or if then friend the that to together in is it".split()
)
_NOT = frozenset({"not", "isn't", "wasn't", "ain't"})
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_ATTACHED = re.compile(r"\b(\d+)(cp|sp|gp|pp)\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_NTH = re.compile(r"(\d+)(?:st|nd|rd|th)")


@lru_cache(maxsize=8192)
def tokens(text: str) -> tuple[str, ...]:
    """The words of a text, folded; numbers as digits, ordinals as ``12th``."""
    folded = _ATTACHED.sub(r"\1 \2", _THOUSANDS.sub("", fold(text)))
    found: list[str] = []
    words = _TOKEN.findall(folded)
    at = 0
    while at < len(words):
        value, used = _number(words, at)
        if used:
            found.append(str(value))
            at += used
            continue
        word = words[at]
        if word in _ORDINALS:
            word = f"{_ORDINALS[word]}th"
        elif nth := _NTH.fullmatch(word):
            word = f"{nth[1]}th"
        found.append(word)
        at += 1
    return tuple(found)


def _number(words: Sequence[str], at: int) -> tuple[int, int]:
    """The number that begins at a word, and how many words it takes; (0, 0) for none.

    "A hundred times" and "thousands" are manners of speaking and count as none.
    """
    first = words[at]
    if first == "half" and words[at + 1 : at + 3] == ["a", "dozen"]:
        return 6, 3
    if first == "a" and at + 1 < len(words) and _coin_follows(words, at + 2):
        if words[at + 1] == "dozen":
            return 12, 2
        if words[at + 1] in _SCALES:
            return _SCALES[words[at + 1]], 2
    if first in _TENS:
        unit = _UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        value, used = (_TENS[first] + unit, 2) if 1 <= unit <= 9 else (_TENS[first], 1)
    elif first in _UNITS:
        value, used = _UNITS[first], 1
    elif first.isdigit():
        value, used = int(first[:9]), 1
    else:
        return 0, 0
    return _scaled(words, at, value, used)


def _scaled(words: Sequence[str], at: int, value: int, used: int) -> tuple[int, int]:
    """Go on reading "two hundred and twenty" after its "two"."""
    while at + used < len(words) and words[at + used] in _SCALES:
        value *= _SCALES[words[at + used]]
        used += 1
        rest = used + (words[at + used : at + used + 1] == ["and"])
        more, taken = _number(words, at + rest) if at + rest < len(words) else (0, 0)
        if taken and more < 100:
            value, used = value + more, rest + taken
    return value, used


def _coin_follows(words: Sequence[str], at: int) -> bool:
    return any(word in _COINS for word in words[at : at + 2])


def numbers(text: str) -> set[int]:
    """The numbers a text names; one is an article as often as a number, and does not count."""
    return {int(word) for word in tokens(text) if word.isdigit()} - {1}


@dataclass(frozen=True)
class Money:
    """A price found in a text, worth so many coppers, over the tokens [start, end)."""

    coppers: int
    coin: int
    start: int
    end: int


def money(text: str) -> list[Money]:
    """Every price a text names, in order; "2 gold and 5 silver" is one, "not 8 copper" none."""
    words = tokens(text)
    found: list[Money] = []
    for at, word in enumerate(words):
        amount = int(word[:9]) if word.isdigit() else 1 if word in {"a", "an"} else None
        if amount is None or (at and words[at - 1] in _NOT):
            continue
        end = at + 1
        while end < len(words) and words[end] in _FILLERS and end - at < 4:
            end += 1
        if end >= len(words) or words[end] not in _COINS:
            continue
        follows = words[end + 1] if end + 1 < len(words) else ""
        if word in {"a", "an"} and follows and follows not in _AFTER_A_COIN:
            continue  # a silver mirror is no price
        _append(found, Money(amount * _COINS[words[end]], _COINS[words[end]], at, end + 1), words)
    return _listed(found, words)


def _append(found: list[Money], new: Money, words: Sequence[str]) -> None:
    """Add a price; smaller coins joined by "and" belong to the greater ones before."""
    last = found[-1] if found else None
    if last and last.coin > new.coin and "and" in words[last.end : new.start] and new.start - last.end <= 2:
        found[-1] = Money(last.coppers + new.coppers, new.coin, last.start, new.end)
    else:
        found.append(new)


def _listed(found: Sequence[Money], words: Sequence[str]) -> list[Money]:
    """"1 gold, 2 silver and 8 copper" is one sum: a greater coin right before a price that is joined by "and"."""
    whole: list[Money] = []
    for price in found:
        last = whole[-1] if whole else None
        joined = "and" in words[price.start : price.end] and last is not None and last.end == price.start
        if last and joined and last.coin > price.coppers:
            whole[-1] = Money(last.coppers + price.coppers, price.coin, last.start, price.end)
        else:
            whole.append(price)
    return whole


def stems(text: str) -> list[str]:
    """The stems of a text's content words, in order; numbers stay."""
    return [_stem(word) for word in tokens(text) if word not in STOPWORDS and word != "1"]


def _all_stems(text: str) -> list[str]:
    return [_stem(word) for word in tokens(text)]


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    """Stem to the end, so that the stem of a stem is itself."""
    while (shorter := stem(word)) != word:
        word = shorter
    return word


def holds(text: str, phrase: str) -> bool:
    """Whether a text contains a phrase, as whole words: by value for prices, by stem for the rest."""
    return any(_holds(text, variant) for variant in phrase.split("|"))


def _holds(text: str, phrase: str) -> bool:
    wanted = money(phrase)
    if len(wanted) == 1 and wanted[0].end - wanted[0].start == len(tokens(phrase)):
        return any(said.coppers == wanted[0].coppers for said in money(text))
    said, looked_for = _all_stems(text), _without_article(_all_stems(phrase))
    width = len(looked_for)
    return bool(width) and any(said[at : at + width] == looked_for for at in range(len(said) - width + 1))


def says(text: str, word: str) -> bool:
    """Whether a text says a word in any of its forms; unlike `holds`, "wine" does not say "win"."""
    if not holds(text, word):
        return False
    wanted = tokens(word)
    if len(wanted) != 1 or len(_stem(wanted[0])) > _SHORT:
        return True
    return any(_stem(one) == _stem(wanted[0]) and _akin(one, wanted[0]) for one in tokens(text))


def _akin(one: str, other: str) -> bool:
    """Whether two words of one short stem are one word; "wine" and "win" are not."""
    short, long = sorted((one, other), key=len)
    return long.removeprefix(short) != "e" and long.removesuffix("s").removeprefix(short) != "e"


def _without_article(words: list[str]) -> list[str]:
    return words[1:] if len(words) > 1 and words[0] in {"the", "a", "an", "th"} else words


def quotes(text: str, saying: str, share: float = 0.75) -> bool:
    """Whether a text says a saying, give or take a word."""
    wanted = _all_stems(saying)
    return common_subsequence(_all_stems(text), wanted) >= max(2, share * len(wanted))


def count_held(text: str, phrases: Iterable[str], *, quoted: bool = False) -> int:
    """How many of the phrases a text holds."""
    return sum(quotes(text, phrase) if quoted else holds(text, phrase) for phrase in phrases)
