"""Nights: when one may run, who runs it, and how far it came.

A request goes from `waiting` to `running` to `done` or `failed`; a service that dies leaves it
`running`, and it is given back after a while. A campaign that is to learn nothing from an evening
gets a request that is `skipped` at once: what was said before it is no news any more.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import (
    AdapterVersion,
    Campaign,
    Feedback,
    Night,
    NightRequest,
    NightStage,
    PlaySession,
    SceneRow,
    TurnRow,
)

_RESUMABLE = timedelta(hours=36)
_AHEAD = timedelta(hours=1)  # a moment further in the future was written while a clock was wrong, and says nothing


# --- is anybody playing? -------------------------------------------------------------------------


async def take_seat(session: AsyncSession, evening: int, now: datetime) -> None:
    """Note that somebody sits down at an evening, before the first word is said."""
    await session.execute(update(PlaySession).where(PlaySession.id == evening).values(seated_at=now))


async def leave_seat(session: AsyncSession, evening: int, now: datetime) -> None:
    """Note that somebody left without ending the evening; whoever speaks there later is there again."""
    await session.execute(update(PlaySession).where(PlaySession.id == evening).values(left_at=now))


async def sessions_open(
    session: AsyncSession, since: datetime, campaign: int | None = None, now: datetime | None = None
) -> list[int]:
    """The evenings somebody plays at: not ended, not left, and with a sign of life.

    Args:
        since: signs before this do not count, so that a terminal that was closed without a word
            does not keep the nights away for ever.
        campaign: only this one's; all of the database if None, for they share the machine.
        now: signs of the future do not count either.
    """
    until = now + _AHEAD if now is not None else None
    talk = select(SceneRow.session_id, func.max(TurnRow.said_at)).join(TurnRow, TurnRow.scene_id == SceneRow.id)
    votes = (
        select(SceneRow.session_id, func.max(Feedback.given_at))
        .join(TurnRow, TurnRow.scene_id == SceneRow.id).join(Feedback, Feedback.turn_id == TurnRow.id)
    )  # fmt: skip
    signs: dict[int, list[datetime]] = {}
    for found, when in ((talk, TurnRow.said_at), (votes, Feedback.given_at)):
        known = found.where(when >= since) if until is None else found.where(when.between(since, until))
        for evening, moment in (await session.execute(known.group_by(SceneRow.session_id))).all():
            signs.setdefault(evening, []).append(moment)
    wanted = select(PlaySession).where(PlaySession.stopped_at.is_(None)).order_by(PlaySession.id)
    if campaign is not None:
        wanted = wanted.where(PlaySession.campaign_id == campaign)
    begun = list(await session.scalars(wanted))
    return [evening.id for evening in begun if _alive(evening, signs.get(evening.id, []), since, until)]


def _alive(evening: PlaySession, signs: list[datetime], since: datetime, until: datetime | None) -> bool:
    seated, left = (moment if moment and (until is None or moment <= until) else None
                    for moment in (evening.seated_at, evening.left_at))  # fmt: skip
    if seated is not None and seated >= since:
        signs = [*signs, seated]
    return bool(signs) and (left is None or max(signs) > left)


# --- is there anything to learn? -----------------------------------------------------------------


async def campaigns(session: AsyncSession) -> dict[int, str]:
    """Every campaign's name by its id."""
    rows = await session.execute(select(Campaign.id, Campaign.name).order_by(Campaign.id))
    return {number: name for number, name in rows.all()}  # noqa: C416  (rows are no pairs to the type checker)


async def npcs_with_news(
    session: AsyncSession, campaign: int, before: datetime | None = None, now: datetime | None = None
) -> list[str]:
    """The NPCs with a reaction, given or taken back, that no night has looked at yet, by name.

    Args:
        before: only what came before this moment is news.
        now: a night that says it was in the future has looked at nothing.
    """
    heard = _reactions(campaign)
    standing = select(TurnRow.npc).distinct().where(*heard, Feedback.withdrawn_at.is_(None))
    found = []
    for npc in sorted(npc for npc in await session.scalars(standing) if npc):
        known = await _looked_at(session, campaign, npc, now + _AHEAD if now is not None else None)
        moments = (Feedback.given_at, Feedback.withdrawn_at)
        fresh = [moment.is_not(None) if known is None else moment > known for moment in moments]
        if before is not None:
            fresh = [new & (moment < before) for new, moment in zip(fresh, moments, strict=True)]
        if await session.scalar(select(Feedback.id).where(*heard, TurnRow.npc == npc, or_(*fresh)).limit(1)):
            found.append(npc)
    return found


def _reactions(campaign: int) -> tuple[Any, ...]:
    return (
        Feedback.turn_id == TurnRow.id, TurnRow.npc.is_not(None), SceneRow.id == TurnRow.scene_id,
        PlaySession.id == SceneRow.session_id, PlaySession.campaign_id == campaign,
    )  # fmt: skip


