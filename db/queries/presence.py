"""The ledger of presence: who was in a scene for which of its turns, and so what they witnessed.

What an NPC was not there for is in none of its prompts; this is where that is decided.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import Conversation, Presence, TurnRow
from db.prepared import Prepared


async def enter(session: AsyncSession, scene: int, who: str, kind: str, now: datetime) -> None:
    """Note that somebody comes into a scene; an NPC gets its conversation there."""
    here = await session.scalar(
        select(Presence.id).where(Presence.scene_id == scene, Presence.who == who, Presence.left_at.is_(None))
    )
    if here is None:
        after = await _newest(session, scene)
        session.add(Presence(scene_id=scene, who=who, kind=kind, joined_at=now, left_at=None, after=after, until=None))
    if kind == "npc":
        known = select(Conversation.id).where(Conversation.scene_id == scene, Conversation.npc == who)
        if await session.scalar(known) is None:
            session.add(Conversation(scene_id=scene, npc=who, split=None))
    await session.flush()


async def leave(session: AsyncSession, scene: int, who: str, now: datetime) -> None:
    """Note that somebody left."""
    gone = update(Presence).where(Presence.scene_id == scene, Presence.who == who, Presence.left_at.is_(None))
    await session.execute(gone.values(left_at=now, until=await _newest(session, scene)))


async def end_scenes(session: AsyncSession, scenes: Select[int], now: datetime) -> None:
    """Note that scenes are over; whoever was still there witnessed them to the end."""
    gone = update(Presence).where(Presence.scene_id.in_(scenes), Presence.left_at.is_(None))
    await session.execute(gone.values(left_at=now), execution_options={"synchronize_session": False})


async def present(session: AsyncSession, scene: int, kind: str) -> list[str]:
    """Who of a kind is in a scene, in order of arrival."""
    found = await session.scalars(
        select(Presence.who)
        .where(Presence.scene_id == scene, Presence.kind == kind, Presence.left_at.is_(None))
        .order_by(Presence.id)
    )
    return list(found)


async def ever_present(session: AsyncSession, scene: int, kind: str) -> list[str]:
    """Who of a kind was in a scene at any time, in order of arrival."""
    found = await session.scalars(
        select(Presence.who).where(Presence.scene_id == scene, Presence.kind == kind).order_by(Presence.id)
    )
    return list(dict.fromkeys(found))


def witnessed(npc: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an NPC witnessed a turn, as a condition on turns: it was there, said it, or answered it."""
    answer = aliased(TurnRow)
    there = exists().where(
        Presence.scene_id == TurnRow.scene_id, Presence.who == npc, Presence.kind == "npc",
        Presence.after < TurnRow.ordinal, or_(Presence.until.is_(None), TurnRow.ordinal <= Presence.until),
    )  # fmt: skip
    answered = exists().where(and_(answer.answers_id == TurnRow.id, answer.npc == npc))
    return or_(there, TurnRow.npc == npc, answered)


_WITNESSES = Prepared(
    select(Presence.who)
    .where(Presence.scene_id == bindparam("scene"), Presence.kind == "npc", Presence.after < bindparam("ordinal"))
    .where(or_(Presence.until.is_(None), Presence.until >= bindparam("ordinal"))).order_by(Presence.id)
)  # fmt: skip


async def witnesses(session: AsyncSession, scene: int, ordinal: int) -> list[str]:
    """The NPCs that were there for a turn, in order of arrival."""
    return list(dict.fromkeys((await _WITNESSES(session, scene=scene, ordinal=ordinal)).scalars()))


async def _newest(session: AsyncSession, scene: int) -> Any:
    return await session.scalar(select(func.max(TurnRow.ordinal)).where(TurnRow.scene_id == scene)) or 0
