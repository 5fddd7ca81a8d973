"""`/nights`: what the NPCs have learnt, what they are learning, and a night now."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import mornings
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import anybody
from bot.discord_app.stage import stage_of
from db.queries import adapters, nights

Context = discord.Interaction[Any]


class NightsCommands(app_commands.Group):
    """Nights."""

    def __init__(self) -> None:
        super().__init__(name="nights", description=described("cmd.nights"), guild_only=True)

    @app_commands.command(description=described("cmd.nights.status"))
    async def status(self, interaction: Context) -> None:
        """What waits, what runs, and who has something to learn."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            state = room.table.state
            async with state.store.session() as session:
                asked = await nights.requests(session, state.campaign)
                news = await nights.npcs_with_news(session, state.campaign, now=state.clock())
            rows = [answer.words("nights.news", names=", ".join(room.table.sheet(npc).name for npc in news) or "–")]
            for request in asked:
                if request.state in {"waiting", "running"}:
                    whom = room.table.sheet(request.npc).name if request.npc else answer.words("nights.everybody")
                    rows.append(answer.words(f"nights.{request.state}", name=whom))
            await answer.rows(rows)

    @app_commands.command(name="run", description=described("cmd.nights.run"))
    async def run_now(self, interaction: Context) -> None:
        """Ask for a night now."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            state = room.table.state
            async with state.store.session() as session:
                await adapters.request_night(session, state.campaign, None, state.clock())
            await answer.say("nights.asked" if room.table.on_night() else "nights.asked_waits")

    @app_commands.command(description=described("cmd.nights.report"))
    @app_commands.describe(name=described("opt.npc"))
    @app_commands.autocomplete(name=anybody)
    async def report(self, interaction: Context, name: str) -> None:
        """An NPC's last night."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            (npc, sheet), state = room.npc(name), room.table.state
            async with state.store.session() as session:
                night = await nights.last_night(session, state.campaign, npc)
                version = await mornings.outcome(session, night) if night else None
            if night is None:
                await answer.say("nights.none", name=sheet.name)
            else:
                await answer.write(mornings.told(night, version, sheet.name, interaction.locale))
