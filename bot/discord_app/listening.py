"""Ordinary messages: a mention of the bot always, everything else only in channels the GM opened.

What is read here came through Discord's gateway and is stored as `channel`: it is answered, and
never learnt from. In an open channel (table mode) people write in bursts, so the bot waits until
they pause; each message is stored at once, and the burst is answered once, if at all.
"""

import asyncio
import dataclasses
import logging
from dataclasses import dataclass, field
from typing import Any

import discord

from bot.discord_app.rooms import Room, channel_place
from bot.discord_app.stage import Stage
from bot.table.addressing import in_character, who_answers
from bot.table.state import Hand
from bot.table.table import Asked, Seat, out_of_character
from characters.errors import UnderstudyError
from db.queries import lines, places

log = logging.getLogger(__name__)

# Applications through which players speak as their characters; every other bot is left alone.
PROXIES = {466378653216014359: "PluralKit", 431544605209788416: "Tupperbox"}
_KINDS = {discord.MessageType.default, discord.MessageType.reply}
_LISTEN = "listen"


@dataclass(frozen=True)
class Heard:
    """One message of a burst."""

    message: int
    asked: Asked
    hand: Hand
    to: str | None


@dataclass
class Burst:
    """What is said in a channel until people pause."""

    began: float
    last: float
    heard: list[Heard] = field(default_factory=list)


