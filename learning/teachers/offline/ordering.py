"""A round at the counter: players order one thing after another, talk in between, and settle up.

Most evenings of play have one, and every part of it leans on another: "two of those" on the ware
before it, the reckoning on everything that was taken. So it is played through as a whole.
"""

import random

from characters.bill import wares_of
from characters.knowledge import KnownFact
from characters.messages import Fact
from learning.teachers.offline.answering import answer
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.plans import NUMBERS
from learning.teachers.offline.reckoning import sum_of
from learning.teachers.offline.recollecting import Talk

_ONE = (
    "(a|one|the) {x}, please(.|, {npc}.|)", "(bring|get|fetch|pour) (me|us) (a|the) {x}(.|, would you.|)", "(I'd like|I'll have|let me have) (a|the|some) {x}(.|, please.)",
    "and (a|the) {x} (too|as well)(, please|)(.|)", "we'll (have|take) the {x} (too|as well|then).", "another {x}(, please|).", "sell me (a|the|that) {x}.",
    "I'll take the {x}.", "give (me|us) (a|that) {x}(, {npc}|).",
)  # fmt: skip
_SEVERAL = (
    "{n} {x}(, please|)(.|!)", "(bring|get|fetch|pour) us {n} {x}(.|, and be quick.|, would you?)", "{n} of (your|the) {x}, (please|then)(.|)",
    "(we'd like|we'll take|we'll have|I'll take) {n} {x}(.|, please.|)", "and {n} {x} (too|as well)(, please|)(.|)", "{n} {x} for (us|the table|my friends), please.",
    "give (me|us) {n} {x}(.|, {npc}.)",
)  # fmt: skip
_OF_IT = ("I'll take {n}(.|, please.|, then.)", "make it {n}(.|, please.)", "{n} of (them|those), (please|then)(.|)", "{n}, please(.|)", "give us {n}(.|, then.)", "we'll (have|take) {n}(.|, please.)")
_TOGETHER = (
    "{n} {x} and (a|one|the) {y}(, please|)(.|!|)", "(a|one|the) {x} and {n} {y}(, please|)(.|!|)", "(a|the) {x} and (a|the) {y}, please(.|, {npc}.)",
    "(bring|get|give|pour) us {n} {x} and {m} {y}(.|, please.|)", "(I'll|we'll) (take|have) {n} {x} and (a|the|{m}) {y}(.|, please.|)",
    "(can|could) (I|we) have {n} {x} and (a|the) {y}?",
)  # fmt: skip
_IN_ALL = ("That makes {total}(, {addr}|) (together|in all).", "{had}? {total} together.", "(Done|Sold). {total} together.", "{total} for {had}(, {addr}|).", "That makes {total}(, {addr}|).")
_PAYING = (
    "here's (your|the) (coin|money)(.|, and keep the change.|)", "(here you are|there you go). (keep the change|we're even)(.|, {npc}.)", "I pay (what we owe|the bill|you)(.|)",
    "I (put|lay|count) the (coins|money) (on the table|down)(.|)",
)  # fmt: skip
_PAID = (
    "Thank you, {addr}. Come again.", "Right to the last coin. Thank you, {addr}.", "My thanks, {addr}. We're even.", "Paid in full, {addr}. Come back soon.",
    "Good coin, {addr}. Thank you.", "That's us even, {addr}.",
)  # fmt: skip
_BETWEEN = ("chat", "chat", "topic", "social", "person", "wares", "unknown", "name")


def tab(evening: Talk, wares: list[KnownFact]) -> bool:
    """Order one to three of the wares, talk, ask for the reckoning, and pay, each by chance.

    Returns:
        Whether anything was said.
    """
    rng = evening.rng
    if not wares:
        return False
    said = rng.random() < 0.3 and evening.ask_about("wares")
    if len(wares) > 1 and rng.random() < 0.4:
        said = _together(evening, *rng.sample(wares, 2)) or said
    for ware in rng.sample(wares, min(len(wares), rng.choice((0, 1, 2, 2, 3)))):
        said = _ordered(evening, ware) or said
        if rng.random() < 0.3:
            evening.ask_about(rng.choice(_BETWEEN))
    said = evening.ask_about("bill") or said
    if rng.random() < 0.4:
        _paid(evening)
    return said


def _ordered(evening: Talk, ware: KnownFact) -> bool:
    """One ware, taken at once or after its price."""
    rng = evening.rng
    roll = rng.random()
    if roll < 0.3:
        return _say(evening, ware, "buy", _ONE)
    if roll < 0.6:
        return _say(evening, ware, "buy_n", _SEVERAL)
    asked = evening.ask("price", evening.phrase("price", x=ware.subject), lambda hand: _answered(evening, ware, "price", hand), ware.fact.text)
    if not asked:
        return False
    if rng.random() < 0.25:
        evening.ask_about("chat")
    return _say(evening, ware, "buy_n", _OF_IT) if rng.random() < 0.6 else _say(evening, ware, "buy_it", ())


def _together(evening: Talk, one: KnownFact, other: KnownFact) -> bool:
    """Two wares in one order; the sum of both is at hand, or there is no answer."""
    rng = evening.rng
    asked = _typed(evening, _TOGETHER, x=one.subject, y=other.subject, m=rng.choice(NUMBERS))

    def reply(hand: tuple[Fact, ...]) -> str | None:
        both = next((fact for fact in hand if len(wares_of(fact)) > 1), None)
        if both is None:
            return None
        had, _, total = both.text.partition(" together: ")
        return evening.voice.dress(rng, evening.voice.fill(rng, rng.choice(_IN_ALL), had=had, total=total.rstrip(".")))

    return evening.ask("buy_n", asked, reply, one.fact.text)


def _say(evening: Talk, ware: KnownFact, kind: str, patterns: tuple[str, ...]) -> bool:
    asked = _typed(evening, patterns, x=ware.subject) if patterns else evening.phrase(kind, x=ware.subject)
    return evening.ask(kind, asked, lambda hand: _answered(evening, ware, kind, hand), ware.fact.text)


def _typed(evening: Talk, patterns: tuple[str, ...], **slots: str) -> str:
    rng = evening.rng
    text = expand(rng, rng.choice(patterns), n=rng.choice(NUMBERS), npc=evening.part.sheet.first_name, **slots)
    return roughen(rng, capital(text) if rng.random() < 0.6 else text)


def _answered(evening: Talk, ware: KnownFact, kind: str, hand: tuple[Fact, ...]) -> str | None:
    """The answer to an order; None where the ware, or the sum for several, is not at hand."""
    total = sum_of(hand)
    if ware.fact not in hand or (kind == "buy_n") != bool(total):
        return None
    return answer(evening.rng, evening.voice, kind, ware, total)


def _paid(evening: Talk) -> bool:
    """Coin on the table; what was paid is at hand, or nothing is."""
    rng: random.Random = evening.rng
    thanks = evening.voice.dress(rng, evening.voice.fill(rng, rng.choice(_PAID)))
    return evening.ask("paid", _typed(evening, _PAYING),
                       lambda hand: thanks if all(fact.source == "sum" for fact in hand) else None)  # fmt: skip
