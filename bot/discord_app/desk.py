"""The desk: everything handlers need, and the one way in which every interaction is answered.

Whatever the model is doing, an interaction is answered at once ("thinking", seen by the asker
alone) and the answer is filled in later; whatever goes wrong ends as one sentence in the asker's
language. No handler catches anything by itself.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import discord

from bot.discord_app.catalogue import words
from bot.discord_app.errors import Refusal, TooLate
from bot.discord_app.fair_queue import FairQueue
from bot.discord_app.lines import split
from bot.discord_app.personas import Face, Personas, face_of
from bot.discord_app.rooms import Room, Rooms, channel_place, guild_place, person_key
from bot.table import observing
from bot.table.state import Hand
from bot.table.table import Seat
from characters.errors import UnderstudyError
from db.settings import TABLES

log = logging.getLogger(__name__)

_MOST = 2000


class Answer:
    """The answer to one interaction, seen by the asker alone."""

    def __init__(self, interaction: discord.Interaction[Any]) -> None:
        self.interaction = interaction

    def words(self, key: str, **fields: object) -> str:
        """A sentence in the asker's language."""
        return words(self.interaction.locale, key, **fields)

    async def say(self, key: str, view: discord.ui.View | None = None, **fields: object) -> None:
        """Answer with a sentence of the catalogue."""
        await self.write(self.words(key, **fields), view)

    async def write(self, text: str, view: discord.ui.View | None = None, **more: Any) -> None:
        """Answer, or change the answer."""
        interaction, quiet = self.interaction, discord.AllowedMentions.none()
        if not interaction.response.is_done():
            options: dict[str, Any] = more if view is None else {**more, "view": view}
            await interaction.response.send_message(text[:_MOST], ephemeral=True, allowed_mentions=quiet, **options)
        else:
            await interaction.edit_original_response(content=text[:_MOST], view=view, allowed_mentions=quiet, **more)

    async def rows(self, rows: Sequence[str]) -> None:
        """Answer with rows, in as many messages as they need."""
        first, *rest = split("\n".join(rows))
        await self.write(first)
        for part in rest:
            await self.add(part)

    async def add(self, text: str, view: discord.ui.View | None = None, **more: Any) -> None:
        """Add a message to the answer."""
        options: dict[str, Any] = more if view is None else {**more, "view": view}
        quiet = discord.AllowedMentions.none()
        await self.interaction.followup.send(text[:_MOST], ephemeral=True, allowed_mentions=quiet, **options)


class Desk:
    """What handlers stand at."""

    def __init__(self, rooms: Rooms, home: Path) -> None:
        self.rooms = rooms
        self.home = home
        self.settings = rooms.house.settings.discord
        self.personas = Personas()
        self.queue = FairQueue(rooms.house.settings.engine.streams or TABLES)
        self.closing = False
        self._open = 0
        self._rest = asyncio.Event()
        self._rest.set()
        self._asked: dict[int, float] = {}

    @contextlib.asynccontextmanager
    async def answering(self, interaction: discord.Interaction[Any], *, defer: bool = True) -> AsyncIterator[Answer]:
        """Answer an interaction, whatever happens to what it asks for.

        Args:
            defer: acknowledge at once; False for handlers that open a dialogue or change a message.

        Raises:
            TooLate: Discord does not know the interaction any more; nothing was done.
        """
        observing.begin(f"discord-{interaction.id}")
        answer = Answer(interaction)
        with self.working():
            if defer and not interaction.response.is_done():
                try:
                    await interaction.response.defer(ephemeral=True, thinking=True)
                except discord.HTTPException as error:
                    raise TooLate(error.text) from error
            try:
                yield answer
            except Exception as error:  # noqa: BLE001  (the one place where everything ends)
                await self.tell(interaction, error)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Something that is not to be broken off when the bot stops."""
        self._open += 1
        self._rest.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._rest.set()

    async def at_rest(self) -> None:
        """Wait until everybody who asked was answered, and everything heard is stored."""
        await self._rest.wait()

    async def tell(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Say what went wrong; what is our fault goes to the log too."""
        if isinstance(error, TooLate):
            log.warning("%s", error)
            return
        if isinstance(error, Refusal):
            sentence = words(interaction.locale, error.key, **error.fields)
        elif isinstance(error, UnderstudyError):
            sentence = str(error)
        elif isinstance(error, discord.Forbidden):
            sentence = words(interaction.locale, "error.forbidden", what=error.text or "")
        else:
            log.error("An interaction failed.", exc_info=error)
            sentence = words(interaction.locale, "error.ours")
        with contextlib.suppress(discord.HTTPException):  # an interaction nobody can answer any more
            await Answer(interaction).write(sentence)

    # --- who and where -----------------------------------------------------------------------

    async def is_gm(self, member: discord.Member | discord.User) -> bool:
        """Whether somebody is a GM here: by a role's name as usual, by the server's setting, or as its manager."""
        if not isinstance(member, discord.Member):
            return False
        if member.guild_permissions.manage_guild:
            return True
        named = await self.rooms.setting(guild_place(member.guild.id), "gm_roles", self.settings.gm_roles)
        wanted = {name.strip().casefold() for name in str(named).split(",")}
        return any(role.name.casefold() in wanted for role in member.roles)

    async def need_gm(self, interaction: discord.Interaction[Any]) -> None:
        """Refuse whoever is no GM."""
        if not await self.is_gm(interaction.user):
            raise Refusal("error.gm_only")

    async def seat(self, member: discord.Member | discord.User) -> Seat:
        """Where a member sits at the table."""
        role = "gm" if await self.is_gm(member) else "player"
        return Seat(member.display_name, person_key(member.id), role)

    async def sit(self, interaction: discord.Interaction[Any], *, gm: bool = False) -> tuple[Room, Hand]:
        """The room an interaction is about, and the asker's hand at its table.

        Args:
            gm: whether what is asked is the GM's alone.
        """
        if gm:
            await self.need_gm(interaction)
        if interaction.guild_id is None or interaction.channel_id is None:
            raise Refusal("error.server_only")
        seat = await self.seat(interaction.user)
        room = await self.rooms.room(interaction.guild_id, interaction.channel_id, seat)
        return room, await self.rooms.hand(room, seat, "interaction")

    async def previews(self, channel: int) -> bool:
        """Whether lines of a channel wait for the GM."""
        return bool(await self.rooms.setting(channel_place(channel), "mode") == "preview")

    def face(self, room: Room, npc: str) -> Face:
        """How an NPC looks."""
        sheet = room.table.sheet(npc)
        return face_of(sheet.name, sheet.avatar, self.home / "avatars")

    def cool(self, user: int) -> None:
        """Refuse whoever asks again too soon."""
        now = time.monotonic()
        left = self._asked.get(user, -1e9) + self.settings.cooldown - now
        if left > 0:
            raise Refusal("error.cooldown", seconds=max(1, round(left)))
        self._asked[user] = now
        if len(self._asked) > 10_000:
            self._asked = {who: when for who, when in self._asked.items() if now - when < self.settings.cooldown}
