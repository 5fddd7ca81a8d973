"""Consent: asked once, in private, and given or taken back by a button that always works."""

import re
from typing import Any, Self

import discord

from bot.discord_app.catalogue import words
from bot.discord_app.desk import Answer
from bot.discord_app.rooms import Room, person_key
from bot.discord_app.stage import stage_of
from bot.table.state import Hand
from db.queries import places

Context = discord.Interaction[Any]
_CHOICES = {"given": discord.ButtonStyle.success, "refused": discord.ButtonStyle.secondary}


class ConsentButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"consent:(?P<choice>given|refused)"):
    """Opt in, or out; for whoever presses it."""

    def __init__(self, choice: str, label: str = "?") -> None:
        super().__init__(discord.ui.Button(label=label, style=_CHOICES[choice], custom_id=f"consent:{choice}"))
        self.choice = choice

    @classmethod
    async def from_custom_id(cls, interaction: Context, item: Any, match: re.Match[str], /) -> Self:
        """The button again."""
        return cls(match["choice"])

    async def callback(self, interaction: Context) -> None:
        """Remember the choice, in every campaign; it counts from now on, also for what was said before."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.sit(interaction)
            house = desk.rooms.house
            async with house.store.session() as session:
                await places.set_consent(session, person_key(interaction.user.id), self.choice, house.clock())
            await answer.say(f"consent.{self.choice}")


def choices(answer: Answer) -> discord.ui.View:
    """Both buttons."""
    view = discord.ui.View(timeout=None)
    for choice in _CHOICES:
        view.add_item(ConsentButton(choice, answer.words(f"consent.button.{choice}")))
    return view


def explanation(answer: Answer, permission: str, days: int) -> str:
    """What is stored, what is learnt, and how it is forgotten."""
    return "\n".join((
        words(answer.interaction.locale, "privacy.stored"),
        words(answer.interaction.locale, f"privacy.channel.{permission}", days=days),
        words(answer.interaction.locale, "privacy.rights"),
    ))  # fmt: skip


async def ask_once(room: Room, hand: Hand, answer: Answer) -> None:
    """Explain to somebody who was never asked, once."""
    desk = stage_of(answer.interaction).desk
    if hand.person.consent != "unasked" or hand.gm:
        return
    if await desk.rooms.setting(hand.person.key, "asked"):
        return
    await desk.rooms.set(hand.person.key, "asked", value=True)
    await answer.add(answer.words("consent.ask"), choices(answer))
