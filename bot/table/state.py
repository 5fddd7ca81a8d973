"""Where a table stands: campaign, evening, scene, and who has the word.

Shared by the use cases; all of it is in the database, so a table that is opened again goes on
where it stopped.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.errors import TableError
from bot.table.limits import Limits
from bot.table.watching import Watchers
from characters.inference.engine import Engine, Sampling
from characters.knowing import When
from characters.library import Library
from characters.messages import Scene, Turn
from db.store import Store
from db.values import Person


@dataclass(frozen=True)
class Hand:
    """Whose hand is at work, and through what its words reach the table (a source of `db.provenance`)."""

    person: Person
    source: str = "local"

    @property
    def gm(self) -> bool:
        """Whether it is the GM's."""
        return self.person.role == "gm"


@dataclass
class State:
    """One open table.

    Attributes:
        person: who opened it; acts wherever no other hand is named.
        chosen: whom the GM gave the word by name; what is said goes to nobody else unless that one is called.
        people: everybody who sat down in this scene, name by key.
        directions: what the GM wants of an NPC's next line.
        loosened: secrets the GM opened since an NPC's last line, by NPC.
        writing: held while a turn is appended, so that turns stand in the order in which they were said.
        place: where the table stands, such as a channel; "" for the machine's own.
        story: how far the campaign has come, this scene included.
        loaded: adapters in the engine, shared by all tables of one engine.
        made_up_at: the place whose settings keep whom the GM made up; "" where nothing of it is kept.
        earlier: what was said before this table listened, as a program that brings its own history has
            it; read before all else, and never stored.
    """

    store: Store
    engine: Engine
    library: Library
    clock: Callable[[], datetime]
    rng: random.Random
    sampling: Sampling
    system_budget: int
    campaign: int
    person: Person
    evening: int
    scene_id: int
    scene: Scene
    present: list[str] = field(default_factory=list)
    speaker: str | None = None
    chosen: str | None = None
    loaded: list[str] = field(default_factory=list)
    swap: Literal["scene", "line"] = "line"
    place: str = ""
    people: dict[str, str] = field(default_factory=dict)
    directions: dict[str, str] = field(default_factory=dict)
    loosened: dict[str, set[str]] = field(default_factory=dict)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    limits: Limits = field(default_factory=Limits)
    watchers: Watchers = field(default_factory=Watchers)
    made_up_at: str = ""
    story: When = When()
    earlier: tuple[Turn, ...] = ()

    @property
    def hand(self) -> Hand:
        """The hand of whoever opened the table."""
        return Hand(self.person)

    def find(self, name: str) -> str:
        """The slug for what somebody typed at a table: a slug, a first name or a full name.

        Raises:
            SheetError: there is none; the nearest is named.
        """
        return self.library.find(name, listed="/npc list")

    def need_speaker(self) -> str:
        """The NPC that has the word.

        Raises:
            TableError: nobody is there.
        """
        if self.speaker is None:
            raise TableError("Nobody is here to answer; summon someone with `/npc summon NAME` (see `/npc list`).")
        return self.speaker
