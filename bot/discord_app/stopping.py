"""The Stop button, which cuts the line that is being spoken in a channel."""

import re
from typing import Any, Self

import discord

from bot.discord_app.stage import stage_of


class StopButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"stop:(?P<channel>\d+)"):
    """Cuts the line that is being spoken in a channel."""

    def __init__(self, channel: int, label: str = "Stop") -> None:
        super().__init__(discord.ui.Button(label=label, emoji="✋", custom_id=f"stop:{channel}"))
        self.channel = channel

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The button again."""
        return cls(int(match["channel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hush."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction, defer=False):
            await interaction.response.defer()
            room = desk.rooms.at(self.channel)
            if room is not None:
                room.table.hush()


def stop_control(channel: int, label: str) -> discord.ui.View:
    """The button that cuts a line."""
    view = discord.ui.View(timeout=None)
    view.add_item(StopButton(channel, label))
    return view
