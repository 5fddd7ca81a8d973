"""What of a sheet and its world an NPC may know by now: owners, and since when.

Everything an NPC reads is built from the copies made here, so that what it may not know is in no
part of its prompt: not among the facts, not in the system text, not in a list of wares. Secrets
are in no copy at all; an open one comes to hand as a fact of its own (`characters.conditions`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from characters.fields import Owned
from characters.sheet import Sheet
from characters.words import fold, words
from characters.world import Calendar, World

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_NUMBER = re.compile(r"(\d+)(?:st|nd|rd|th)?")
_SHEET_FIELDS = ("opinions", "knowledge", "wares", "recipes", "quests", "relations")
_WORLD_FIELDS = (
    "powers", "important_people", "marginalised_groups", "important_marginalised_people", "places", "lore"
)  # fmt: skip

OwnedFact = TypeVar("OwnedFact", bound=Owned)


@dataclass(frozen=True)
class When:
    """How far the story has come.

    Attributes:
        date: the campaign's date; "" is the day the world's calendar begins with.
        scenes: the scenes that have been, by place and reason.
    """

    date: str = ""
    scenes: tuple[str, ...] = ()


def is_owner(owners: Iterable[str], knower: str, sheet: Sheet) -> bool:
    """Whether an NPC is among the owners of a fact; a fact without owners is everybody's."""
    named = {owner.casefold() for owner in owners}
    return not named or bool(named & {knower.casefold(), sheet.name.casefold(), sheet.first_name.casefold()})


def has_come(since: str, when: When, calendar: Calendar | None) -> bool:
    """Whether a campaign date is reached, or a scene has been; what is neither has not come yet."""
    if not since:
        return True
    months = calendar.months if calendar else ()
    wanted = day_of(since, months)
    today = day_of(when.date or (calendar.date if calendar else ""), months)
    if wanted is not None and today is not None:
        both_years = wanted[0] is not None and today[0] is not None
        return (wanted[0] or 0, *wanted[1:]) <= (today[0] or 0, *today[1:]) if both_years else wanted[1:] <= today[1:]
    name = words(since)
    return bool(name) and any(_within(name, words(scene)) for scene in when.scenes)


def day_of(text: str, months: tuple[str, ...]) -> tuple[int | None, int, int] | None:
    """A date as (year if it is told, month, day), None where it names none of the months."""
    folded = fold(text)
    named = [index for index, month in enumerate(months) if re.search(rf"\b{re.escape(fold(month))}\b", folded)]
    if not named:
        return None
    numbers = [int(number) for number in _NUMBER.findall(folded)]
    spelled = [index for index, word in enumerate(_ORDINALS, 1) if word in folded.split()]
    if "twenty-" in folded or "thirty-" in folded:  # twenty-first, thirty-second
        tens = 20 if "twenty-" in folded else 30
        spelled = [tens + index for index, word in enumerate(_ORDINALS, 1) if f"-{word}" in folded]
    day = spelled[0] if spelled else next((number for number in numbers if number <= 60), 1)
    year = next((number for number in reversed(numbers) if number != day or number > 60), None)
    return year, named[-1], day


def _within(name: list[str], said: list[str]) -> bool:
    return any(said[start : start + len(name)] == name for start in range(len(said)))


@lru_cache(maxsize=256)
def known_sheet(sheet: Sheet, knower: str, when: When = When(), calendar: Calendar | None = None) -> Sheet:
    """The sheet without its secrets and without what its NPC may not know by now."""

    def kept(items: tuple[OwnedFact, ...]) -> tuple[OwnedFact, ...]:
        return tuple(
            item for item in items
            if is_owner(item.known_by, knower, sheet) and has_come(item.known_since, when, calendar)
        )  # fmt: skip

    return _with(sheet, {name: kept(getattr(sheet, name)) for name in _SHEET_FIELDS} | {"secrets": ()})


@lru_cache(maxsize=256)
def known_world(world: World, sheet: Sheet, knower: str, when: When = When()) -> World:
    """The world as far as an NPC may know it by now; the calendar shows the campaign's date."""

    def kept(items: tuple[OwnedFact, ...]) -> tuple[OwnedFact, ...]:
        return tuple(
            item for item in items
            if is_owner(item.known_by, knower, sheet) and has_come(item.known_since, when, world.calendar)
        )  # fmt: skip

    changes: dict[str, Any] = {name: kept(getattr(world, name)) for name in _WORLD_FIELDS}
    if when.date:
        changes["calendar"] = world.calendar.model_copy(update={"date": when.date})
    return _with(world, changes)


Model = TypeVar("Model", Sheet, World)


def _with(model: Model, changes: dict[str, Any]) -> Model:
    """A copy with other values; the same object where nothing changes, so that caches hold."""
    different = {name: value for name, value in changes.items() if value != getattr(model, name)}
    return model.model_copy(update=different) if different else model
