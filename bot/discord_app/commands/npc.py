"""`/npc`: who is here, who has the word, and what the GM makes of them."""

import contextlib
from typing import Any

import discord
from discord import app_commands

from bot.discord_app.catalogue import described
from bot.discord_app.desk import Answer, Desk
from bot.discord_app.errors import Refusal
from bot.discord_app.rooms import Room
from bot.discord_app.stage import stage_of
from characters.errors import SheetError
from characters.sheet import Sheet

Context = discord.Interaction[Any]


async def anybody(interaction: Context, current: str) -> list[app_commands.Choice[str]]:
    """NPCs of the server whose name or slug holds what was typed; those that were made up there are among them."""
    library = await stage_of(interaction).desk.rooms.library(interaction.guild_id or 0)
    wanted, found = current.casefold().strip(), []
    for slug in library.slugs():
        with contextlib.suppress(SheetError):  # somebody's broken sheet takes nobody else off the list
            name = library.get(slug).name
            if wanted in slug.casefold() or wanted in name.casefold():
                found.append(app_commands.Choice(name=name[:100], value=slug))
    return found[:25]


async def those_here(interaction: Context, current: str) -> list[app_commands.Choice[str]]:
    """NPCs that are in this channel."""
    stage = stage_of(interaction)
    room = stage.desk.rooms.at(interaction.channel_id or 0)
    if room is None:
        return []
    here = [(slug, room.table.sheet(slug).name) for slug in room.table.state.present]
    wanted = current.casefold().strip()
    return [app_commands.Choice(name=name[:100], value=slug) for slug, name in here if wanted in name.casefold()][:25]


async def _tell_once(desk: Desk, room: Room, answer: Answer) -> None:
    """Tell the GM, once a channel, what is missing for names and faces."""
    if not await desk.rooms.setting(room.place, "told_webhooks"):
        await desk.rooms.set(room.place, "told_webhooks", value=True)
        await answer.add(answer.words("npc.no_webhooks"))


def _check_age(interaction: Context, sheet: Sheet) -> None:
    """A sheet marked nsfw plays in age-restricted channels only."""
    channel = interaction.channel
    restricted = getattr(channel, "nsfw", False) or getattr(getattr(channel, "parent", None), "nsfw", False)
    if sheet.nsfw and not restricted:
        raise Refusal("error.age", name=sheet.name)


class NpcCommands(app_commands.Group):
    """NPCs."""

    def __init__(self) -> None:
        super().__init__(name="npc", description=described("cmd.npc"), guild_only=True)

    @app_commands.command(description=described("cmd.npc.summon"))
    @app_commands.describe(name=described("opt.npc"))
    @app_commands.autocomplete(name=anybody)
    async def summon(self, interaction: Context, name: str) -> None:
        """Bring an NPC in."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction)
            npc, sheet = room.npc(name)
            _check_age(interaction, sheet)
            await room.table.summon(npc)
            room.partner[hand.person.key] = npc
            await answer.say("npc.here", name=sheet.name, about=sheet.description)
            if hand.gm and not desk.personas.may(interaction.channel):
                await _tell_once(desk, room, answer)
            if sheet.greeting:
                await desk.personas.say(interaction.channel, desk.face(room, npc), sheet.greeting)

    @app_commands.command(description=described("cmd.npc.switch"))
    @app_commands.describe(name=described("opt.npc"))
    @app_commands.autocomplete(name=those_here)
    async def switch(self, interaction: Context, name: str) -> None:
        """Give the word to an NPC."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction)
            npc = room.table.switch(name)
            room.partner[hand.person.key] = npc
            await answer.say("npc.switched", name=room.table.sheet(npc).name)

    @app_commands.command(description=described("cmd.npc.dismiss"))
    @app_commands.describe(name=described("opt.npc"))
    @app_commands.autocomplete(name=those_here)
    async def dismiss(self, interaction: Context, name: str | None = None) -> None:
        """Send an NPC away."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            npc = await room.table.dismiss(name)
            await answer.say("npc.gone", name=room.table.sheet(npc).name)

    @app_commands.command(name="list", description=described("cmd.npc.list"))
    async def list_all(self, interaction: Context) -> None:
        """Who could come, and who is here."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            state, rows = room.table.state, []
            for slug in sorted(state.library.slugs(), key=lambda slug: slug not in state.present):
                mark = "●" if slug in state.present else "○"
                try:
                    sheet = state.library.get(slug)
                    rows.append(f"{mark} **{sheet.name}** (`{slug}`), {sheet.description}")
                except SheetError as error:
                    rows.append(f"{mark} `{slug}` ⚠️ {error}")
            await answer.rows(rows)

    @app_commands.command(description=described("cmd.npc.info"))
    @app_commands.describe(name=described("opt.npc"))
    @app_commands.autocomplete(name=anybody)
    async def info(self, interaction: Context, name: str) -> None:
        """What everybody may know of an NPC."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            library = await desk.rooms.library(interaction.guild_id or 0)
            sheet = library.get(library.find(name, listed="/npc list"))
            world = library.world(sheet.world).name
            await answer.say("npc.info", name=sheet.name, about=sheet.description, kind=sheet.kind, world=world)

    @app_commands.command(description=described("cmd.npc.say"))
    @app_commands.describe(text=described("opt.text"), name=described("opt.npc"))
    @app_commands.autocomplete(name=those_here)
    async def say(
        self, interaction: Context, text: app_commands.Range[str, 1, 1800], name: str | None = None
    ) -> None:
        """The GM speaks as an NPC."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, hand = await stage.desk.sit(interaction, gm=True)
            line = await room.table.speak_as(text, name, by=hand)
            await stage.show(room, interaction.channel, line)
            await answer.say("npc.said", name=line.name)

    @app_commands.command(description=described("cmd.npc.hush"))
    async def hush(self, interaction: Context) -> None:
        """Silence all NPCs at once; a running line is cut."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            room.hush()
            await answer.say("npc.hushed")
