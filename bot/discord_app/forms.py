"""Forms (Discord: modals): a title, and one box of text or two."""

from typing import Any

import discord

TITLE = 45
MOST = 1500
_OPEN_FOR = 900.0  # as long as Discord keeps an interaction


class Form(discord.ui.Modal):
    """A form; what it asks for stands in its boxes when it is submitted."""

    def __init__(self, title: str) -> None:
        super().__init__(title=title[:TITLE], timeout=_OPEN_FOR)

    def ask(
        self, name: str, label: str, text: str = "", *, most: int = MOST, required: bool = True
    ) -> discord.ui.TextInput[Any]:
        """Add a box.

        Args:
            text: what stands in it already.
        """
        box: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, default=text[:most] or None, max_length=most, required=required,
            custom_id=name,
        )  # fmt: skip
        self.add_item(discord.ui.Label(text=label[:TITLE], component=box))
        return box
