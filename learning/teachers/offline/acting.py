"""Scenes to order: the offline generator plays with a given NPC what a grid cell asks for.

Question and answer of one exchange come from the same play, so the generator knows the truth of what it
says. A scene is played anew for every one of its lines, and is the same each time.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from characters.messages import Scene
from characters.prompt import Part, estimate_tokens
from characters.sheet import Sheet
from characters.system_text import system_text
from characters.words import terms
from learning.teachers.offline.answering import Voice
from learning.teachers.offline.dialogue import Evening, Exchange
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.manners import MANNERS, Manner

# What a remark may be, by what is wanted of it; kinds of `dialogue`, remarks after a colon.
KINDS = {
    "ordinary": ("name", "trade", "wares", "price", "price", "recipe", "quest", "topic", "topic", "opinion", "person",
                 "place", "where", "group", "past", "goal", "value", "motto", ":greeting"),
    "off-distribution": (":weather", ":joke", ":song", ":nonsense", ":wellbeing", ":compliment"),
    "protective": (":machine", "modern", "unknown", "secret", "private"),
    "hostile": (":insult", ":threat", "haggle", ":insult", ":threat"),
    "ignorant": ("unknown", "modern", "strange", "unknown"),
}  # fmt: skip
_SYSTEM = 700
_TRIES = 40
_PLAIN = Manner("plain", ("",), ("friend", "stranger"), ("",), ("",), {})


@dataclass(frozen=True)
class Played:
    """One exchange of a scene: what was asked, and what the NPC says to it."""

    asked: str
    line: str


@lru_cache(maxsize=256)
def play(part: Part, scene: Scene, speaker: str, kinds: tuple[str, ...], seed: int) -> tuple[Played, ...]:
    """Play a scene, one exchange for each wish; shorter where the sheet has nothing to play with.

    Args:
        speaker: who asks.
        kinds: what each exchange is to be, by the names of `KINDS`.
    """
    rng = random.Random(seed)
    voice = Voice(part.sheet, manner_of(part.sheet), part.world)
    known = part.as_known()
    system = system_text(known.sheet, known.world, scene, part.memory, _SYSTEM, estimate_tokens)
    evening = Evening(rng, Inventor(rng), part, voice, [speaker], system)
    for kind in kinds:
        if not _played(evening, rng, KINDS[kind]):
            break
    return tuple(_said(exchange) for exchange in evening.exchanges)


def _played(evening: Evening, rng: random.Random, kinds: Sequence[str]) -> bool:
    for _ in range(_TRIES):
        kind = rng.choice(kinds)
        if evening.remark(kind[1:]) if kind.startswith(":") else evening.ask_about(kind):
            return True
    return False


def _said(exchange: Exchange) -> Played:
    return Played(exchange.question.text, exchange.reply.text)


def manner_of(sheet: Sheet) -> Manner:
    """The manner whose description is nearest to a sheet's voice; a plain one where none is near."""
    voice = set(terms(sheet.speech.voice))
    near = [max(len(voice & set(terms(told))) for told in manner.voices) for manner in MANNERS]
    return MANNERS[near.index(max(near))] if max(near) > 0 else _PLAIN
