"""What the GM told: facts in one NPC's head, and lore that everybody of a campaign knows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ToldFact


@dataclass(frozen=True)
class Told:
    """A fact with its identity; without an NPC it is lore."""

    id: int
    npc: str | None
    text: str


async def tell(
    session: AsyncSession, campaign: int, npc: str | None, text: str, now: datetime, *, by: int | None = None
) -> int:  # fmt: skip
    """Add a fact."""
    row = ToldFact(campaign_id=campaign, npc=npc, text=text, participant_id=by, told_at=now)
    session.add(row)
    await session.flush()
    return row.id


async def known(session: AsyncSession, campaign: int, npc: str | None) -> list[Told]:
    """What an NPC was told and everybody knows, newest first; without an NPC only what everybody knows."""
    heads = ToldFact.npc.is_(None) if npc is None else (ToldFact.npc == npc) | ToldFact.npc.is_(None)
    wanted = select(ToldFact).where(ToldFact.campaign_id == campaign, heads, ToldFact.text != "")
    rows = await session.scalars(wanted.order_by(ToldFact.id.desc()))
    return [Told(row.id, row.npc, row.text) for row in rows]


async def untell(session: AsyncSession, campaign: int, fact: int) -> bool:
    """Take a fact back; whether there was one."""
    found = await session.scalar(select(ToldFact.id).where(ToldFact.id == fact, ToldFact.campaign_id == campaign))
    await session.execute(delete(ToldFact).where(ToldFact.id == fact, ToldFact.campaign_id == campaign))
    return found is not None
