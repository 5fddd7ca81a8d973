"""The client: intents, commands, events; everything else is a handler of its own."""

import functools
import hashlib
import json
import logging
import re
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from bot.discord_app import consent, controls, drafts, mornings, reactions, stopping
from bot.discord_app.catalogue import Translator
from bot.discord_app.commands.gm import GmCommands
from bot.discord_app.commands.knowing import LoreCommands, MemoryCommands
from bot.discord_app.commands.nights import NightsCommands
from bot.discord_app.commands.npc import NpcCommands
from bot.discord_app.commands.npc_gm import GM_COMMANDS
from bot.discord_app.commands.privacy import MyDataCommands, privacy
from bot.discord_app.commands.scene import SceneCommands, SessionCommands
from bot.discord_app.commands.talk import help_all, regen, roll, talk
from bot.discord_app.desk import Desk
from bot.discord_app.errors import SetupError
from bot.discord_app.listening import Listening
from bot.discord_app.menus import MENUS
from bot.discord_app.rooms import Rooms
from bot.discord_app.stage import Stage, StageClient

log = logging.getLogger(__name__)

_PLACE = "discord"  # settings of the bot as a whole
_SHARDS = re.compile(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?")


class Tree(app_commands.CommandTree["Understudy"]):
    """The commands; what their checks refuse is told like all else."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
        """Say what went wrong."""
        original = getattr(error, "original", error)
        await self.client.stage.desk.tell(interaction, original)


class Understudy(StageClient):
    """The bot.

    Args:
        home: where pictures of NPCs lie, in `avatars`.
    """

    def __init__(self, rooms: Rooms, home: Path, **options: Any) -> None:
        settings = rooms.house.settings.discord
        if (held := shards_of(settings.shard_ids, settings.shards)) is not None:
            options["shard_ids"] = held
        super().__init__(
            intents=intents(message_content=settings.message_content),
            shard_count=settings.shards or None,
            allowed_mentions=discord.AllowedMentions.none(), max_messages=None, chunk_guilds_at_startup=False,
            **options,
        )  # fmt: skip
        shown = functools.partial(controls.line_controls, kind=settings.controls)
        self.stage = Stage(Desk(rooms, home), shown, drafts.show_draft)
        self.listening = Listening(self.stage, self)
        self.tree = Tree(self)
        npc = NpcCommands()
        for command in GM_COMMANDS:
            npc.add_command(command)
        commands: tuple[Any, ...] = (
            npc, SceneCommands(), SessionCommands(), GmCommands(), LoreCommands(), MemoryCommands(), NightsCommands(),
            MyDataCommands(), privacy, roll, help_all, talk, regen, *MENUS,
        )  # fmt: skip
        for command in commands:
            self.tree.add_command(command)

    async def setup_hook(self) -> None:
        """Make ready, once, before the gateway."""
        await self.stage.desk.rooms.recover()
        self.add_dynamic_items(
            controls.LineButton, controls.LineMenu, stopping.StopButton, drafts.DraftButton, drafts.VoteButton,
            consent.ConsentButton, mornings.VoiceButton,
        )  # fmt: skip
        await self.tree.set_translator(Translator())
        await self.sync_if_changed()

    async def sync_if_changed(self) -> bool:
        """Make the commands known to Discord if they are others than last time; whether that was needed."""
        rooms = self.stage.desk.rooms
        only = rooms.house.settings.discord.guild
        guild = discord.Object(int(only)) if only.isdecimal() else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        translator = self.tree.translator
        assert translator is not None
        known = self.tree.get_commands(guild=guild)
        listed = [await command.get_translated_payload(self.tree, translator) for command in known]
        digest = hashlib.sha256(json.dumps([self.application_id, only, listed], sort_keys=True).encode()).hexdigest()
        if await rooms.setting(_PLACE, "commands") == digest:
            return False
        await self.tree.sync(guild=guild)
        await rooms.set(_PLACE, "commands", digest)
        log.info("Commands were made known to Discord.")
        return True

    async def on_ready(self) -> None:
        """Say that we are there; nothing else belongs here, for it happens again after every reconnect."""
        log.info("Ready as %s in %d servers.", self.user, len(self.guilds))

    async def on_message(self, message: discord.Message) -> None:
        """Hear it."""
        with self.stage.desk.working():
            await self.listening.hear(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Let it follow."""
        with self.stage.desk.working():
            await self.listening.edited(event)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Let it follow."""
        with self.stage.desk.working():
            await self.listening.deleted(event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Let all follow."""
        with self.stage.desk.working():
            for message in event.message_ids:
                await self.listening.deleted(message)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Count it."""
        with self.stage.desk.working():
            await reactions.on_reaction(self.stage, self, event)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Take it back."""
        with self.stage.desk.working():
            await reactions.on_reaction(self.stage, self, event)


def shards_of(text: str, count: int) -> list[int] | None:
    """The shards a process holds, of so many in all; None for every one.

    Args:
        text: numbers and ranges by comma, such as "0-3, 6".

    Raises:
        SetupError: these are no shards, or the whole number of them is left to Discord.
    """
    if not text.strip():
        return None
    found: set[int] = set()
    for part in text.split(","):
        given = _SHARDS.fullmatch(part.strip())
        if given is None:
            raise SetupError(f"The setting discord.shard_ids is no list of shards ({text[:60]}); write 0-3 or 0,2.")
        found.update(range(int(given[1]), int(given[2] or given[1]) + 1))
    if not found or max(found) >= count:
        raise SetupError(
            f"The setting discord.shard_ids ({text[:60]}) is not within discord.shards ({count}); shards count from 0, "
            "and every process is told the same discord.shards."
        )
    return sorted(found)


def intents(*, message_content: bool) -> discord.Intents:
    """What we listen to: servers, messages that are meant for us, reactions; message content only for table mode."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.guild_reactions = True
    wanted.message_content = message_content
    return wanted