class Listening:
    """Hears messages, their edits and their deletions."""

    def __init__(self, stage: Stage, client: discord.Client) -> None:
        self.stage = stage
        self._client = client
        self._bursts: dict[int, Burst] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearing: dict[int, asyncio.Lock] = {}

    async def open_to(self, channel: int) -> bool:
        """Whether the GM opened a channel: table mode."""
        if not self.stage.desk.settings.message_content:
            return False
        return bool(await self.stage.desk.rooms.setting(channel_place(channel), _LISTEN, default=False))

    async def hear(self, message: discord.Message) -> None:
        """Take one message; whatever is wrong with it, the next one is heard."""
        if message.guild is None or message.type not in _KINDS or not self._is_a_person(message):
            return
        me = self._client.user
        mentioned = me is not None and me in message.mentions
        try:
            # Nothing is awaited before the lock, so messages are stored in the order in which they came.
            async with self._hearing.setdefault(message.channel.id, asyncio.Lock()):
                taken = await self._store(message, mentioned=mentioned)
            if taken is not None:
                await self._respond(message, *taken)
        except UnderstudyError as error:
            log.info("A message was not answered: %s", error)
            if mentioned:
                await message.channel.send(str(error)[:1900], allowed_mentions=discord.AllowedMentions.none())

    async def _store(self, message: discord.Message, *, mentioned: bool) -> tuple[Room, Heard, bool] | None:
        """Store a message that is ours to hear; whether it is part of a burst, or asks for an answer by itself."""
        listening = await self.open_to(message.channel.id)
        to = await self._line_replied_to(message)
        text = in_character(_without_mention(message.content, self._client.user.id if self._client.user else 0))
        if not (mentioned or listening or to is not None) or not text or self.stage.desk.closing:
            return None
        rooms = self.stage.desk.rooms
        async with rooms.house.store.session() as session:
            if await places.carried(session, str(message.id)) is not None:
                return None  # heard before a connection broke, and again after it
        room, hand = await self._hand(message, text)
        asked = await room.table.hear(text, by=hand, answered=False)
        async with rooms.house.store.session() as session:
            await places.note_message(session, str(message.id), room.place, asked.turn.id)
        heard = Heard(message.id, asked, hand, to if to in room.table.state.present else None)
        return room, heard, listening and not mentioned

    async def _respond(self, message: discord.Message, room: Room, heard: Heard, gather: bool) -> None:
        """Answer, at once or when people pause; out of character nobody is asked."""
        if out_of_character(heard.asked.turn.text):
            return
        if gather:
            self._gather(room, message.channel, heard)
        else:
            await self.answer(room, message.channel, [heard], addressed=True)

    def _is_a_person(self, message: discord.Message) -> bool:
        """A player, also one who speaks through a proxy; never ourselves, and no other bot."""
        if message.webhook_id is not None:
            return message.webhook_id not in self.stage.desk.personas.own and message.application_id in PROXIES
        return not message.author.bot

    async def _line_replied_to(self, message: discord.Message) -> str | None:
        """The NPC whose line a message replies to."""
        reference = message.reference
        if reference is None or reference.message_id is None:
            return None
        async with self.stage.desk.rooms.house.store.session() as session:
            found = await places.carried(session, str(reference.message_id))
            line = await lines.turn(session, found.turn) if found else None
        return line.npc if line else None

    async def _hand(self, message: discord.Message, text: str) -> tuple[Room, Hand]:
        """Whose message it is; one that came through a proxy is its player's, under the character's name."""
        assert message.guild is not None
        rooms = self.stage.desk.rooms
        if message.webhook_id is None:
            seat = await self.stage.desk.seat(message.author)
            room = await rooms.room(message.guild.id, message.channel.id, seat)
            return room, await rooms.hand(room, seat, "channel")
        name = message.author.name
        known = rooms.at(message.channel.id)
        trigger = await self._withdraw_trigger(message.channel.id, text)
        if trigger is not None and known is not None:
            return known, Hand(dataclasses.replace(trigger.hand.person, name=name), "channel")
        seat = Seat(name, f"discord-proxy:{message.guild.id}:{name[:60]}", "player")
        room = await rooms.room(message.guild.id, message.channel.id, seat)
        return room, await rooms.hand(room, seat, "channel")

    async def _withdraw_trigger(self, channel: int, text: str) -> Heard | None:
        """The message a proxy speaks for, out of the burst and out of the story."""
        burst = self._bursts.get(channel)
        found = next((one for one in reversed(burst.heard) if text in one.asked.turn.text), None) if burst else None
        if burst is not None and found is not None:
            burst.heard.remove(found)
            await self._unsay(str(found.message), found.asked.turn.id)
        return found

    # --- bursts ------------------------------------------------------------------------------

    def _gather(self, room: Room, channel: Any, heard: Heard) -> None:
        now = asyncio.get_running_loop().time()
        burst = self._bursts.get(room.channel)
        if burst is not None:
            burst.heard.append(heard)
            burst.last = now
            return
        self._bursts[room.channel] = Burst(now, now, [heard])
        task = asyncio.create_task(self._wait_for_a_pause(room, channel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait_for_a_pause(self, room: Room, channel: Any) -> None:
        settings, loop = self.stage.desk.settings, asyncio.get_running_loop()
        burst = self._bursts[room.channel]
        while True:
            ends = min(burst.last + settings.gather_idle, burst.began + settings.gather_most)
            if (left := ends - loop.time()) <= 0:
                break
            await asyncio.sleep(left)
        del self._bursts[room.channel]
        try:
            with self.stage.desk.working():
                await self.answer(room, channel, burst.heard, addressed=False)
        except UnderstudyError as error:
            log.info("A burst was not answered: %s", error)

    async def answer(self, room: Room, channel: Any, heard: list[Heard], *, addressed: bool) -> None:
        """Let somebody answer what was said, if it is anybody's to answer."""
        state = room.table.state
        if not heard or (not state.present and not addressed):
            return
        last = heard[-1]
        partner = room.partner.get(last.hand.person.key)
        text = " ".join(one.asked.turn.text for one in heard)
        npc = next((one.to for one in reversed(heard) if one.to), None)
        npc = npc or who_answers(text, state.present, state.library, partner, state.story)
        if npc is None and addressed:
            npc = partner if partner in state.present else state.need_speaker()
        if npc is None:
            return
        room.partner[last.hand.person.key] = npc
        state.speaker = npc
        await self.stage.answer(room, channel, Asked(last.asked.turn, npc))

    # --- edits and deletions -----------------------------------------------------------------

    async def edited(self, event: discord.RawMessageUpdateEvent) -> None:
        """A person's edit follows into the story."""
        text = event.data.get("content")
        if not text:
            return
        async with self.stage.desk.rooms.house.store.session() as session:
            found = await places.carried(session, str(event.message_id))
            if found is not None:
                me = self._client.user.id if self._client.user else 0
                await places.reword(session, found.turn, in_character(_without_mention(text, me)))

    async def deleted(self, message: int) -> None:
        """A deletion follows: a person's words go, an NPC's line is out of the story."""
        for burst in self._bursts.values():
            burst.heard = [one for one in burst.heard if one.message != message]
        async with self.stage.desk.rooms.house.store.session() as session:
            found = await places.carried(session, str(message))
        if found is not None:
            await self._unsay(str(message), found.turn)

    async def _unsay(self, message: str, turn: int) -> None:
        house = self.stage.desk.rooms.house
        async with house.store.session() as session:
            await places.unsay(session, turn, house.clock())
            await places.forget_message(session, message)


def _without_mention(text: str, me: int) -> str:
    return text.replace(f"<@{me}>", " ").replace(f"<@!{me}>", " ").strip()
