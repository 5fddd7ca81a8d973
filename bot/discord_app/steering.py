"""A running session seen and steered from the studio: what the GM does there is shown in the channel."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import discord

from bot.discord_app.catalogue import DEFAULT, words
from bot.discord_app.errors import Refusal
from bot.discord_app.lines import plain
from bot.discord_app.rooms import Room, Rooms
from bot.discord_app.stage import Stage
from bot.errors import TableError
from bot.table.events import Line
from bot.table.state import Hand
from bot.table.table import Seat, Table
from characters.errors import UnderstudyError

_LOOK = 2.0  # seconds between two looks at which servers the bot is in
_MOST_SERVERS = 25  # a studio is for one GM's machine


class Steering:
    """One channel's table, for somebody who sits elsewhere."""

    def __init__(self, stage: Stage, room: Room, channel: Any) -> None:
        self._stage, self._room, self._channel = stage, room, channel

    async def say(self, table: Table, text: str, by: Hand) -> None:
        """Say something in the channel as the GM, and let whoever is addressed answer there."""
        asked = await table.hear(text, by=by)
        with _explained():
            await self._stage.announce(self._channel, f"**{plain(by.person.name)}**: {plain(text)}")
            await self._stage.answer(self._room, self._channel, asked)

    async def another_take(self, table: Table, line: int, by: Hand) -> None:
        """Say a line another way, in the message where it stands."""
        stored = await table.correcting.line(line, finished=False)
        events = table.another_take(line, by=by)
        with _explained():
            await self._stage.another_take(self._room, self._channel, events, stored)

    async def shown(self, table: Table, line: Line) -> None:
        """Show a line the GM wrote, or the words that stand in its place now."""
        with _explained():
            await self._stage.show(self._room, self._channel, line)

    async def struck(self, table: Table, line: int) -> None:
        """Strike a line that is no longer canon."""
        with _explained():
            await self._stage.strike(self._room, self._channel, line)

    async def stopped(self, table: Table, line: int) -> None:
        """✖: the line goes from the channel, as it does when somebody stops it there."""
        with _explained():
            await self._stage.take_back(self._room, self._channel, line)

    async def told(self, table: Table, text: str) -> None:
        """Tell the channel something that is nobody's line."""
        with _explained():
            await self._stage.announce(self._channel, text)

    async def hush(self, table: Table) -> None:
        """Silence: the line that runs, and those that wait."""
        self._room.hush()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say what the channel or the bot refuses in words, for whoever sits at the page."""
    try:
        yield
    except Refusal as refused:
        raise TableError(words(DEFAULT, refused.key, **refused.fields)) from refused
    except discord.HTTPException as error:
        raise TableError(words(DEFAULT, "error.forbidden", what=error.text or error.status)) from error


def open_channels(stage: Stage, client: discord.Client) -> Iterator[tuple[str, str, Table, Steering]]:
    """The channels with an open table: key, name, table, and how to steer it."""
    for room in stage.desk.rooms:
        channel = client.get_channel(room.channel)
        if channel is None:
            continue
        guild = getattr(channel, "guild", None)
        name = f"#{getattr(channel, 'name', room.channel)}" + (f" · {guild.name}" if guild else "")
        yield str(room.channel), name, room.table, Steering(stage, room, channel)


class BackRooms:
    """A table for every server that is no channel's: there the GM reviews and promotes while nobody plays."""

    def __init__(self, rooms: Rooms, client: discord.Client, gm: str) -> None:
        self._rooms, self._client, self._gm = rooms, client, gm
        self._open: dict[str, tuple[int, str, Table]] = {}  # by campaign, which servers may share

    def __iter__(self) -> Iterator[tuple[str, str, Table]]:
        """Key, name and table of each."""
        for guild, name, table in self._open.values():
            yield f"server-{guild}", f"{name}, behind the scenes", table

    async def keep(self) -> None:
        """Open one for every server the bot is in, until cancelled."""
        while True:
            for guild in self._client.guilds[:_MOST_SERVERS]:
                campaign = self._rooms.campaign(guild.id)
                if campaign not in self._open:
                    with contextlib.suppress(UnderstudyError):  # a database that is busy now is not in a moment
                        table = await self._rooms.back_room(guild.id, Seat(self._gm))
                        self._open[campaign] = guild.id, guild.name, table
            await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """Get up from all of them."""
        for _, _, table in self._open.values():
            await table.speaking.close()
            await table.leave()
        self._open.clear()
