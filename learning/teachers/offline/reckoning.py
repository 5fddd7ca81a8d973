"""Coins at the offline teacher's tables: sums at hand, what a table owes, and a price that was told before."""

import random
from collections.abc import Sequence

from characters.bill import wares_of
from characters.knowledge import KnownFact
from characters.messages import Fact
from learning.teachers.offline.answering import Voice

OWING = "what do we owe you?"
ASKING = (
    "what do (I|we) owe you(| now|, {npc}|| then| altogether)?", "(the bill|my tab|the reckoning)(, please|, {npc}|, then|)(.|!|)",
    "(let's|let me|I'd like to|time to|we should) settle (up|the bill|our tab)(.|, {npc}.|)", "how much (is it|is that|) altogether?",
    "what does (it|that|this) all come to?", "and how much for everything?", "what's the damage(|, {npc}| then)?", "(can you |please |)add (it|that) up(| for me| for us)(.|)",
    "(so |and |)what (is it|is that|) all told?", "I'll pay for everything(.| now.) How much (is it|is that|) in total?",
    "(right|well|good), what do we owe you?", "how much do I owe you(| by now| so far)?",
)  # fmt: skip
_TELLING = (
    "That's {total}(, {addr}|) altogether.", "{total}(, {addr}|).", "For {names}? {total}.", "You had {names}. {total}, {addr}.",
    "{total} for (all of it|everything|the lot).", "It all comes to {total}(, {addr}|).", "It was {names}. That makes {total}.",
    "(All together|In all), {total}.",
)  # fmt: skip
_NOTHING = (
    "You owe me nothing(, {addr}|).", "Nothing yet, {addr}.", "You haven't bought a thing, {addr}.", "There's no bill, {addr}. You took nothing.",
    "Nothing. Not a coin so far.",
)  # fmt: skip
_AGAIN = (
    "I told you: {price}.", "{price}, as I said(, {addr}|).", "Still {price}, however often you ask.", "You've asked that before, {addr}. {price}.",
    "My answer is the same: {price}.", "Again? {price}, {addr}, and not a coin less.",
)  # fmt: skip


def owed(rng: random.Random, voice: Voice, at_hand: Sequence[Fact]) -> str | None:
    """The answer to "what do we owe you?"; None where something else is at hand."""
    if not at_hand:
        return voice.dress(rng, voice.fill(rng, rng.choice(_NOTHING)))
    if at_hand[0].key != "sum.bill":
        return None
    total, _, names = at_hand[0].text.removeprefix("bill: ").partition(". For ")
    return voice.dress(rng, voice.fill(rng, rng.choice(_TELLING), names=names.rstrip("."), total=total))


def insisted(rng: random.Random, voice: Voice, ware: KnownFact) -> str:
    """The answer to a second try at the same price."""
    price = ware.fact.text.removeprefix(ware.subject + ": ").partition(". ")[0].rstrip(".")
    return voice.dress(rng, voice.fill(rng, rng.choice(_AGAIN), price=price))


def sum_of(at_hand: Sequence[Fact]) -> str:
    """The text of a worked-out sum of one ware at hand, or nothing."""
    return next((fact.text for fact in at_hand if len(wares_of(fact)) == 1), "")


def names(thing: str, text: str) -> bool:
    """Whether any longer word of a thing stands in a text; then "unknown" would be untrue."""
    low = text.casefold()
    return any(word in low for word in thing.casefold().split() if len(word) > 3)
