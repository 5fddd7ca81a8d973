"""The controls under the newest line. They carry the line's number, so they work after a restart.

Buttons: 👍 👎, another take, reply, and ✖, which takes the line back at once, for anybody, without
a name. As a menu the same in one row; as reactions there are none.
"""

import re
from typing import Any, Self

import discord

from bot.discord_app import actions
from bot.discord_app.catalogue import words

BUTTONS = {"up": "👍", "down": "👎", "take": "🔁", "reply": "💬", "x": "✖️"}


class LineButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"line:(?P<line>\d+):(?P<act>[a-z]+)"):
    """One control of one line."""

    def __init__(self, line: int, act: str) -> None:
        style = discord.ButtonStyle.danger if act == "x" else discord.ButtonStyle.secondary
        button: discord.ui.Button[Any] = discord.ui.Button(
            emoji=BUTTONS[act], style=style, custom_id=f"line:{line}:{act}"
        )
        super().__init__(button)
        self.line, self.act = line, act

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The control again, in a later run of the program."""
        return cls(int(match["line"]), match["act"] if match["act"] in BUTTONS else "up")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Carry it out."""
        await actions.on_line(interaction, self.line, self.act)


class LineMenu(discord.ui.DynamicItem[discord.ui.Select[Any]], template=r"linemenu:(?P<line>\d+)"):
    """All controls of a line as a menu."""

    def __init__(self, line: int) -> None:
        options = [
            discord.SelectOption(label=words(None, f"control.{act}"), value=act, emoji=emoji)
            for act, emoji in BUTTONS.items()
        ]
        select: discord.ui.Select[Any] = discord.ui.Select(
            placeholder=words(None, "control.choose"), options=options, custom_id=f"linemenu:{line}"
        )
        super().__init__(select)
        self.line = line

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """The menu again, in a later run of the program."""
        return cls(int(match["line"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Carry out what was chosen."""
        data: Any = interaction.data or {}
        act = str((data.get("values") or ["up"])[0])
        await actions.on_line(interaction, self.line, act if act in BUTTONS else "up")


def line_controls(line: int, kind: str) -> discord.ui.View | None:
    """The controls of a line, as the setting wants them."""
    if kind == "reactions":
        return None
    view = discord.ui.View(timeout=None)
    if kind == "menu":
        view.add_item(LineMenu(line))
    else:
        for act in BUTTONS:
            view.add_item(LineButton(line, act))
    return view
