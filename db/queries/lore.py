"""What the lorebooks' timed effects have come to in a conversation."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Conversation


async def timers(session: AsyncSession, scene: int, npc: str) -> dict[str, Any]:
    """The effects of an NPC's conversation in a scene, as JSON; none where it has none."""
    here = select(Conversation.lore).where(Conversation.scene_id == scene, Conversation.npc == npc)
    return await session.scalar(here) or {}


async def keep_timers(session: AsyncSession, scene: int, npc: str, effects: dict[str, Any]) -> None:
    """Keep them for the next line, and for whoever opens the table again."""
    here = update(Conversation).where(Conversation.scene_id == scene, Conversation.npc == npc)
    await session.execute(here.values(lore=effects))
