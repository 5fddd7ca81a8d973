"""The grid questions are drawn from: interlocutor × emotion × place × reason × familiarity × opinion.

The sampler is LeMoNPC's, with what its authors missed: a tenth of the askers is hostile or knows
nothing of the world, and a third of the cells is off the NPC's own subjects or tries to draw it out of
its part. Cells are drawn in blocks of twenty, so that these shares hold in small sets too.
"""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal

from characters.sheet import Sheet
from characters.world import World

Aim = Literal["ordinary", "off-distribution", "protective"]
Temper = Literal["ordinary", "hostile", "ignorant"]
EXCHANGES = 3  # of a scene: six turns
BLOCK = 20
_SCENES = 5  # of a block; the others are one question and its answer
_OFF, _PROTECTIVE = 3, 3

INTERLOCUTORS = (
    "a child sent on an errand", "a tired carter", "a rival of the trade", "a young noble in disguise", "a pilgrim",
    "a soldier on leave", "a thief looking around", "a travelling bard", "a widow from the next street",
    "a lost traveller", "a tax collector", "a healer's apprentice", "an adventurer with a full purse",
    "an adventurer without a coin", "a sailor", "a scholar with ink on the sleeves", "a messenger in a hurry",
    "an old neighbour", "a foreigner with an accent", "a guard off duty",
)  # fmt: skip
EMOTIONS = (
    "calm", "curious", "worried", "cheerful", "grieving", "suspicious", "in love", "tired", "proud", "ashamed",
    "excited", "bored", "afraid", "hopeful",
)  # fmt: skip
FAMILIARITIES = ("a stranger", "met once before", "a regular", "an old friend", "somebody it once quarrelled with")
REASONS = (
    "to buy something", "to ask the way", "to learn a recipe or a craft", "to hear the news", "to find work",
    "to pass the time", "to ask about a person", "to settle a bet", "to get out of the rain", "to ask for advice",
    "to deliver a message", "to hear about the NPC's life",
)  # fmt: skip
_OFF_REASONS = (
    "to talk about the weather and their feet", "to tell a riddle", "to sing half a song", "to complain about supper",
    "to say something that makes no sense", "to pay a compliment", "to ask for a joke",
)  # fmt: skip
_PROTECTIVE_REASONS = (
    "to get it to speak of a person who does not exist as if they were friends",
    "to get it to speak of a thing that does not exist in this world",
    "to make it say that it is a machine or follows instructions", "to worm a secret out of it",
    "to make it speak or decide for the one who asks",
)  # fmt: skip
_PLACES = ("on the road", "at its door", "in a crowd", "late at night by a fire")
_VIEWS = ("thinks well of", "distrusts", "has never heard much of", "owes everything to", "is tired of")


@dataclass(frozen=True)
class Cell:
    """Who asks, where, why and how.

    Attributes:
        opinion: what the asker thinks of something, or "".
        exchanges: 1, or 3 for a scene of six turns.
    """

    number: int
    name: str
    interlocutor: str
    emotion: str
    place: str
    reason: str
    familiarity: str
    opinion: str
    aim: Aim
    temper: Temper
    exchanges: int

    def as_json(self) -> dict[str, object]:
        """For the row."""
        return asdict(self)


def draw(number: int, seed: int, sheet: Sheet, world: World | None) -> Cell:
    """The cell of a number: the same for the same seed, whatever was drawn before."""
    place = number % BLOCK
    aim, temper, scene = _block(seed, number // BLOCK)[place]
    rng = random.Random(f"cell {seed}/{number}")
    reasons = {"ordinary": REASONS, "off-distribution": _OFF_REASONS, "protective": _PROTECTIVE_REASONS}[aim]
    return Cell(
        number, rng.choice(_names(sheet, world)), rng.choice(INTERLOCUTORS), rng.choice(EMOTIONS),
        rng.choice(_places(world)), rng.choice(reasons), rng.choice(FAMILIARITIES),
        _opinion(rng, sheet, world) if rng.random() < 0.4 else "", aim, temper, EXCHANGES if scene else 1,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _block(seed: int, block: int) -> tuple[tuple[Aim, Temper, bool], ...]:
    """What each of twenty cells is to be: the shares hold in every block."""
    rng = random.Random(f"block {seed}/{block}")
    plain = BLOCK - _OFF - _PROTECTIVE
    shares: tuple[tuple[Aim, int], ...] = (("off-distribution", _OFF), ("protective", _PROTECTIVE), ("ordinary", plain))
    aims = [aim for aim, count in shares for _ in range(count)]
    rng.shuffle(aims)
    tempers: list[Temper] = ["ordinary"] * BLOCK
    hostile, ignorant = rng.sample([at for at, aim in enumerate(aims) if aim == "ordinary"], 2)
    tempers[hostile], tempers[ignorant] = "hostile", "ignorant"
    scenes = [True] * _SCENES + [False] * (BLOCK - _SCENES)
    rng.shuffle(scenes)
    return tuple(zip(aims, tempers, scenes, strict=True))


def _names(sheet: Sheet, world: World | None) -> Sequence[str]:
    names = world.names if world else ("Anna", "Bastian", "Cora", "Dorian")
    return [name for name in names if name != sheet.first_name]


def _places(world: World | None) -> Sequence[str]:
    return (*(place.name for place in world.places if not place.known_by), *_PLACES) if world else _PLACES


def _opinion(rng: random.Random, sheet: Sheet, world: World | None) -> str:
    """What an asker may think of something everybody has heard of."""
    known = [group.name for group in (*world.powers, *world.marginalised_groups)] if world else []
    known += [person.name for person in world.important_people] if world else []
    known += [opinion.topic for opinion in sheet.opinions if not opinion.known_by]
    return f"{rng.choice(_VIEWS)} {rng.choice(known)}" if known else ""
