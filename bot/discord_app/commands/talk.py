"""`/talk`, `/regen`, `/roll` and `/help`: what everybody needs."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import actions
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import those_here
from bot.discord_app.lines import plain
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
        await actions.retake(stage, answer, None)


@app_commands.command(name="roll", description=described("cmd.roll"))
@app_commands.describe(dice=described("opt.dice"))
@app_commands.guild_only()
async def roll(interaction: Context, dice: app_commands.Range[str, 1, 100]) -> None:
    """Roll before everybody; NPCs that are here know the result."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction)
        total, how = await room.table.roll(dice, by=hand)
        await stage.announce(interaction.channel, f"🎲 **{plain(hand.person.name)}** {plain(how)}")
        await answer.say("roll.done", total=total)


@app_commands.command(name="help", description=described("cmd.help"))
async def help_all(interaction: Context) -> None:
    """What can be done, in one screen."""
    desk = stage_of(interaction).desk
    async with desk.answering(interaction) as answer:
        told = [answer.words("help.players"), answer.words("help.menus")]
        if await desk.is_gm(interaction.user):
            told.append(answer.words("help.gm"))
        await answer.write("\n".join(told))
