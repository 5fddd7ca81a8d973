"""What only the GM sees first: drafts, and two voices to choose between. Every choice is feedback."""

import re
from typing import Any, Self

import discord

from bot.discord_app.catalogue import words
from bot.discord_app.desk import Answer
from bot.discord_app.errors import Refusal
from bot.discord_app.forms import Form
from bot.discord_app.rooms import Room, guild_place
from bot.discord_app.stage import Stage, stage_of
from bot.table.events import Line
from bot.table.state import Hand
from db.queries import lines
from db.values import StoredTurn

Context = discord.Interaction[Any]
_ACTS = {"send": "✅", "edit": "✏️", "take": "🔁", "hold": "⏸️"}


async def screen(stage: Stage, guild: discord.Guild) -> Any:
    """The GM's private channel, if the server has one that the bot can write in."""
    number = await stage.desk.rooms.setting(guild_place(guild.id), "gm_screen")
    return guild.get_channel_or_thread(int(number)) if number else None


async def show_draft(stage: Stage, guild: discord.Guild, channel: int, line: Line, asked: str) -> None:
    """Put a line before the GM."""
    place = await screen(stage, guild)
    if place is None:
        raise Refusal("gm.no_screen")
    text = words(guild.preferred_locale, "draft.shown", name=line.name, channel=f"<#{channel}>", asked=asked[:300])
    view = discord.ui.View(timeout=None)
    for act in _ACTS:
        view.add_item(DraftButton(channel, line.line_id, act))
    none = discord.AllowedMentions.none()
    await place.send(f"{text}\n>>> {line.text[:1400]}", view=view, allowed_mentions=none)


class DraftButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"draft:(?P<channel>\d+):(?P<line>\d+):(?P<act>[a-z]+)"
):
    """Send, Edit, Another, Hold; works after a restart."""

    def __init__(self, channel: int, line: int, act: str) -> None:
        button: discord.ui.Button[Any] = discord.ui.Button(
            emoji=_ACTS[act], label=words(None, f"draft.{act}"), custom_id=f"draft:{channel}:{line}:{act}"
        )
        super().__init__(button)
        self.channel, self.line, self.act = channel, line, act

    @classmethod
    async def from_custom_id(cls, interaction: Context, item: Any, match: re.Match[str], /) -> Self:
        """The button again."""
        act = match["act"] if match["act"] in _ACTS else "hold"
        return cls(int(match["channel"]), int(match["line"]), act)

    async def callback(self, interaction: Context) -> None:
        """Decide."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction, defer=False) as answer:
            await stage.desk.need_gm(interaction)
            if self.act == "edit":
                room, _, _ = await _sit(stage, interaction, self.channel)
                line = await _draft(room, self.line)
                await interaction.response.send_modal(EditDraft(answer, self.channel, line.id, line.text))
                return
            await interaction.response.defer()
            await decide(stage, interaction, self.channel, self.line, self.act)


class EditDraft(Form):
    """The GM's words in place of the draft's."""

    def __init__(self, answer: Answer, channel: int, line: int, text: str) -> None:
        super().__init__(answer.words("edit.title"))
        self.channel, self.line = channel, line
        self.text = self.ask("text", answer.words("edit.said"), text)

    async def on_submit(self, interaction: Context) -> None:
        """Send it corrected."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction, defer=False):
            await interaction.response.defer()
            await stage.desk.need_gm(interaction)
            room, hand, channel = await _sit(stage, interaction, self.channel)
            await _draft(room, self.line)
            line = await room.table.edit(self.text.value, self.line, by=hand)
            await stage.show(room, channel, line)
            await _done(interaction, "draft.done.edit", line.text)


async def _sit(stage: Stage, interaction: Context, channel: int) -> tuple[Room, Hand, Any]:
    """The room a draft is for, which is another channel's than the GM's."""
    assert interaction.guild is not None
    place = interaction.guild.get_channel_or_thread(channel)
    if place is None:
        raise Refusal("error.no_line")
    seat = await stage.desk.seat(interaction.user)
    room = await stage.desk.rooms.room(interaction.guild.id, channel, seat)
    return room, await stage.desk.rooms.hand(room, seat, "interaction"), place


async def _draft(room: Room, line: int) -> StoredTurn:
    """A draft that may still be decided; what was held back or struck meanwhile is shown to nobody."""
    stored = await room.table.correcting.line(line)
    async with room.table.state.store.session() as session:
        if await lines.standing(session, line) is None:
            raise Refusal("draft.gone")
    return stored


async def decide(stage: Stage, interaction: Context, channel: int, line: int, act: str) -> None:
    """Send a draft, have another one, or hold it back."""
    room, hand, place = await _sit(stage, interaction, channel)
    stored = await _draft(room, line)
    if act == "send":
        await room.table.react("👍", line, by=hand)
        await stage.show(room, place, Line(line, stored.npc or "", stored.speaker, stored.text, 1, None))
        await _done(interaction, "draft.done.send", stored.text)
    elif act == "hold":
        await room.table.react("👎", line, by=hand)
        async with room.table.state.store.session() as session:
            await lines.retract(session, line, room.table.state.clock())
        await _done(interaction, "draft.done.hold", stored.text)
    else:
        made = await stage.quietly(room, room.table.another_take(line, by=hand))
        assert interaction.guild is not None
        await _done(interaction, "draft.done.take", stored.text)
        if made is not None:
            await show_draft(stage, interaction.guild, channel, made, await room.table.correcting.asked(stored))


async def _done(interaction: Context, key: str, text: str) -> None:
    told = words(interaction.guild_locale, key, who=interaction.user.display_name)
    await interaction.edit_original_response(content=f"{told}\n>>> {text[:1500]}", view=None)


# --- two voices --------------------------------------------------------------------------------


async def taste(stage: Stage, room: Room, channel: Any) -> None:
    """Let another voice say the newest line too, and ask the table which it likes, without saying which is which."""
    line = await room.table.correcting.line(None)
    first, second = await stage.two_voices(room, line)
    order = [first, second]
    room.table.state.rng.shuffle(order)
    locale = channel.guild.preferred_locale
    text = "\n".join(f"**{letter}** {take.text[:800]}" for letter, take in zip("AB", order, strict=True))
    view = discord.ui.View(timeout=None)
    for letter, take, other in zip("AB", order, order[::-1], strict=True):
        view.add_item(VoteButton(line.id, take.number, other.number, letter))
    head = words(locale, "taste.ask", name=line.speaker)
    await channel.send(f"{head}\n{text}", view=view, allowed_mentions=discord.AllowedMentions.none())


class VoteButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"vote:(?P<line>\d+):(?P<take>\d+):(?P<other>\d+):(?P<letter>[AB])",
):
    """A vote for one of two takes."""

    def __init__(self, line: int, take: int, other: int, letter: str) -> None:
        super().__init__(discord.ui.Button(label=letter, custom_id=f"vote:{line}:{take}:{other}:{letter}"))
        self.line, self.take, self.other = line, take, other

    @classmethod
    async def from_custom_id(cls, interaction: Context, item: Any, match: re.Match[str], /) -> Self:
        """The button again."""
        return cls(int(match["line"]), int(match["take"]), int(match["other"]), match["letter"])

    async def callback(self, interaction: Context) -> None:
        """Count it."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, hand = await desk.sit(interaction)
            if hand.person.consent == "refused" and not hand.gm:
                raise Refusal("rate.opted_out")
            await room.table.correcting.vote(self.take, self.other, self.line, by=hand)
            await answer.say("taste.counted")
