"""`/privacy` and `/mydata`: what is kept, what is learnt, and an end to both, at once."""

import io
import json
from typing import Any

import discord
from discord import app_commands

from bot.discord_app import consent
from bot.discord_app.catalogue import described
from bot.discord_app.desk import Answer, Desk
from bot.discord_app.errors import Refusal
from bot.discord_app.rooms import person_key
from bot.discord_app.stage import stage_of
from db import forgetting
from db.home import Home
from db.queries.privacy import Known, PersonNotFound, find_person

Context = discord.Interaction[Any]


@app_commands.command(name="privacy", description=described("cmd.privacy"))
@app_commands.guild_only()
async def privacy(interaction: Context) -> None:
    """What is stored and learnt, and the choice."""
    desk = stage_of(interaction).desk
    async with desk.answering(interaction) as answer:
        _, hand = await desk.sit(interaction)
        told = consent.explanation(
            answer, desk.rooms.house.settings.privacy.channel_text, desk.settings.keep_channel_days
        )  # fmt: skip
        now = answer.words(f"privacy.now.{hand.person.consent}")
        await answer.write(f"{told}\n{now}", consent.choices(answer))


class MyDataCommands(app_commands.Group):
    """One's own data."""

    def __init__(self) -> None:
        super().__init__(name="mydata", description=described("cmd.mydata"), guild_only=True)

    @app_commands.command(description=described("cmd.mydata.export"))
    async def export(self, interaction: Context) -> None:
        """Hand over everything that is kept, for the asker's eyes alone."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            known = await _known(desk, interaction)
            found = await forgetting.export(desk.rooms.house.store, Home(desk.home), known)
            text = json.dumps(found, ensure_ascii=False, indent=2).encode()
            file = discord.File(io.BytesIO(text), "mydata.json")
            await answer.write(answer.words("mydata.exported"), attachments=[file])

    @app_commands.command(description=described("cmd.mydata.forget"))
    async def forget(self, interaction: Context) -> None:
        """Forget everything, after one question."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await _known(desk, interaction)
            await answer.say("mydata.sure", sure(answer))


def sure(answer: Answer) -> discord.ui.View:
    """The one question before everything is forgotten."""
    view = discord.ui.View(timeout=600)
    view.add_item(_Forget(label=answer.words("mydata.yes"), style=discord.ButtonStyle.danger))
    return view


class _Forget(discord.ui.Button[Any]):
    async def callback(self, interaction: Context) -> None:
        """Forget whoever presses it."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction, defer=False):
            await interaction.response.defer()
            known = await _known(desk, interaction)
            house = desk.rooms.house
            report = await forgetting.forget(house.store, Home(desk.home), known, house.clock())
            await desk.rooms.forget(known.key)
            answer = Answer(interaction)
            told = answer.words(
                "mydata.forgotten", turns=report.rows.turns, reactions=report.rows.reactions,
                adapters=len(report.blocked),
            )  # fmt: skip
            await interaction.edit_original_response(content=told, view=None)


async def _known(desk: Desk, interaction: Context) -> Known:
    async with desk.rooms.house.store.session() as session:
        try:
            return await find_person(session, person_key(interaction.user.id))
        except PersonNotFound as error:
            raise Refusal("mydata.nothing") from error
