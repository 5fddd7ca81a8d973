"""The stage: an NPC's line, from its turn at the model to the message everybody sees.

The first sentence is shown as soon as it is whole, and the message grows by edits that keep their
distance; the last edit is always made. Which message carries which line is stored with the first
one, so a reaction given while the line still grows finds it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, cast

import discord

from bot.discord_app.desk import Desk
from bot.discord_app.errors import Refusal
from bot.discord_app.lines import MOST, first_sentence, quoted, split
from bot.discord_app.personas import Face
from bot.discord_app.rooms import Newest, Room
from bot.table.bounds import LimitCrossed, last_line, within_limits
from bot.table.events import Again, Event, Line, Piece
from bot.table.table import Asked
from characters.errors import UnderstudyError
from db.queries import lines, places
from db.values import StoredTake, StoredTurn

Waiting = Callable[[int], Awaitable[None]]
Draft = Callable[["Stage", discord.Guild, int, Line, str], Awaitable[None]]
_SHOWN_WHILE_GROWING = 1500


class StageClient(discord.AutoShardedClient):
    """A client with a stage."""

    stage: "Stage"


Interaction = discord.Interaction[StageClient]


def stage_of(interaction: discord.Interaction[Any]) -> "Stage":
    """The stage of whoever received an interaction."""
    return cast(StageClient, interaction.client).stage


class Stage:
    """Where lines are spoken and shown.

    Args:
        controls: makes the controls of a line; None where a line has none.
        draft: puts a line before the GM, in channels where lines wait for that.
    """

    def __init__(self, desk: Desk, controls: Callable[[int], discord.ui.View | None], draft: Draft) -> None:
        self.desk = desk
        self.controls = controls
        self._draft = draft
        self.withdrawn: set[int] = set()  # lines somebody took back while they were spoken

    # --- speaking ----------------------------------------------------------------------------

    async def answer(self, room: Room, channel: Any, asked: Asked, waiting: Waiting | None = None) -> Line | None:
        """Let an NPC answer what was said, and show it."""
        if asked.npc is None:
            return None
        hushes = room.hushes
        async with self._turn(room, waiting):
            if room.hushes != hushes:
                return None  # all were silenced while this one waited
            room.table.state.need_speaker()
            head = _above(asked.turn)
            showing = Showing(self.desk, room, channel, self.desk.face(room, asked.npc), head)
            events = room.table.speaking.answer(asked.npc, asked.turn)
            if await self.desk.previews(room.channel):
                await self._to_the_gm(room, channel, events, asked.turn.text)
                return None
            return await self._perform(room, channel, showing, self._within_limits(room, asked.npc, asked.turn, events))

    async def another_take(self, room: Room, channel: Any, events: AsyncGenerator[Event, None], line: StoredTurn,
                           waiting: Waiting | None = None) -> Line | None:  # fmt: skip
        """Say a line another way, in the place where it stands."""
        async with self._turn(room, waiting):
            if await self.desk.previews(room.channel):
                await self._to_the_gm(room, channel, events, await room.table.correcting.asked(line))
                return None
            npc = line.npc or ""
            showing = Showing(self.desk, room, channel, self.desk.face(room, npc), await self.head(line))
            showing.stand_on([int(carried.message) for carried in await self.messages(line.id)])
            async with room.table.state.store.session() as session:
                said = await lines.turn(session, line.answers or 0)
            checked = self._within_limits(room, npc, said, events, before=line.kept) if said else events
            return await self._perform(room, channel, showing, checked)

    async def _to_the_gm(self, room: Room, channel: Any, events: AsyncGenerator[Event, None], asked: str) -> None:
        """A line that waits: the GM sees it, and nobody else."""
        line = await last_line(events)
        if line is not None and line.text:
            await self._draft(self, channel.guild, room.channel, line, asked)

    async def _within_limits(
        self, room: Room, npc: str, said: StoredTurn, events: AsyncGenerator[Event, None], before: int | None = None
    ) -> AsyncGenerator[Event, None]:
        """Pass a line on; where the table has lines and veils, only as a whole, and only if it crosses none.

        Args:
            before: the take that stands, to go back to.
        """
        try:
            async with contextlib.aclosing(within_limits(room.table, npc, said, events, before)) as checked:
                async for event in checked:
                    yield event
        except LimitCrossed as crossed:
            raise Refusal("limits.silent", name=crossed.name) from crossed

    @contextlib.asynccontextmanager
    async def _turn(self, room: Room, waiting: Waiting | None) -> AsyncIterator[None]:
        if self.desk.closing:
            raise Refusal("error.closing")
        ahead = self.desk.queue.ahead(room.channel)
        if waiting is not None:
            await waiting(ahead)
        async with self.desk.queue.turn(room.channel):
            yield

    async def _perform(
        self, room: Room, channel: Any, showing: "Showing", events: AsyncGenerator[Event, None]
    ) -> Line | None:
        line: Line | None = None
        await self._newest(room)  # before there is a newer one
        async with typing(channel), contextlib.aclosing(events):
            try:
                async for event in events:
                    if isinstance(event, Piece):
                        await showing.more(event)
                    elif isinstance(event, Again):
                        showing.begin_anew()
                    elif isinstance(event, Line):
                        line = event
            except UnderstudyError:
                await showing.give_up()
                raise
        if line is None or not line.text or line.line_id in self.withdrawn:
            await showing.give_up()
            return None
        await showing.end(line, self.controls(line.line_id))
        await self._make_newest(room, channel, line.line_id, showing.messages)
        if self.desk.settings.controls == "reactions":
            await self._offer_reactions(channel, showing.messages)
        return line

    async def banter(self, room: Room, channel: Any, pair: list[str], said: StoredTurn, turns: int) -> int:
        """Let two NPCs answer each other; how many lines came of it. A line that is cut ends it."""
        for number in range(turns):
            line = await self.answer(room, channel, Asked(said, pair[number % 2]))
            if line is None or line.cut:
                return number + (line is not None)
            said = StoredTurn(line.line_id, line.name, line.text, line.npc, "npc")
        return turns

    async def quietly(self, room: Room, events: AsyncGenerator[Event, None]) -> Line | None:
        """Have a line spoken that nobody sees yet."""
        async with self._turn(room, None):
            return await last_line(events)

    async def two_voices(self, room: Room, line: StoredTurn) -> tuple[StoredTake, StoredTake]:
        """A line as it stands, and as another voice says it."""
        await self.quietly(room, room.table.other_voice(line))
        takes = await room.table.correcting.takes(line)
        return next(take for take in takes if take.id == line.kept), takes[-1]

    async def show(self, room: Room, channel: Any, line: Line) -> None:
        """Show a line that was not generated: the GM's, or a correction of one that stands."""
        stored = await room.table.correcting.line(line.line_id)
        head = await self.head(stored)
        showing = Showing(self.desk, room, channel, self.desk.face(room, line.npc), head)
        showing.stand_on([int(carried.message) for carried in await self.messages(line.line_id)])
        newest = not showing.messages or (await self._newest(room)).line == line.line_id
        await showing.end(line, self.controls(line.line_id) if newest else None)
        if newest:
            await self._make_newest(room, channel, line.line_id, showing.messages)

    async def head(self, line: StoredTurn) -> str:
        """What stands above a line: the question, where nobody could see it asked."""
        if line.answers is None:
            return ""
        async with self.desk.rooms.house.store.session() as session:
            asked = await lines.turn(session, line.answers)
        return _above(asked) if asked else ""

    async def messages(self, line: int) -> list[places.Carried]:
        """The messages a line stands in."""
        async with self.desk.rooms.house.store.session() as session:
            return await places.messages_of(session, line)

    async def take_back(self, room: Room, channel: Any, line: int) -> None:
        """Remove a line's messages from the channel, and forget them."""
        if room.newest is not None and room.newest.line == line:
            room.newest = Newest()
        for carried in await self.messages(line):
            await remove(self.desk, channel, int(carried.message))

    async def strike(self, room: Room, channel: Any, line: int) -> None:
        """Strike a line through: everybody sees that it was said, and that it did not happen."""
        async with self.desk.rooms.house.store.session() as session:
            stored = await lines.turn(session, line)
        if stored is None:
            return
        parts = split(await self.head(stored) + stored.text)
        for carried, part in zip(await self.messages(line), parts, strict=False):
            await self.desk.personas.change(channel, int(carried.message), f"~~{part}~~", stored.speaker, view=None)
        if room.newest is not None and room.newest.line == line:
            room.newest = Newest()

    async def announce(self, channel: Any, text: str) -> None:
        """Say something as the bot itself."""
        await channel.send(text[:MOST], allowed_mentions=discord.AllowedMentions.none())

    async def _newest(self, room: Room) -> Newest:
        """The newest line of a channel; after a restart the database knows it."""
        if room.newest is None:
            async with self.desk.rooms.house.store.session() as session:
                line = await places.newest_line(session, room.place) or 0
                carried = await places.messages_of(session, line)
            room.newest = Newest(line, tuple(int(one.message) for one in carried))
        return room.newest

    async def _make_newest(self, room: Room, channel: Any, line: int, messages: list[int]) -> None:
        """Let a line be the newest, and take the controls from the one before; only the newest has them."""
        before, room.newest = await self._newest(room), Newest(line, tuple(messages))
        if not before.messages or before.line == line or self.desk.settings.controls == "reactions":
            return
        with contextlib.suppress(discord.HTTPException):  # old controls are a blemish, not a fault
            name = room.table.state.speaker or ""
            await self.desk.personas.change(channel, before.messages[-1], None, name, view=None)

    async def _offer_reactions(self, channel: Any, messages: list[int]) -> None:
        with contextlib.suppress(discord.HTTPException):
            for emoji in ("👍", "👎", "✖️"):
                await channel.get_partial_message(messages[-1]).add_reaction(emoji)


