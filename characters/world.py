"""A world: what everybody in it could know, and the names that belong to it.

The fields follow LeMoNPC's world description (political organisation, powers, important and
marginalised people), with places, a calendar and a list of names. The names double as stand-ins:
where a training row would carry a real person's name, it carries one of these.
"""

from typing import Literal

from pydantic import Field

from characters.fields import OptionalText, Owned, ShortText, Strict, Text


class WorldPerson(Owned):
    """Somebody people have heard of."""

    name: ShortText
    about: Text


class WorldGroup(Owned):
    """A group the world pushes to its edges, and how."""

    name: ShortText
    about: Text


class Place(Owned):
    """A place, what it is, and how one gets there."""

    name: ShortText
    about: Text
    way: OptionalText = ""


class Calendar(Strict):
    """How the world counts its days, and what day it is at the start."""

    months: tuple[ShortText, ...] = ()
    date: ShortText


class Lore(Owned):
    """Anything else worth knowing, under a topic people would ask about."""

    topic: ShortText
    text: Text


class World(Strict):
    """One world file."""

    schema_version: Literal[1] = 1
    name: ShortText
    description: Text
    political_organisation: Text
    powers: tuple[WorldGroup, ...] = ()
    important_people: tuple[WorldPerson, ...] = ()
    marginalised_groups: tuple[WorldGroup, ...] = ()
    important_marginalised_people: tuple[WorldPerson, ...] = ()
    places: tuple[Place, ...] = ()
    calendar: Calendar
    lore: tuple[Lore, ...] = ()
    names: tuple[ShortText, ...] = Field(min_length=8)
