"""What teachers were asked, what they answered and cost, and the rows that came of it.

A call is written before it is sent and settled when the answer is there. A program that was killed
in between leaves it open: nobody knows whether it was paid for, so it counts as paid, and its answer
as lost. Forgetting a person empties calls and rows through `emptied_calls`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import CandidateRow, Participant, PlaySession, SceneRow, StyleExampleRow, TeacherCall, TurnRow
from db.values import TaughtRow

SENT, ANSWERED, FAILED, LOST, FORGOTTEN = "sent", "answered", "failed", "lost", "forgotten"


@dataclass(frozen=True)
class Call:
    """A call about to be sent; `price_nano` is the most it can cost, in billionths of the currency."""

    key: str
    campaign: int
    run: str
    task: str
    teacher: str
    request: Sequence[Mapping[str, str]]
    price_nano: int


@dataclass(frozen=True)
class Settled:
    """How a call ended."""

    state: str
    answer: str = ""
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    price_nano: int = 0
    tries: int = 1
    reason: str = ""


@dataclass(frozen=True)
class StoredCall:
    """A call as it stands."""

    id: int
    key: str
    run: str
    ended: Settled


@dataclass(frozen=True)
class Spent:
    """What a run has cost: calls that were answered or failed, and those whose answer was lost."""

    calls: int = 0
    lost: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    price_nano: int = 0


async def find_call(session: AsyncSession, key: str) -> StoredCall | None:
    """The call of a key, whatever became of it."""
    row = await session.scalar(select(TeacherCall).where(TeacherCall.key == key))
    if row is None:
        return None
    ended = Settled(row.state, row.answer, row.finish, row.prompt_tokens, row.completion_tokens, row.price_nano,
                    row.tries, row.reason)  # fmt: skip
    return StoredCall(row.id, row.key, row.run, ended)


async def open_call(session: AsyncSession, call: Call, now: datetime) -> int:
    """Write a call down before it is sent; of an earlier one without answer the cost stays, under another key."""
    earlier = select(TeacherCall).where(TeacherCall.key == call.key, TeacherCall.state != ANSWERED)
    if (before := await session.scalar(earlier)) is not None:
        before.key = f"{call.key}~{before.id}"
        await session.flush()
    values = {"campaign_id": call.campaign, "run": call.run, "task": call.task, "teacher": call.teacher,
              "state": SENT, "request": [dict(message) for message in call.request], "answer": "",
              "price_nano": call.price_nano, "asked_at": now, "answered_at": None}  # fmt: skip
    row = TeacherCall(key=call.key, **values)
    session.add(row)
    await session.flush()
    return row.id


async def raise_price(session: AsyncSession, number: int, price_nano: int) -> None:
    """Write down that a call on its way can cost more: it is tried again, and what broke may have been paid for."""
    await session.execute(update(TeacherCall).where(TeacherCall.id == number).values(price_nano=price_nano))


async def settle_call(session: AsyncSession, number: int, ended: Settled, now: datetime) -> None:
    """Write down how a call ended."""
    values = {name: getattr(ended, name) for name in Settled.__dataclass_fields__}
    await session.execute(update(TeacherCall).where(TeacherCall.id == number).values(**values, answered_at=now))


async def lose_open_calls(session: AsyncSession, run: str) -> int:
    """Mark what a killed program had sent: it may have been paid for, and is not sent again."""
    wanted = (TeacherCall.run == run, TeacherCall.state == SENT)
    lost = int(await session.scalar(select(func.count(TeacherCall.id)).where(*wanted)) or 0)
    told = "the program ended before the answer came"
    await session.execute(update(TeacherCall).where(*wanted).values(state=LOST, reason=told))
    return lost


async def spent(session: AsyncSession, run: str) -> Spent:
    """What a run has cost so far, in all its sittings."""
    here = TeacherCall.run == run
    sums = [func.coalesce(func.sum(column), 0) for column in
            (TeacherCall.prompt_tokens, TeacherCall.completion_tokens, TeacherCall.price_nano)]  # fmt: skip
    row = (await session.execute(select(func.count(TeacherCall.id), *sums).where(here))).one()
    lost = await session.scalar(select(func.count(TeacherCall.id)).where(here, TeacherCall.state == LOST))
    return Spent(row[0], lost or 0, int(row[1]), int(row[2]), int(row[3]))


# --- rows ------------------------------------------------------------------------------------------


async def add_rows(
    session: AsyncSession, campaign: int, npc: str, rows: Sequence[TaughtRow], now: datetime
) -> int:
    """Add rows that are not there yet; returns how many were new."""
    known = set(await session.scalars(
        select(CandidateRow.origin).where(CandidateRow.origin.in_([row.origin for row in rows]))
    ))  # fmt: skip
    fresh = [row for row in rows if row.origin not in known]
    session.add_all(
        CandidateRow(
            campaign_id=campaign, npc=npc, kind=row.kind, source=row.source, turn_id=None, payload=dict(row.payload),
            verdict="train" if row.trainable else "leave", reason=row.reason, human_verdict=None, made_at=now,
            origin=row.origin,
        )
        for row in fresh
    )  # fmt: skip
    await session.flush()
    return len(fresh)


async def taught_rows(session: AsyncSession, campaign: int, npc: str, prefix: str = "") -> list[TaughtRow]:
    """The rows teachers made for an NPC, oldest first.

    Args:
        prefix: only origins that begin with it.
    """
    wanted = select(CandidateRow).where(CandidateRow.campaign_id == campaign, CandidateRow.npc == npc)
    wanted = wanted.where(CandidateRow.origin.is_not(None), CandidateRow.origin.startswith(prefix, autoescape=True))
    return [
        TaughtRow(row.origin or "", row.kind, row.source, row.payload, row.verdict == "train", row.reason,
                  row.human_verdict)
        for row in await session.scalars(wanted.order_by(CandidateRow.id))
    ]  # fmt: skip


async def judge_row(session: AsyncSession, origin: str, trainable: bool, reason: str) -> None:
    """Give a row another verdict; a person's own stands above it."""
    verdict = "train" if trainable else "leave"
    await session.execute(
        update(CandidateRow).where(CandidateRow.origin == origin).values(verdict=verdict, reason=reason)
    )


