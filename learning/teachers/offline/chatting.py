"""Talk that no sheet answers: a remark is taken up in its own words, and what a player told is remembered.

A remark and its answers stand together under a theme; any other sentence is taken up by one of its
words (`remarking`). What players tell (a horse's name, where they come from) is asked for again some turns later
and stands nowhere but in the conversation.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from characters.words import COMMON, STOPWORDS, stem
from learning.teachers.offline.asking_chat import TELLINGS, THEMES
from learning.teachers.offline.grammar import capital, expand
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.remarking import Remark

_NOUN = re.compile(r"\b(?:an?|the|my|your|his|her|our|this|that|some|no|of|with)\s+([a-z]{4,12})\b")
_ANY_WORD = (
    "I've had my share of {w}, {addr}.", "I know little of {w} and want no more.", "Ask the {beast} about {w}, not me.",
    "Keep the {w} away from my door.", "My mother warned me about {w}.", "{W}, at this hour? You're a strange one.",
    "I'd sooner talk of {w} than of the tax.", "I never had much luck with {w}.", "What would you do with {w}, {addr}?",
    "No {w} ever paid my debts.", "You've {w} on your mind, I see.", "There was a time when I cared about {w}.",
    "If it's {w} you want to talk about, sit down.", "{W} comes and goes, {addr}. I stay.", "I'll think about {w} tonight.",
    "Tell me more about the {w}.", "So it's {w} with you today. And tomorrow?",
)  # fmt: skip

# Where each kind of remark ends, of 1: themes, sentences of ours with any word, letters, prose by any of its words.
_THEMED, _FRAMED, _GIBBERISH, _QUOTED = 0.15, 0.70, 0.74, 1.0


@dataclass(frozen=True)
class Told:
    """What a player said of himself: how it is told, asked for again, and answered."""

    telling: str
    noted: str
    asking: str
    answer: str


def themed(rng: random.Random) -> tuple[str, str]:
    """A remark's pattern and the pattern of an answer that fits it."""
    remarks, answers = rng.choice(THEMES)
    return rng.choice(remarks), rng.choice(answers)


def taken_up(rng: random.Random, remark: str) -> tuple[str, str] | None:
    """A noun of any remark, and the pattern of an answer that takes it up; None when it has none."""
    nouns = [word for word in _NOUN.findall(remark.casefold()) if word not in STOPWORDS and stem(word) not in COMMON]
    return (rng.choice(nouns), rng.choice(_ANY_WORD)) if nouns else None


def chat(rng: random.Random, inventor: Inventor) -> Remark | None:
    """A remark of any kind; now and then None, where a sentence of prose had no word to hold on to."""
    roll = rng.random()
    if roll < _THEMED:
        return Remark(*themed(rng))
    if roll < _FRAMED:
        return inventor.remarks.framed(rng)
    if roll < _GIBBERISH:
        return inventor.remarks.gibberish(rng)
    if roll < _QUOTED or not inventor.spice.sentences:
        return inventor.remarks.quoted(rng)
    remark = rng.choice(inventor.spice.sentences)
    found = taken_up(rng, remark)
    return Remark(remark, expand(rng, found[1], w=found[0], W=found[0].capitalize())) if found else None


def told(rng: random.Random, inventor: Inventor) -> Told:
    """Something a player tells, with all that comes of it."""
    telling, noted, asking, answer, kinds = rng.choice(TELLINGS)
    thing: dict[str, Callable[[], str]] = {
        "word": inventor.word, "person": inventor.person, "place": lambda: f"the {inventor.place()}",
        "ware": lambda: f"the {inventor.ware()}", "number": lambda: str(rng.randint(2, 30)),
    }  # fmt: skip
    kind, _, what = rng.choice(kinds).partition(":")
    slots = {"t": thing[kind](), "k": what}
    made = [expand(rng, rng.choice(patterns), **slots) for patterns in (telling, noted, asking, answer)]
    return Told(made[0], capital(made[1]), made[2], capital(made[3]))
