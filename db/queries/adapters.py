"""Which adapter an NPC speaks with, and the requests for nights."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import ActiveAdapter, AdapterVersion, NightRequest
from db.prepared import Prepared

_UNTIL = "spoke_until"  # in a retired adapter's report: when another was promoted in its place


@dataclass(frozen=True)
class Speaking:
    """The adapter in force, and the base it was trained on."""

    adapter: str
    path: str
    base_id: str


_ACTIVE = Prepared(
    select(AdapterVersion.adapter, AdapterVersion.path, AdapterVersion.base_id)
    .join(ActiveAdapter, ActiveAdapter.adapter == AdapterVersion.adapter)
    .where(ActiveAdapter.campaign_id == bindparam("campaign"), ActiveAdapter.npc == bindparam("npc"))
)


async def active_adapter(session: AsyncSession, campaign: int, npc: str) -> Speaking | None:
    """The adapter an NPC speaks with now, on the base it was trained on; None for the bare base."""
    row = (await _ACTIVE(session, campaign=campaign, npc=npc)).first()
    return Speaking(row[0], row[1], row[2]) if row else None


async def in_good_standing(session: AsyncSession, adapter: str) -> bool:
    """Whether an adapter may still be heard: neither rolled back nor blocked."""
    state = await session.scalar(select(AdapterVersion.state).where(AdapterVersion.adapter == adapter))
    return state in {"active", "retired", "candidate"}


async def set_active(session: AsyncSession, campaign: int, npc: str, adapter: str | None, now: datetime) -> None:
    """Promote or roll back: one UPDATE (one INSERT the first time)."""
    done = await session.execute(
        update(ActiveAdapter)
        .where(ActiveAdapter.campaign_id == campaign, ActiveAdapter.npc == npc)
        .values(adapter=adapter, changed_at=now)
    )
    if not cast(CursorResult[Any], done).rowcount:
        session.add(ActiveAdapter(campaign_id=campaign, npc=npc, adapter=adapter, changed_at=now))


async def request_night(session: AsyncSession, campaign: int, npc: str | None, now: datetime) -> None:
    """Ask for a night; the nightly service answers."""
    session.add(NightRequest(campaign_id=campaign, npc=npc, asked_at=now, state="waiting"))


@dataclass(frozen=True)
class Version:
    """An adapter that was trained.

    Attributes:
        state: "candidate", "held", "active", "retired", "rolled_back", or "blocked" where it learnt from
            somebody who is forgotten.
        report: the gate's numbers and reason.
    """

    adapter: str
    npc: str
    path: str
    base_id: str
    state: str
    report: dict[str, Any]
    made_at: datetime


async def add_version(session: AsyncSession, campaign: int, version: Version) -> None:
    """Register a trained adapter; the same adapter trained again is the same version, with the later verdict."""
    known = await session.scalar(select(AdapterVersion.state).where(AdapterVersion.adapter == version.adapter))
    if known in {"candidate", "held"}:
        await judge_again(session, version.adapter, version.state, version.report)
    elif known is None:
        session.add(AdapterVersion(
            campaign_id=campaign, npc=version.npc, adapter=version.adapter, path=version.path, base_id=version.base_id,
            state=version.state, report=version.report, made_at=version.made_at,
        ))  # fmt: skip


async def versions(session: AsyncSession, campaign: int, npc: str | None = None) -> list[Version]:
    """All trained adapters, newest first."""
    wanted = select(AdapterVersion).where(AdapterVersion.campaign_id == campaign).order_by(AdapterVersion.id.desc())
    if npc is not None:
        wanted = wanted.where(AdapterVersion.npc == npc)
    return [
        Version(row.adapter, row.npc, row.path, row.base_id, row.state, dict(row.report), row.made_at)
        for row in await session.scalars(wanted)
    ]


async def judge_again(session: AsyncSession, adapter: str, state: str, report: dict[str, Any]) -> None:
    """Put a later verdict in place of an adapter's first; one that speaks, or may not, keeps its state."""
    found = update(AdapterVersion).where(AdapterVersion.adapter == adapter)
    await session.execute(found.values(report=report))
    await session.execute(found.where(AdapterVersion.state.in_(("candidate", "held"))).values(state=state))


async def promote(session: AsyncSession, campaign: int, version: Version, now: datetime) -> None:
    """Let an NPC speak with an adapter from its next line on."""
    for row in await session.scalars(_of(campaign, version.npc, "active")):
        row.state, row.report = "retired", {**row.report, _UNTIL: now.isoformat()}
    await session.flush()
    chosen = update(AdapterVersion).where(AdapterVersion.adapter == version.adapter)
    await session.execute(chosen.values(state="active"))
    await set_active(session, campaign, version.npc, version.adapter, now)


async def roll_back(session: AsyncSession, campaign: int, npc: str, now: datetime) -> str | None:
    """Go back to the adapter before, or to the bare base; what is rolled back is not promoted again.

    Returns:
        The adapter now in force, None for the base.
    """
    for row in await session.scalars(_of(campaign, npc, "active")):
        row.state = "rolled_back"
    await session.flush()
    return await voice_before(session, campaign, npc, now)


async def voice_before(session: AsyncSession, campaign: int, npc: str, now: datetime) -> str | None:
    """Let an NPC speak with the adapter it spoke with last before the one in force, on the same base; else the base.

    Returns:
        The adapter now in force, None for the base.
    """
    speaking = await active_adapter(session, campaign, npc)
    retired = [
        row for row in await session.scalars(_of(campaign, npc, "retired"))
        if speaking is None or row.base_id == speaking.base_id
    ]  # fmt: skip
    # Those retired before that moment was noted have none, and come before all that have one, by age.
    before = max(retired, key=lambda row: (str(row.report.get(_UNTIL, "")), row.id), default=None)
    if before is not None:
        before.state = "active"
        await session.flush()
    await set_active(session, campaign, npc, before.adapter if before else None, now)
    return before.adapter if before else None


def _of(campaign: int, npc: str, state: str) -> Select[AdapterVersion]:
    found = select(AdapterVersion).where(AdapterVersion.campaign_id == campaign, AdapterVersion.npc == npc)
    return found.where(AdapterVersion.state == state)