async def _looked_at(session: AsyncSession, campaign: int, npc: str, until: datetime | None) -> datetime | None:
    """Up to which moment an NPC's reactions are dealt with."""
    trained = (AdapterVersion.campaign_id == campaign, AdapterVersion.npc == npc)
    finished = (Night.campaign_id == campaign, Night.npc == npc, Night.state == "done")
    skipped = (
        NightRequest.campaign_id == campaign, NightRequest.state == "skipped",
        or_(NightRequest.npc.is_(None), NightRequest.npc == npc),
    )  # fmt: skip
    ways = ((AdapterVersion.made_at, trained), (Night.started_at, finished), (NightRequest.asked_at, skipped))
    moments = [
        await session.scalar(select(func.max(when)).where(*where, *((when <= until,) if until is not None else ())))
        for when, where in ways
    ]
    return max((moment for moment in moments if moment is not None), default=None)


# --- requests ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """A wish for a night.

    Attributes:
        npc: whose; None for everybody with news.
        state: "waiting", "running", "done", "failed" or "skipped".
        taken_by: the service that runs it, or ran it last.
    """

    id: int
    campaign: int
    npc: str | None
    state: str
    asked_at: datetime
    taken_by: str = ""
    taken_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


def _request(row: NightRequest) -> Request:
    return Request(row.id, row.campaign_id, row.npc, row.state, row.asked_at, row.taken_by, row.taken_at,
                   row.ended_at, row.reason)  # fmt: skip


async def requests(session: AsyncSession, campaign: int | None = None, state: str | None = None) -> list[Request]:
    """The requests, oldest first."""
    wanted = select(NightRequest).order_by(NightRequest.id)
    if campaign is not None:
        wanted = wanted.where(NightRequest.campaign_id == campaign)
    if state is not None:
        wanted = wanted.where(NightRequest.state == state)
    return [_request(row) for row in await session.scalars(wanted)]


async def ask(session: AsyncSession, campaign: int, npc: str, now: datetime) -> bool:
    """Ask for an NPC's night unless that is asked for already; whether it was new."""
    same = select(NightRequest.id).where(
        NightRequest.campaign_id == campaign, NightRequest.state.in_(("waiting", "running")),
        or_(NightRequest.npc.is_(None), NightRequest.npc == npc),
    )  # fmt: skip
    if await session.scalar(same.limit(1)) is not None:
        return False
    session.add(NightRequest(campaign_id=campaign, npc=npc, asked_at=now, state="waiting"))
    return True


async def skip_night(session: AsyncSession, campaign: int, now: datetime) -> None:
    """What the table has said so far is no reason for a night; later reactions are, and then all is learnt."""
    session.add(NightRequest(campaign_id=campaign, npc=None, asked_at=now, state="skipped", ended_at=now))


