"""The nights of a campaign, newest first, each with its stages; read in two statements."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Night, NightStage


@dataclass(frozen=True)
class Stage:
    """One stage of a night."""

    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class NightSeen:
    """One NPC's night."""

    id: int
    npc: str
    state: str
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    reason: str
    report: dict[str, Any]
    stages: tuple[Stage, ...]


async def nights(session: AsyncSession, campaign: int, most: int) -> list[NightSeen]:
    """The last nights."""
    wanted = select(Night).where(Night.campaign_id == campaign).order_by(Night.id.desc()).limit(most)
    rows = list(await session.scalars(wanted))
    stages: dict[int, list[Stage]] = defaultdict(list)
    numbers = [row.id for row in rows]
    for stage in await session.scalars(
        select(NightStage).where(NightStage.night_id.in_(numbers)).order_by(NightStage.id)
    ):
        stages[stage.night_id].append(Stage(stage.stage, stage.state, stage.started_at, stage.ended_at))
    return [
        NightSeen(row.id, row.npc, row.state, row.attempts, row.started_at, row.ended_at, row.reason,
                  dict(row.report), tuple(stages[row.id]))
        for row in rows
    ]  # fmt: skip
