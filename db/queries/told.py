"""What the GM told: facts in one NPC's head, and lore that everybody of a campaign knows; memories of its own kind."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from characters.remembering import Noted
from db.queries import memories


async def tell(  # noqa: PLR0913  (what is told, to whom, by whom, since when)
    session: AsyncSession, campaign: int, npc: str | None, text: str, now: datetime,
    *, by: int | None = None, known_since: str = "",
) -> int:  # fmt: skip
    """Put a fact into an NPC's head, or without an NPC into everybody's.

    Args:
        known_since: a campaign date or a scene, before which nobody knows it yet.
    """
    return await memories.add(session, campaign, npc, Noted("told", text), now, by=by, known_since=known_since)


async def known(session: AsyncSession, campaign: int, npc: str | None) -> list[memories.Remembered]:
    """What the GM told an NPC and everybody, newest first; without an NPC what everybody was told."""
    return [one for one in await memories.shown(session, campaign, npc) if one.kind == "told"]
