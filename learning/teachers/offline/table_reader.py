"""The table reader: asks for what a document's own lists, tables and sentences say, and answers with them.

It invents nothing and understands nothing: a recipe is asked for as recipes are, a price as prices are,
and the answer is the entry itself in the NPC's manner.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from characters.knowledge import KnownFact
from characters.messages import Fact
from characters.prompt import Part, clean
from learning.teachers.offline.acting import manner_of
from learning.teachers.offline.answering import Voice, answer
from learning.teachers.offline.asking import QUESTIONS
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.wrapping import as_asked

_KINDS = {"recipe": ("recipe", "recipe"), "price": ("price", "ware"), "prose": ("topic", "knowledge")}
_TRIES = 20


@dataclass(frozen=True)
class Told:
    """One thing a document says, as a fact in the words sheets use."""

    form: Literal["recipe", "price", "prose"]
    subject: str
    fact: str


def pairs_of(npc: Part, told: Sequence[Told], count: int, seed: int) -> list[tuple[str, str]]:
    """So many different questions with their answers, or fewer where there is too little to ask.

    Args:
        told: what the document says; every entry is asked for in turn.
    """
    rng = random.Random(f"table {seed}")
    voice = Voice(npc.sheet, manner_of(npc.sheet), npc.world)
    found: dict[str, str] = {}
    for number in range(count if told else 0):
        entry = told[number % len(told)]
        for _ in range(_TRIES):
            question = _asked(rng, npc, entry)
            if question.casefold() not in {asked.casefold() for asked in found}:
                found[question] = _answered(rng, voice, entry)
                break
    return list(found.items())


def _asked(rng: random.Random, npc: Part, entry: Told) -> str:
    pattern = as_asked(rng, rng.choice(QUESTIONS[_KINDS[entry.form][0]]), ())
    text = expand(rng, pattern, npc=npc.sheet.first_name, n="two", x=entry.subject)
    return roughen(rng, capital(text) if rng.random() < 0.8 else text)


def _answered(rng: random.Random, voice: Voice, entry: Told) -> str:
    kind, category = _KINDS[entry.form]
    known = KnownFact(Fact(entry.subject, entry.fact), category, entry.subject)
    return clean(answer(rng, voice, kind, known))
