"""Message menus: what can be done with one message, an NPC's line or anybody's.

Discord hands a menu the message itself, whatever intents the bot has. A person's message that is
shown to an NPC stays channel text: it is answered, and never learnt from.
"""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import actions
from bot.discord_app.desk import Answer
from bot.discord_app.errors import Refusal
from bot.discord_app.forms import MOST, Form
from bot.discord_app.rooms import Room
from bot.discord_app.stage import Stage, stage_of
from bot.table.state import Hand
from bot.table.table import Asked
from db.queries import lines, places

Context = discord.Interaction[Any]
_LORE = 500


class EditLine(Form):
    """Two fields: they asked, and what the NPC should say."""

    def __init__(self, answer: Answer, line: int, asked: str, said: str) -> None:
        super().__init__(answer.words("edit.title"))
        self.line = line
        self.asked = self.ask("asked", answer.words("edit.asked"), asked, required=False)
        self.said = self.ask("said", answer.words("edit.said"), said)

    async def on_submit(self, interaction: Context) -> None:
        """Correct the line, here and for good."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, hand = await stage.desk.sit(interaction, gm=True)
            line = await room.table.edit(self.said.value, self.line, self.asked.value.strip() or None, by=hand)
            await stage.show(room, interaction.channel, line)
            await answer.say("edit.done", name=line.name)


class AddLore(Form):
    """Lore in the GM's own words; a player's words are not copied, for they may not be learnt from."""

    def __init__(self, answer: Answer, text: str) -> None:
        super().__init__(answer.words("lore.title"))
        self.text = self.ask("text", answer.words("lore.label"), text, most=_LORE)

    async def on_submit(self, interaction: Context) -> None:
        """Let everybody know it."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction, gm=True)
            await actions.add_lore(room, hand, self.text.value)
            await answer.say("lore.added")


class SayAs(Form):
    """What the GM lets the NPC of the scene reply to a message."""

    def __init__(self, answer: Answer, npc: str, name: str, message: discord.Message) -> None:
        super().__init__(answer.words("say_as.title", name=name))
        self.npc, self.message = npc, message
        self.text = self.ask("text", answer.words("say_as.label", name=name))

    async def on_submit(self, interaction: Context) -> None:
        """Say it."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, hand = await stage.desk.sit(interaction, gm=True)
            await heard(stage, room, hand, self.message)
            line = await room.table.speak_as(self.text.value, self.npc, by=hand)
            await stage.show(room, interaction.channel, line)
            await answer.say("npc.said", name=line.name)


def content_of(message: discord.Message) -> str:
    """What a message says; of another bot's card its text."""
    cards = [part for embed in message.embeds for part in (embed.title, embed.description) if part]
    return (message.content or "\n".join(cards)).strip()[:MOST]


async def heard(stage: Stage, room: Room, hand: Hand, message: discord.Message) -> Asked:
    """Somebody's message as a turn of the story, once, in its author's name and as channel text."""
    text = content_of(message)
    if not text:
        raise Refusal("error.empty_message")
    async with room.table.state.store.session() as session:
        known = await places.carried(session, str(message.id))
        turn = await lines.turn(session, known.turn) if known else None
    if turn is not None:
        return Asked(turn, None)
    seat = await stage.desk.seat(message.author)
    author = await stage.desk.rooms.hand(room, seat, "channel")
    asked = await room.table.hear(text, by=author, answered=False)
    async with room.table.state.store.session() as session:
        await places.note_message(session, str(message.id), room.place, asked.turn.id)
    return asked


@app_commands.context_menu(name="Edit line")
@app_commands.guild_only()
async def edit_line(interaction: Context, message: discord.Message) -> None:
    """What they asked, and what the NPC should say."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction, defer=False) as answer:
        room, _ = await stage.desk.sit(interaction, gm=True)
        line = await room.table.correcting.line(await actions.line_of(stage, message))
        asked = await room.table.correcting.asked(line)
        await interaction.response.send_modal(EditLine(answer, line.id, asked, line.text))


@app_commands.context_menu(name="Another take")
@app_commands.guild_only()
async def another_take(interaction: Context, message: discord.Message) -> None:
    """The line said another way."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        await actions.retake(stage, answer, await actions.line_of(stage, message))


@app_commands.context_menu(name="Not canon")
@app_commands.guild_only()
async def not_canon(interaction: Context, message: discord.Message) -> None:
    """The line never happened."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction, gm=True)
        line = await actions.line_of(stage, message)
        await room.table.retcon(line, by=hand)
        await stage.strike(room, interaction.channel, line)
        await answer.say("retcon.done")


@app_commands.context_menu(name="Show to NPC")
@app_commands.guild_only()
async def show_to_npc(interaction: Context, message: discord.Message) -> None:
    """Let the NPC that has the word hear a message, and answer."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction)
        stage.desk.cool(interaction.user.id)
        npc = room.table.state.need_speaker()
        asked = await heard(stage, room, hand, message)
        line = await stage.answer(room, interaction.channel, Asked(asked.turn, npc))
        await actions.tell_outcome(stage, answer, room, npc, line)


@app_commands.context_menu(name="Lore, or reply as…")
@app_commands.guild_only()
async def more(interaction: Context, message: discord.Message) -> None:
    """The two that Discord's library leaves no entry for: it takes five menus, though Discord takes fifteen."""
    desk = stage_of(interaction).desk
    async with desk.answering(interaction, defer=False) as answer:
        await desk.need_gm(interaction)
        await answer.say("more.choose", More(answer, message))


class More(discord.ui.View):
    """*Add to lore* and *Reply as…* for one message."""

    def __init__(self, answer: Answer, message: discord.Message) -> None:
        super().__init__(timeout=600)
        self.add_item(_MoreButton("lore", answer.words("more.lore"), message))
        self.add_item(_MoreButton("reply", answer.words("more.reply"), message))


class _MoreButton(discord.ui.Button[Any]):
    def __init__(self, act: str, label: str, message: discord.Message) -> None:
        super().__init__(label=label)
        self.act, self.message = act, message

    async def callback(self, interaction: Context) -> None:
        """Open the form."""
        desk, message = stage_of(interaction).desk, self.message
        async with desk.answering(interaction, defer=False) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            if self.act == "lore":
                own = message.author.id == interaction.user.id or message.webhook_id in desk.personas.own
                await interaction.response.send_modal(AddLore(answer, content_of(message) if own else ""))
                return
            npc = room.table.state.need_speaker()
            await interaction.response.send_modal(SayAs(answer, npc, room.table.sheet(npc).first_name, message))


MENUS = (edit_line, another_take, not_canon, show_to_npc, more)