def _above(asked: StoredTurn) -> str:
    """A question as it stands above its answer, where nobody could see it asked."""
    unseen = asked.source in {"interaction", "gm"} and asked.npc is None and asked.text
    return quoted(asked.speaker, asked.text) if unseen else ""


class Showing:
    """One line while it appears, in as many messages as it needs.

    Attributes:
        messages: the messages it stands in, in order.
    """

    def __init__(self, desk: Desk, room: Room, channel: Any, face: Face, head: str) -> None:
        self._desk, self._room, self._channel, self._face, self._head = desk, room, channel, face, head
        self.messages: list[int] = []
        self._text = ""
        self._shown = ""
        self._edited = 0.0
        self._edit: asyncio.Task[None] | None = None
        self._standing = False

    def stand_on(self, messages: list[int]) -> None:
        """The line stands there already: it is changed when it is whole, not while it grows."""
        self.messages = list(messages)
        self._standing = bool(messages)

    def begin_anew(self) -> None:
        """Forget the pieces so far; what is shown stays until there is better."""
        self._text = ""

    async def more(self, piece: Piece) -> None:
        """Take the next piece; show it when it is time."""
        self._text += piece.text
        mode = self._desk.settings.stream
        if mode == "whole" or self._standing:
            return
        if mode == "sentences":
            await self._finished_sentences(piece.line_id)
        elif not self.messages:
            if first_sentence(self._text):
                await self._send(piece.line_id, self._head + self._text[:_SHOWN_WHILE_GROWING])
        elif self._may_edit():
            self._edit = asyncio.create_task(self._grow(self._head + self._text[:_SHOWN_WHILE_GROWING]))

    def _may_edit(self) -> bool:
        rested = self._now() - self._edited >= self._desk.settings.edit_seconds
        return rested and (self._edit is None or self._edit.done())

    async def _finished_sentences(self, line: int) -> None:
        """Send whole sentences as messages of their own."""
        rest = self._text[len(self._shown) :]
        cut = max(rest.rfind(mark) for mark in (". ", "! ", "? ", "… ", "\n"))
        if cut >= 0:
            sentence, self._shown = rest[: cut + 1].strip(), self._text[: len(self._shown) + cut + 1]
            if sentence:
                await self._send(line, (self._head if not self.messages else "") + sentence)

    async def _grow(self, text: str) -> None:
        self._edited = self._now()
        with contextlib.suppress(discord.HTTPException):  # the last edit tells all; one between may fail
            await self._desk.personas.change(self._channel, self.messages[0], text, self._face.name)

    async def end(self, line: Line, view: discord.ui.View | None) -> None:
        """Show the whole line, with its controls."""
        if self._edit is not None:
            await self._edit
        if self._desk.settings.stream == "sentences" and self.messages and not self._standing:
            rest = line.text[len(self._shown) :].strip()
            last = {"view": view} if view is not None else {}
            if rest:
                await self._send(line.line_id, rest, **last)
            elif last:
                await self._desk.personas.change(self._channel, self.messages[-1], None, self._face.name, **last)
            return
        parts = split(self._head + line.text)
        for number, part in enumerate(parts):
            shown: dict[str, Any] = {"view": view} if number == len(parts) - 1 else {"view": None}
            if number < len(self.messages):
                await self._desk.personas.change(self._channel, self.messages[number], part, self._face.name, **shown)
            else:
                await self._send(line.line_id, part, **({"view": view} if shown["view"] else {}))
        for extra in self.messages[len(parts) :]:
            await remove(self._desk, self._channel, extra)
        self.messages = self.messages[: len(parts)]

    async def give_up(self) -> None:
        """Nothing came of it: what was shown of a new line goes again."""
        if self._edit is not None:
            await self._edit
        for message in [] if self._standing else self.messages:
            await remove(self._desk, self._channel, message)
        self.messages = []

    async def _send(self, line: int, text: str, **more: Any) -> None:
        message = await self._desk.personas.say(self._channel, self._face, text, **more)
        async with self._desk.rooms.house.store.session() as session:
            await places.note_message(session, str(message.id), self._room.place, line, len(self.messages))
        self.messages.append(message.id)
        self._edited = self._now()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def remove(desk: Desk, channel: Any, message: int) -> None:
    """Remove a message; it is forgotten first, so that its deletion is not taken for somebody's wish."""
    async with desk.rooms.house.store.session() as session:
        await places.forget_message(session, str(message))
    await desk.personas.take_back(channel, message)


@contextlib.asynccontextmanager
async def typing(channel: Any) -> AsyncIterator[None]:
    """Show that somebody is typing, for as long as it takes; a channel that refuses is no obstacle."""
    try:
        manager = channel.typing()
        await manager.__aenter__()
    except (discord.HTTPException, AttributeError):
        yield
        return
    try:
        yield
    finally:
        await manager.__aexit__(None, None, None)