async def claim(
    session: AsyncSession, service: str, now: datetime, but_not: Collection[int] = ()
) -> Request | None:
    """Take the oldest waiting request of a campaign that no other service serves; two never get the same one.

    The choice and the change are one statement: SQLite has one writer at a time, and PostgreSQL
    passes over a row that somebody else is just taking. A campaign's nights run one after the other, so
    its other requests wait.

    Args:
        but_not: campaigns whose requests are left to others.
    """
    theirs = aliased(NightRequest)
    served = (
        select(theirs.id)
        .where(theirs.campaign_id == NightRequest.campaign_id, theirs.state == "running", theirs.taken_by != service)
        .correlate(NightRequest).exists()
    )  # fmt: skip
    oldest = (
        select(NightRequest.id)
        .where(NightRequest.state == "waiting", NightRequest.campaign_id.not_in(but_not), ~served)
        .order_by(NightRequest.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    )  # fmt: skip
    taken = await session.scalar(
        update(NightRequest)
        .where(NightRequest.id == oldest, NightRequest.state == "waiting")
        .values(state="running", taken_by=service, taken_at=now)
        .returning(NightRequest.id),
        execution_options={"synchronize_session": False},
    )
    if taken is None:
        return None
    row = await session.get(NightRequest, taken, populate_existing=True)
    return _request(row) if row else None


async def beat(session: AsyncSession, request: int, service: str, now: datetime) -> bool:
    """Say that a request is still being worked on; False when it was given to somebody else."""
    done = await session.execute(_running(request, service).values(taken_at=now))
    return bool(cast(CursorResult[Any], done).rowcount)


async def release(session: AsyncSession, request: int, service: str) -> None:
    """Give a request back: its night was interrupted and goes on later."""
    await session.execute(_running(request, service).values(state="waiting"))


async def finish(
    session: AsyncSession, request: int, service: str, now: datetime, state: str = "done", reason: str = ""
) -> None:
    """End a request as `done` or `failed`."""
    await session.execute(_running(request, service).values(state=state, ended_at=now, reason=reason))


def _running(request: int, service: str) -> Any:
    return update(NightRequest).where(
        NightRequest.id == request, NightRequest.taken_by == service, NightRequest.state == "running"
    )


async def return_stale(session: AsyncSession, before: datetime, now: datetime | None = None) -> int:
    """Give back what services that died were running, told by their last sign; returns how many.

    Args:
        before: a sign before this is too old.
        now: a sign of the future was given while the clock was wrong.
    """
    wrong = [NightRequest.taken_at.is_(None), NightRequest.taken_at < before]
    if now is not None:
        wrong.append(NightRequest.taken_at > now + _AHEAD)
    done = await session.execute(
        update(NightRequest)
        .where(NightRequest.state == "running", or_(*wrong))
        .values(state="waiting")
    )
    return cast(CursorResult[Any], done).rowcount


# --- how far a night came ------------------------------------------------------------------------


@dataclass(frozen=True)
class StageRecord:
    """One stage of a night; `result` is what the next stage and a resumed night need."""

    stage: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    result: dict[str, Any]


@dataclass(frozen=True)
class NightRecord:
    """One NPC's night.

    Attributes:
        state: "running" (also when interrupted), "done", "failed" or "abandoned".
        attempts: how often it was begun; more than one means that it is being resumed.
        stages: by name, in the order they began.
    """

    id: int
    campaign: int
    npc: str
    state: str
    attempts: int
    started_at: datetime
    ended_at: datetime | None = None
    reason: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, StageRecord] = field(default_factory=dict)

    def result(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage left; None if the stage has to be run."""
        record = self.stages.get(stage)
        return record.result if record is not None and record.state == "done" else None


async def begin_night(
    session: AsyncSession, campaign: int, npc: str, now: datetime, resumable: timedelta = _RESUMABLE
) -> NightRecord:
    """Begin an NPC's night, or go on with the one that was interrupted.

    Args:
        resumable: how long ago an interrupted night may have begun; an older one is abandoned, for
            the table has moved on.
    """
    unfinished = select(Night).where(Night.campaign_id == campaign, Night.npc == npc, Night.state == "running")
    row = None
    for found in await session.scalars(unfinished.order_by(Night.id.desc())):
        if row is None and found.started_at >= now - resumable:
            row = found
            row.attempts += 1
        else:
            found.state, found.ended_at = "abandoned", now
    if row is None:
        row = Night(campaign_id=campaign, npc=npc, state="running", attempts=1, started_at=now, ended_at=None,
                    reason="", report={})  # fmt: skip
        session.add(row)
    await session.flush()
    return await _night(session, row)


async def still_runs(session: AsyncSession, night: int) -> bool:
    """Whether a night was not ended from outside; where the answer is yes it stays so until the transaction ends."""
    return await session.scalar(select(Night.state).where(Night.id == night).with_for_update()) == "running"


async def record_stage(
    session: AsyncSession, night: int, stage: str, state: str, now: datetime, result: dict[str, Any] | None = None
) -> bool:
    """Note that a stage of a night is `running`, `done` or `failed`; a stage begun again begins anew.

    Returns:
        Whether the night is still to go on; it is not when it was ended from outside, because a
        person whose lines it learns from is forgotten. Then nothing is noted.
    """
    if not await still_runs(session, night):
        return False
    row = await session.scalar(select(NightStage).where(NightStage.night_id == night, NightStage.stage == stage))
    if row is None:
        row = NightStage(night_id=night, stage=stage, started_at=now)
        session.add(row)
    if state == "running":
        row.started_at = now
    row.state, row.result = state, result or {}
    row.ended_at = None if state == "running" else now
    await session.flush()
    return True


async def finish_night(
    session: AsyncSession, night: int, state: str, now: datetime, report: dict[str, Any] | None = None,
    reason: str = "",
) -> bool:  # fmt: skip
    """End a night as `done`, `failed` or `abandoned`; what it looked at is no news any more if it is done.

    Returns:
        False where it had been ended already; that stands.
    """
    values = {"state": state, "ended_at": now, "report": report or {}, "reason": reason}
    done = await session.execute(update(Night).where(Night.id == night, Night.state == "running").values(values))
    return bool(cast(CursorResult[Any], done).rowcount)


async def last_night(
    session: AsyncSession, campaign: int, npc: str, state: str | None = None
) -> NightRecord | None:
    """The newest night of an NPC, or the newest of a state."""
    wanted = select(Night).where(Night.campaign_id == campaign, Night.npc == npc).order_by(Night.id.desc()).limit(1)
    if state is not None:
        wanted = wanted.where(Night.state == state)
    row = await session.scalar(wanted)
    return await _night(session, row) if row is not None else None


async def _night(session: AsyncSession, row: Night) -> NightRecord:
    rows = await session.scalars(select(NightStage).where(NightStage.night_id == row.id).order_by(NightStage.id))
    stages = {
        stage.stage: StageRecord(stage.stage, stage.state, stage.started_at, stage.ended_at, dict(stage.result))
        for stage in rows
    }
    return NightRecord(row.id, row.campaign_id, row.npc, row.state, row.attempts, row.started_at, row.ended_at,
                       row.reason, dict(row.report), stages)  # fmt: skip
