"""Exams of the shipped NPCs and of a small one, made once a test run."""

from functools import lru_cache

from characters.library import Library
from characters.prompt import Part
from learning.exam.items import every_item, make_items
from learning.exam.values import EVERY, Item
from tests.fakes.people import make_sheet, make_world

LIBRARY = Library()


@lru_cache
def pool(npc: str) -> tuple[Item, ...]:
    """Every item an NPC could be asked."""
    sheet = LIBRARY.get(npc)
    others = [LIBRARY.get(other) for other in LIBRARY.slugs() if other != npc]
    return every_item(sheet, LIBRARY.world(sheet.world), 1, others=others, knower=npc)


@lru_cache
def exam_of(npc: str, *, whole: bool = False) -> tuple[Item, ...]:
    """An NPC's exam: that of every night, or the whole."""
    sheet = LIBRARY.get(npc)
    others = [LIBRARY.get(other) for other in LIBRARY.slugs() if other != npc]
    more = {"categories": EVERY} if whole else {}
    return make_items(sheet, LIBRARY.world(sheet.world), 1, others=others, knower=npc, **more)


def small_exam(**changes: object) -> tuple[Item, ...]:
    return make_items(make_sheet(**changes), make_world(), 1)


def part() -> Part:
    return Part("mira", make_sheet(), make_world())
