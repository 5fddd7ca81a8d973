"""Plain emoji reactions count like the controls: heard as raw events, so also on old lines and after a restart."""

import asyncio
import contextlib
import logging

import discord

from bot.discord_app import actions
from bot.discord_app.stage import Stage
from bot.table.feedback import EMOJI
from characters.errors import UnderstudyError
from db.queries import places

log = logging.getLogger(__name__)

_A_MOMENT = 0.5


async def on_reaction(stage: Stage, client: discord.Client, event: discord.RawReactionActionEvent) -> None:
    """Count a reaction to a line, or take it back."""
    emoji = str(event.emoji)
    kind = EMOJI.get(emoji.replace("\ufe0f", ""))
    if kind is None or event.guild_id is None or (client.user and event.user_id == client.user.id):
        return
    found = await _carried(stage, event.message_id)
    if found is None and stage.desk.queue.busy:  # a line that appeared this moment is noted in the next
        await asyncio.sleep(_A_MOMENT)
        found = await _carried(stage, event.message_id)
    guild = client.get_guild(event.guild_id)
    if found is None or guild is None:
        return
    member = event.member or guild.get_member(event.user_id) or await _fetch(guild, event.user_id)
    channel = guild.get_channel_or_thread(event.channel_id)
    if member is None or member.bot or channel is None:
        return
    seat = await stage.desk.seat(member)
    room = await stage.desk.rooms.room(event.guild_id, event.channel_id, seat)
    hand = await stage.desk.rooms.hand(room, seat, "interaction")
    removed = event.event_type == "REACTION_REMOVE"
    with contextlib.suppress(UnderstudyError):  # somebody else's message, or one who opted out
        if kind == "safety_x":
            if not removed:
                await actions.safety(stage, room, hand, channel, found.turn)
        else:
            await actions.rate(room, hand, emoji, found.turn, remove=removed)


async def _carried(stage: Stage, message: int) -> places.Carried | None:
    async with stage.desk.rooms.house.store.session() as session:
        return await places.carried(session, str(message))


async def _fetch(guild: discord.Guild, user: int) -> discord.Member | None:
    """A member the cache does not know; without the members intent that is usual for a removal."""
    try:
        return await guild.fetch_member(user)
    except discord.HTTPException:
        return None
