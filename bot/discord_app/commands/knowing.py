"""`/lore` and `/memory`: what everybody knows, and what one NPC was told, witnessed and makes of people."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import actions
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import anybody
from bot.discord_app.errors import Refusal
from bot.discord_app.lines import plain
from bot.discord_app.stage import stage_of
from bot.table.lore import look_up
from db.queries import memories

Context = discord.Interaction[Any]
_SHOWN = 15


class LoreCommands(app_commands.Group):
    """What everybody knows."""

    def __init__(self) -> None:
        super().__init__(name="lore", description=described("cmd.lore"), guild_only=True)

    @app_commands.command(description=described("cmd.lore.search"))
    @app_commands.describe(words=described("opt.search"))
    async def search(self, interaction: Context, words: app_commands.Range[str, 2, 100]) -> None:
        """Find lore by words."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction)
            told, written = await look_up(room.table.state, words, gm=hand.gm, limit=_SHOWN)
            found = [*(f"`{fact.id}` {fact.text}" for fact in told), *(f"📖 {plain(one.line())}" for one in written)]
            await answer.rows(found[:_SHOWN] or [answer.words("lore.none")])

    @app_commands.command(description=described("cmd.lore.add"))
    @app_commands.describe(text=described("opt.fact"), since=described("opt.since"))
    async def add(
        self, interaction: Context, text: app_commands.Range[str, 3, 500],
        since: app_commands.Range[str, 2, 100] | None = None,
    ) -> None:  # fmt: skip
        """Let everybody know something."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction, gm=True)
            await actions.add_lore(room, hand, text, since or "")
            await answer.say("lore.added")


class MemoryCommands(app_commands.Group):
    """What one NPC remembers."""

    def __init__(self) -> None:
        super().__init__(name="memory", description=described("cmd.memory"), guild_only=True)

    @app_commands.command(description=described("cmd.memory.show"))
    @app_commands.describe(name=described("opt.npc"), about=described("opt.search"))
    @app_commands.autocomplete(name=anybody)
    async def show(
        self, interaction: Context, name: str, about: app_commands.Range[str, 2, 100] | None = None
    ) -> None:
        """What an NPC remembers, for the GM's eyes."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            (npc, sheet), state = room.npc(name), room.table.state
            async with state.store.session() as session:
                facts = await memories.shown(session, state.campaign, npc, about or "")
            rows = [f"`{fact.id}` {fact.text}{'' if fact.npc else ' 🌍'}" for fact in facts[:_SHOWN]]
            head = answer.words("memory.head", name=sheet.name)
            await answer.write("\n".join([head, *rows]))

    @app_commands.command(description=described("cmd.memory.edit"))
    @app_commands.describe(number=described("opt.number"), text=described("opt.fact"))
    async def edit(
        self, interaction: Context, number: app_commands.Range[int, 1, 2_000_000_000],
        text: app_commands.Range[str, 3, 500],
    ) -> None:  # fmt: skip
        """Put a memory in other words."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            room, _ = await desk.sit(interaction)
            state = room.table.state
            async with state.store.session() as session:
                if await memories.reword(session, state.campaign, number, text.strip()) is None:
                    raise Refusal("memory.no_fact", number=number)
            await answer.say("memory.edited")

    @app_commands.command(description=described("cmd.memory.forget"))
    @app_commands.describe(number=described("opt.number"))
    async def forget(self, interaction: Context, number: app_commands.Range[int, 1, 2_000_000_000]) -> None:
        """Take a fact, or lore, back."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            state = room.table.state
            async with state.store.session() as session:
                if not await memories.forget(session, state.campaign, number):
                    raise Refusal("memory.no_fact", number=number)
            await answer.say("memory.forgotten")
