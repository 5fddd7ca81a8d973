"""Which adapter an NPC speaks with, and the requests for nights."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ActiveAdapter, AdapterVersion, NightRequest


@dataclass(frozen=True)
class Speaking:
    """The adapter in force."""

    adapter: str
    path: str


async def active_adapter(session: AsyncSession, campaign: int, npc: str) -> Speaking | None:
    """The adapter an NPC speaks with now, None for the bare base."""
    row = (
        await session.execute(
            select(AdapterVersion.adapter, AdapterVersion.path)
            .join(ActiveAdapter, ActiveAdapter.adapter == AdapterVersion.adapter)
            .where(ActiveAdapter.campaign_id == campaign, ActiveAdapter.npc == npc)
        )
    ).first()
    return Speaking(row[0], row[1]) if row else None


async def set_active(session: AsyncSession, campaign: int, npc: str, adapter: str | None, now: datetime) -> None:
    """Promote or roll back: one UPDATE (one INSERT the first time)."""
    done = await session.execute(
        update(ActiveAdapter)
        .where(ActiveAdapter.campaign_id == campaign, ActiveAdapter.npc == npc)
        .values(adapter=adapter, changed_at=now)
    )
    if not done.rowcount:
        session.add(ActiveAdapter(campaign_id=campaign, npc=npc, adapter=adapter, changed_at=now))


async def request_night(session: AsyncSession, campaign: int, npc: str | None, now: datetime) -> None:
    """Ask for a night; the nightly service answers."""
    session.add(NightRequest(campaign_id=campaign, npc=npc, asked_at=now, state="waiting"))
