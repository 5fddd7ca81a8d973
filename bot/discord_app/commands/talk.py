"""`/talk` and `/regen`: the two everybody needs."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import actions
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import those_here
from bot.discord_app.stage import stage_of

Context = discord.Interaction[Any]


@app_commands.command(name="talk", description=described("cmd.talk"))
@app_commands.describe(text=described("opt.words"), npc=described("opt.npc"))
@app_commands.autocomplete(npc=those_here)
@app_commands.guild_only()
async def talk(interaction: Context, text: app_commands.Range[str, 1, 1500], npc: str | None = None) -> None:
    """Say something to an NPC."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        await actions.talk(stage, answer, text, npc)


@app_commands.command(name="regen", description=described("cmd.regen"))
@app_commands.guild_only()
async def regen(interaction: Context) -> None:
    """Another take of the newest line."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction)
        line = await room.table.correcting.line(None)
        await actions.retake(stage, room, hand, interaction.channel, line.id)
        await answer.say("take.done")
