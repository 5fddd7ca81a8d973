"""Exams of the shipped NPCs and of a small one, made once a test run."""

from functools import lru_cache
from pathlib import Path

from characters.library import Library
from characters.prompt import Part
from characters.sheet import Sheet
from learning.exam.items import every_item, make_items
from learning.exam.values import EVERY, Item
from tests.fakes.people import make_sheet, make_world

LIBRARY = Library()
# Sheets of another hand, on which the starter is judged.
UNSEEN = Library(Path(__file__).parents[1] / "prove" / "unseen")


@lru_cache
def pool(npc: str) -> tuple[Item, ...]:
    """Every item an NPC could be asked; a home's library knows the shipped ones, too."""
    sheet = UNSEEN.get(npc)
    return every_item(sheet, UNSEEN.world(sheet.world), 1, others=others_of(npc), knower=npc)


@lru_cache
def exam_of(npc: str, *, whole: bool = False) -> tuple[Item, ...]:
    """An NPC's exam: that of every night, or the whole."""
    sheet = UNSEEN.get(npc)
    more = {"categories": EVERY} if whole else {}
    return make_items(sheet, UNSEEN.world(sheet.world), 1, others=others_of(npc), knower=npc, **more)


def others_of(npc: str) -> list[Sheet]:
    """The shipped NPCs but this one."""
    return [LIBRARY.get(other) for other in LIBRARY.slugs() if other != npc]


def small_exam(**changes: object) -> tuple[Item, ...]:
    return make_items(make_sheet(**changes), make_world(), 1)


def part() -> Part:
    return Part("mira", make_sheet(), make_world())
