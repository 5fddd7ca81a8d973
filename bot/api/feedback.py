"""`/v1/feedback`: what somebody thought of a line, through the same use cases as a reaction at any table."""

from typing import Any

from bot.api.completions import Completions, line_number
from bot.api.conversations import seat_of
from bot.api.errors import ApiError
from bot.api.host import Caller
from bot.api.schemas import FeedbackRequest
from db.queries import play

_KINDS = {
    "👍": "👍", "up": "👍", "+1": "👍", "thumbs_up": "👍", "👎": "👎", "down": "👎", "-1": "👎", "thumbs_down": "👎",
    "✖": "✖", "x": "✖", "stop": "✖", "❌": "✖", "edit": "edit", "✏": "edit",
}  # fmt: skip


async def give(completions: Completions, given: FeedbackRequest, caller: Caller) -> dict[str, Any]:
    """Record a reaction to a line of the caller's, or take it back.

    Raises:
        UnderstudyError: there is no such line or reaction; nothing was stored.
    """
    kind = _KINDS.get(given.feedback.replace("\ufe0f", "").strip().casefold())
    if kind is None:
        raise ApiError(f"{given.feedback!r} is no feedback I know; use 👍, 👎, ✖ or edit.")
    if kind == "edit" and given.remove:
        raise ApiError("An edit is not taken back; send another edit with the words you want.")
    conversations, line = completions.conversations, line_number(given.line_id)
    place = await completions.place_of_line(caller, line)
    campaign = await _campaign(completions, line)
    seat = seat_of(caller, given.player, given.user, None)
    talking = await conversations.talking(caller, campaign, place, seat)
    try:
        hand = await conversations.hand(talking, caller, seat, given.player.learn if given.player else None)
        table = talking.table
        if kind == "edit":
            text = (await table.edit(given.text, line, by=hand)).text
        else:
            await table.react(kind, line, remove=given.remove, by=hand)
            text = (await table.correcting.line(line, finished=False)).text
    finally:
        talking.waiting -= 1
    return {"object": "feedback", "line_id": line, "feedback": kind, "removed": given.remove, "text": text}


async def _campaign(completions: Completions, line: int) -> str:
    from db.queries import api

    async with completions.conversations.host.store.session() as session:
        found = await api.place_of_line(session, line)
        return await play.campaign_name(session, found[1]) if found else ""
