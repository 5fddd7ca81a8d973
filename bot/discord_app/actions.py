"""What people do to lines: rate, ask anew, correct, take back, reply. Every control and menu ends here."""

from typing import Any

import discord

from bot.discord_app.consent import ask_once
from bot.discord_app.desk import Answer
from bot.discord_app.errors import Refusal
from bot.discord_app.forms import Form
from bot.discord_app.rooms import Room
from bot.discord_app.stage import Stage, stage_of
from bot.discord_app.stopping import stop_control
from bot.table.events import Line
from bot.table.state import Hand
from db.queries import lines, places


async def on_line(interaction: discord.Interaction[Any], line: int, act: str) -> None:
    """Carry out a control of a line."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction, defer=act != "reply") as answer:
        if act == "reply":
            await open_reply(interaction, line)
            return
        if act == "take":
            await retake(stage, answer, line)
            return
        room, hand = await stage.desk.sit(interaction)
        if act == "x":
            await safety(stage, room, hand, interaction.channel, line)
            await answer.say("x.done")
        else:
            await rate(room, hand, "👍" if act == "up" else "👎", line)
            await answer.say("rate.done", emoji="👍" if act == "up" else "👎")


async def rate(room: Room, hand: Hand, emoji: str, line: int, *, remove: bool = False) -> None:
    """Count a rating; one who opted out is not counted."""
    if hand.person.consent == "refused" and not hand.gm:
        raise Refusal("rate.opted_out")
    await _finished(room, line)
    await room.table.react(emoji, line, remove=remove, by=hand)


async def safety(stage: Stage, room: Room, hand: Hand, channel: Any, line: int) -> None:
    """✖: the line goes at once, also while it is spoken, whoever asks, and nobody is told who it was."""
    stage.withdrawn.add(line)
    if await _being_spoken(room, line):
        room.table.hush()
    await stage.take_back(room, channel, line)
    await _finished(room, line)
    await room.table.react("✖", line, by=hand)
    await stage.take_back(room, channel, line)


async def _being_spoken(room: Room, line: int) -> bool:
    async with room.table.state.store.session() as session:
        stored = await lines.turn(session, line)
    return stored is not None and stored.npc is not None and stored.kept is None


async def _finished(room: Room, line: int) -> None:
    """A line that is being spoken can be rated when it has ended."""
    if await _being_spoken(room, line):
        await room.table.speaking.finished()


async def retake(stage: Stage, answer: Answer, line: int | None) -> None:
    """Another take of a line, or of the newest, where it stands; the asker is told what came of it."""
    interaction = answer.interaction
    room, hand = await stage.desk.sit(interaction)
    stored = await room.table.correcting.line(line, finished=line is None)
    stage.desk.cool(interaction.user.id)
    events = room.table.another_take(stored.id, by=hand)
    made = await stage.another_take(room, interaction.channel, events, stored)
    if made is not None:
        await answer.say("take.done")
    else:
        await tell_outcome(stage, answer, room, stored.npc or "", None)


async def talk(stage: Stage, answer: Answer, text: str, to: str | None = None) -> None:
    """Say something to an NPC and have it answer; the asker sees how long it takes."""
    interaction = answer.interaction
    room, hand = await stage.desk.sit(interaction)
    stage.desk.cool(interaction.user.id)
    partner = to or room.partner.get(hand.person.key)
    if partner is not None and to is None and partner not in room.table.state.present:
        partner = None
    asked = await room.table.hear(text, to=partner, by=hand)
    if asked.npc is None:
        await answer.say("talk.aside")
        return
    room.partner[hand.person.key] = asked.npc
    name = room.table.sheet(asked.npc).name

    async def waiting(ahead: int) -> None:
        key = "talk.waiting" if ahead else "talk.now"
        view = None if ahead else stop_control(room.channel, answer.words("control.stop"))
        await answer.say(key, view, name=name, ahead=ahead)

    line = await stage.answer(room, interaction.channel, asked, waiting)
    await tell_outcome(stage, answer, room, asked.npc, line)
    await ask_once(room, hand, answer)


async def tell_outcome(stage: Stage, answer: Answer, room: Room, npc: str, line: Line | None) -> None:
    """Tell whoever asked what came of it: a line and where it stands, a draft before the GM, or silence."""
    link = _link(room, answer.interaction, line.line_id) if line else ""
    key = "talk.spoken" if line else "talk.draft" if await stage.desk.previews(room.channel) else "talk.silent"
    await answer.say(key, name=room.table.sheet(npc).name, link=link)


async def add_lore(room: Room, hand: Hand, text: str, since: str = "") -> None:
    """Let everybody of a campaign know something, at once or from a date or scene on."""
    await room.table.backstage.tell(None, text, by=hand, known_since=since)


def _link(room: Room, interaction: discord.Interaction[Any], line: int) -> str:
    """Where a line stands that was spoken this moment."""
    newest = room.newest
    if newest is None or newest.line != line or not newest.messages:
        return ""
    return f"https://discord.com/channels/{interaction.guild_id}/{interaction.channel_id}/{newest.messages[0]}"


class Reply(Form):
    """A form to answer a line in; what is typed there is typed into the bot's own form."""

    def __init__(self, answer: Answer, npc: str, name: str) -> None:
        super().__init__(answer.words("reply.title", name=name))
        self.npc = npc
        self.text = self.ask("text", answer.words("reply.label", name=name))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Say it."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            await talk(stage, answer, self.text.value, self.npc)


async def open_reply(interaction: discord.Interaction[Any], line: int) -> None:
    """Open the form that replies to a line."""
    stage = stage_of(interaction)
    room, _ = await stage.desk.sit(interaction)
    stored = await room.table.correcting.line(line)
    npc = stored.npc or ""
    await interaction.response.send_modal(Reply(Answer(interaction), npc, room.table.sheet(npc).first_name))


async def line_of(stage: Stage, message: discord.Message) -> int:
    """The line a message carries."""
    async with stage.desk.rooms.house.store.session() as session:
        found = await places.carried(session, str(message.id))
    if found is None:
        raise Refusal("error.no_line")
    return found.turn
