"""Talk that no sheet answers: a remark is taken up in its own words, and what a player told is remembered.

A remark and its answers stand together under a theme; any other sentence is taken up by one of its
words (`remarking`). What players tell (a horse's name, where they come from) is asked for again some turns later
and stands nowhere but in the conversation.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from learning.teachers.offline.asking_chat import TELLINGS, THEMES
from learning.teachers.offline.grammar import capital, expand
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.remarking import Remark

# Where each kind of remark ends, of 1: themes, sentences of ours with any word, letters; the rest is prose.
_THEMED, _FRAMED, _GIBBERISH = 0.15, 0.70, 0.74


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


def chat(rng: random.Random, inventor: Inventor) -> Remark | None:
    """A remark of any kind; now and then None, where a sentence of prose had no word to hold on to."""
    roll = rng.random()
    if roll < _THEMED:
        return Remark(*themed(rng))
    if roll < _FRAMED:
        return inventor.remarks.framed(rng)
    if roll < _GIBBERISH:
        return inventor.remarks.gibberish(rng)
    return inventor.remarks.quoted(rng)


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
