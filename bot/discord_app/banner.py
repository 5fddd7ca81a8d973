"""What everybody at a table is told: what is stored here, and what is learnt."""

from typing import Any

import discord

from bot.discord_app.catalogue import words
from bot.discord_app.rooms import channel_place
from bot.discord_app.stage import Stage


async def banner(stage: Stage, interaction: discord.Interaction[Any]) -> str:
    """As an evening begins."""
    return words(interaction.guild_locale, "banner.talk") + "\n" + await listening(stage, interaction)


async def listening(stage: Stage, interaction: discord.Interaction[Any]) -> str:
    """Whether ordinary messages are read in a channel, and what becomes of them."""
    rooms = stage.desk.rooms
    place = channel_place(interaction.channel_id or 0)
    listens = stage.desk.settings.message_content and await rooms.setting(place, "listen", default=False)
    permission = rooms.house.settings.privacy.channel_text
    return words(interaction.guild_locale, f"banner.{'listening' if listens else 'not_listening'}.{permission}")