async def note_scores(session: AsyncSession, origin: str, scores: Mapping[str, Any]) -> None:
    """Write what a judge thinks of a row beside it."""
    row = await session.scalar(select(CandidateRow).where(CandidateRow.origin == origin))
    if row is not None:
        row.payload = {**row.payload, "scores": dict(scores)}


async def npcs_taught(session: AsyncSession, campaign: int) -> list[str]:
    """The NPCs with rows by teachers, in order of name."""
    found = await session.scalars(
        select(CandidateRow.npc).distinct()
        .where(CandidateRow.campaign_id == campaign, CandidateRow.origin.is_not(None))
    )  # fmt: skip
    return sorted(found)


# --- what may leave the machine --------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What somebody said, with what bears on whether it may be used."""

    text: str
    source: str
    consent: str
    out_of_character: bool = False


async def everything_said(session: AsyncSession, campaign: int) -> list[Said]:
    """All that people said at a campaign's tables, for whoever must not let some of it out."""
    rows = await session.execute(
        select(TurnRow.text, TurnRow.source, Participant.consent, TurnRow.out_of_character)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .outerjoin(Participant, Participant.id == TurnRow.participant_id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc.is_(None), TurnRow.text != "")
    )
    return [Said(text, source, consent or "unasked", aside) for text, source, consent, aside in rows.all()]


async def own_examples(session: AsyncSession, campaign: int, npc: str) -> list[tuple[str, str, Said | None]]:
    """An NPC's learnt style examples as (asked, line, what was answered at the table), oldest first."""
    question = select(TurnRow.id).where(TurnRow.id == StyleExampleRow.turn_id).scalar_subquery()
    answered = select(TurnRow.answers_id).where(TurnRow.id == question).scalar_subquery()
    rows = await session.execute(
        select(StyleExampleRow.asked, StyleExampleRow.line, TurnRow.text, TurnRow.source, Participant.consent)
        .outerjoin(TurnRow, TurnRow.id == answered)
        .outerjoin(Participant, Participant.id == TurnRow.participant_id)
        .where(StyleExampleRow.campaign_id == campaign, StyleExampleRow.npc == npc, StyleExampleRow.active.is_(True))
        .order_by(StyleExampleRow.id)
    )
    return [
        (asked, line, Said(text, source, consent or "unasked") if text is not None else None)
        for asked, line, text, source, consent in rows.all()
    ]


# --- forgetting ------------------------------------------------------------------------------------


async def empty_calls(session: AsyncSession, campaigns: Collection[int], touches: Any) -> set[int]:
    """Empty the calls that repeat a person; what they cost stays on the books.

    Args:
        touches: whether a text repeats the person (`db.sayings.Sayings`).

    Returns:
        The ids of the calls, for the rows that were made of them.
    """
    rows = await session.execute(
        select(TeacherCall.id, TeacherCall.request, TeacherCall.answer).where(TeacherCall.campaign_id.in_(campaigns))
    )
    gone = {
        number for number, request, answer in rows.all()
        if _touched(answer, touches) or any(_touched(str(m.get("content", "")), touches) for m in request)
    }  # fmt: skip
    for number in sorted(gone):
        await session.execute(
            update(TeacherCall).where(TeacherCall.id == number)
            .values(request=[], answer="", reason="", state=FORGOTTEN)
        )  # fmt: skip
    return gone


def _touched(text: str, touches: Any) -> bool:
    return any(touches(line) for line in text.splitlines())
