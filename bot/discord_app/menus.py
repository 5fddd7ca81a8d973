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
from bot.discord_app.rooms import Room
from bot.discord_app.stage import Stage, stage_of
from bot.table.state import Hand
from bot.table.table import Asked
from db.queries import lines, places, told

Context = discord.Interaction[Any]
_MOST = 1500


class EditLine(discord.ui.Modal):
    """Two fields: they asked, and what the NPC should say."""

    def __init__(self, interaction: Context, line: int, asked: str, said: str) -> None:
        answer = Answer(interaction)
        super().__init__(title=answer.words("edit.title"), timeout=900)
        self.line = line
        style = discord.TextStyle.paragraph
        self.asked: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=style, default=asked[:_MOST] or None, required=False, max_length=_MOST, custom_id="asked"
        )
        self.said: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=style, default=said[:_MOST], max_length=_MOST, custom_id="said"
        )
        self.add_item(discord.ui.Label(text=answer.words("edit.asked"), component=self.asked))
        self.add_item(discord.ui.Label(text=answer.words("edit.said"), component=self.said))

    async def on_submit(self, interaction: Context) -> None:
        """Correct the line, here and for good."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            await stage.desk.need_gm(interaction)
            room, hand = await stage.desk.sit(interaction)
            line = await room.table.edit(self.said.value, self.line, self.asked.value.strip() or None, by=hand)
            await stage.show(room, interaction.channel, line)
            await answer.say("edit.done", name=line.name)


class AddLore(discord.ui.Modal):
    """Lore in the GM's own words; a player's words are not copied, for they may not be learnt from."""

    def __init__(self, interaction: Context, text: str) -> None:
        answer = Answer(interaction)
        super().__init__(title=answer.words("lore.title"), timeout=900)
        self.text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, max_length=500, default=text[:500] or None, custom_id="text"
        )
        self.add_item(discord.ui.Label(text=answer.words("lore.label"), component=self.text))

    async def on_submit(self, interaction: Context) -> None:
        """Let everybody know it."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            room, hand = await desk.sit(interaction)
            state, text = room.table.state, self.text.value.strip()
            async with state.store.session() as session:
                await told.tell(session, state.campaign, None, text, state.clock(), by=hand.person.id)
            await answer.say("lore.added")


class SayAs(discord.ui.Modal):
    """What the GM lets the NPC of the scene reply to a message."""

    def __init__(self, interaction: Context, npc: str, name: str, message: discord.Message) -> None:
        answer = Answer(interaction)
        super().__init__(title=answer.words("say_as.title", name=name)[:45], timeout=900)
        self.npc, self.message = npc, message
        self.text: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, max_length=_MOST, custom_id="text"
        )
        self.add_item(discord.ui.Label(text=answer.words("say_as.label", name=name)[:45], component=self.text))

    async def on_submit(self, interaction: Context) -> None:
        """Say it."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            await stage.desk.need_gm(interaction)
            room, hand = await stage.desk.sit(interaction)
            await heard(stage, room, hand, self.message)
            line = await room.table.speak_as(self.text.value, self.npc, by=hand)
            await stage.show(room, interaction.channel, line)
            await answer.say("npc.said", name=line.name)


def content_of(message: discord.Message) -> str:
    """What a message says; of another bot's card its text."""
    cards = [part for embed in message.embeds for part in (embed.title, embed.description) if part]
    return (message.content or "\n".join(cards)).strip()[:_MOST]


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
    async with stage.desk.answering(interaction, defer=False):
        await stage.desk.need_gm(interaction)
        room, _ = await stage.desk.sit(interaction)
        line = await room.table.correcting.line(await actions.line_of(stage, message))
        asked = await room.table.correcting.asked(line)
        await interaction.response.send_modal(EditLine(interaction, line.id, asked, line.text))


@app_commands.context_menu(name="Another take")
@app_commands.guild_only()
async def another_take(interaction: Context, message: discord.Message) -> None:
    """The line said another way."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        line = await actions.line_of(stage, message)
        room, hand = await stage.desk.sit(interaction)
        await actions.retake(stage, room, hand, interaction.channel, line)
        await answer.say("take.done")


@app_commands.context_menu(name="Not canon")
@app_commands.guild_only()
async def not_canon(interaction: Context, message: discord.Message) -> None:
    """The line never happened."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        await stage.desk.need_gm(interaction)
        line = await actions.line_of(stage, message)
        room, hand = await stage.desk.sit(interaction)
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
        name = room.table.sheet(npc).name
        await answer.say("talk.spoken" if line else "talk.silent", name=name, link="")


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
        """Open the dialogue."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction, defer=False):
            await desk.need_gm(interaction)
            message = self.message
            if self.act == "lore":
                own = message.author.id == interaction.user.id or message.webhook_id in desk.personas.own
                await interaction.response.send_modal(AddLore(interaction, content_of(message) if own else ""))
                return
            room, _ = await desk.sit(interaction)
            npc = room.table.state.need_speaker()
            name = room.table.sheet(npc).first_name
            await interaction.response.send_modal(SayAs(interaction, npc, name, message))


MENUS = (edit_line, another_take, not_canon, show_to_npc, more)
