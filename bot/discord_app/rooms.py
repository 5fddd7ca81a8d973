"""Rooms: one table for every channel NPCs speak in, opened when somebody first turns up.

A server is a campaign of its own, and a channel a place in it: what is learnt is shared between
the channels of a server, what was said is not, and nothing crosses from one server to another.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.table.improvise import Ensemble, as_json
from bot.table.limits import Limits
from bot.table.state import Hand
from bot.table.table import Seat, Table
from characters.inference.engine import Engine, Sampling
from characters.library import Library
from characters.sheet import Sheet
from db.queries import lines, places
from db.settings import Settings
from db.store import Store


def guild_place(guild: int) -> str:
    """The place that stands for a whole server."""
    return f"discord:{guild}"


def channel_place(channel: int) -> str:
    """The place that stands for a channel."""
    return f"discord-channel:{channel}"


BACK_ROOM = "studio"


def person_key(user: int) -> str:
    """The key a Discord account goes by in the database."""
    return f"discord:{user}"


@dataclass(frozen=True)
class Newest:
    """A line and the messages it stands in; without any where the newest line is gone."""

    line: int = 0
    messages: tuple[int, ...] = ()


@dataclass
class Room:
    """A channel's table, and what the bot remembers of the channel while it runs.

    Attributes:
        newest: the newest line, which carries the controls; None until somebody needs to know it.
        hushes: how often all were silenced; who waited through one says nothing.
        partner: the NPC each person last spoke to, by the person's key.
    """

    guild: int
    channel: int
    table: Table
    newest: Newest | None = None
    hushes: int = 0
    partner: dict[str, str] = field(default_factory=dict)

    def hush(self) -> None:
        """Silence everybody: the line that runs, and those that wait."""
        self.hushes += 1
        self.table.hush()

    def npc(self, name: str) -> tuple[str, Sheet]:
        """The slug and the sheet of the NPC somebody means, wherever it is.

        Raises:
            SheetError: there is none of that name; the nearest is named.
        """
        slug = self.table.state.find(name)
        return slug, self.table.sheet(slug)

    @property
    def place(self) -> str:
        """The place in the database."""
        return channel_place(self.channel)


@dataclass
class House:
    """What all rooms share."""

    store: Store
    engine: Engine
    library: Library
    settings: Settings
    clock: Callable[[], datetime]
    rng: random.Random


class Rooms:
    """Opens rooms, and finds them again."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.on_night: Callable[[], bool] = lambda: False
        self._rooms: dict[int, Room] = {}
        self._libraries: dict[int, Ensemble] = {}
        self.loaded: list[str] = []  # adapters in the engine
        self._settings: dict[tuple[str, str], Any] = {}
        self._door = asyncio.Lock()

    def __iter__(self) -> Any:
        return iter(list(self._rooms.values()))

    def campaign(self, guild: int) -> str:
        """The name of a server's campaign."""
        return self.house.settings.discord.campaign or guild_place(guild)

    async def recover(self) -> int:
        """After a restart: takes that have no end were interrupted."""
        async with self.house.store.session() as session:
            return await lines.close_interrupted(session)

    async def room(self, guild: int, channel: int, seat: Seat) -> Room:
        """The room of a channel; whoever asks sits down in it."""
        async with self._door:  # people who turn up together find one room, and are known once
            if channel not in self._rooms:
                table = await self._open(guild, channel_place(channel), seat)
                self._rooms[channel] = Room(guild, channel, table)
            return self._rooms[channel]

    async def back_room(self, guild: int, seat: Seat) -> Table:
        """A server's table that is no channel's: for the studio while nobody plays; no night waits for it."""
        async with self._door:
            table = await self._open(guild, BACK_ROOM, seat)
        await table.leave()
        return table

    async def _open(self, guild: int, place: str, seat: Seat) -> Table:
        house = self.house
        table = await Table.open(
            house.store, house.engine, await self.library(guild), campaign=self.campaign(guild), seat=seat,
            clock=house.clock, rng=house.rng, sampling=Sampling(**house.settings.sampling.model_dump()),
            system_budget=house.settings.engine.system_budget, swap=house.settings.table.swap,
            place=place, recover=False,
        )  # fmt: skip
        table.state.loaded = self.loaded
        table.state.limits = await self.limits(guild)
        table.state.made_up_at = guild_place(guild)
        table.on_night = self._night
        return table

    async def limits(self, guild: int) -> Limits:
        """A server's lines and veils."""
        place = guild_place(guild)
        lines, veils = await self.setting(place, "lines", []), await self.setting(place, "veils", [])
        return Limits(tuple(lines), tuple(veils))

    async def set_limits(self, guild: int, limits: Limits) -> None:
        """Agree on lines and veils; they hold from the next line on."""
        await self.set(guild_place(guild), "lines", list(limits.lines))
        await self.set(guild_place(guild), "veils", list(limits.veils))
        for room in self:
            if room.guild == guild:
                room.table.state.limits = limits

    async def library(self, guild: int) -> Ensemble:
        """The NPCs of a server: everybody's, and those made up there."""
        if guild not in self._libraries:
            made: dict[str, Any] = await self.setting(guild_place(guild), "improvised", {})
            sheets = {slug: Sheet.model_validate(fields) for slug, fields in made.items()}
            self._libraries[guild] = Ensemble(self.house.library, sheets)
        return self._libraries[guild]

    async def add_improvised(self, guild: int, slug: str, sheet: Sheet) -> None:
        """Let an NPC that was made up join a server's."""
        library = await self.library(guild)
        library.improvised[slug] = sheet
        made = {known: as_json(one) for known, one in library.improvised.items()}
        await self.set(guild_place(guild), "improvised", made)

    def _night(self) -> bool:
        return self.on_night()

    def at(self, channel: int) -> Room | None:
        """The room of a channel if it is open."""
        return self._rooms.get(channel)

    async def hand(self, room: Room, seat: Seat, source: str) -> Hand:
        """A person's hand at a room's table; what a GM types into our own forms is the GM's."""
        async with self._door:
            person = await room.table.sit(seat)
        own = source == "interaction" and person.role == "gm" and person.consent != "refused"
        return Hand(person, "gm" if own else source)

    async def setting(self, place: str, name: str, default: Any = None) -> Any:
        """A place's own setting; asked of the database once, for nobody else makes any."""
        if (place, name) not in self._settings:
            async with self.house.store.session() as session:
                self._settings[place, name] = await places.setting(session, place, name)
        found = self._settings[place, name]
        return default if found is None else found

    async def set(self, place: str, name: str, value: Any) -> None:
        """Make a place's own setting."""
        async with self.house.store.session() as session:
            await places.set_setting(session, place, name, value)
        self._settings[place, name] = value

    async def expire_channel_text(self) -> int:
        """Empty ordinary channel text that has had its days."""
        house = self.house
        before = house.clock() - timedelta(days=house.settings.discord.keep_channel_days)
        async with house.store.session() as session:
            return await places.expire_channel_text(session, before)

    async def forget(self, key: str) -> None:
        """Forget a person in what is open now, and that they were asked."""
        async with self.house.store.session() as session:
            await places.forget_place(session, key)
        self._settings = {known: value for known, value in self._settings.items() if known[0] != key}
        for room in self:
            room.table.state.people.pop(key, None)
            room.partner.pop(key, None)

    async def close(self) -> None:
        """Get up from all tables without ending their evenings."""
        for room in self:
            await room.table.speaking.close()
            await room.table.leave()
        self._rooms.clear()
