"""What the review desk reads and writes: candidate rows, what people decided about them, and what teaches now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import CandidateRow, Feedback, Participant, PlaySession, SceneRow, StyleExampleRow, TurnRow

Mark = tuple[int | None, str, str, str]


def mark(turn: int | None, kind: str, payload: dict[str, Any]) -> Mark:
    """What a person's verdict is bound to: this line, this kind of row, this signal, these words."""
    return turn, kind, str(payload.get("signal", "")), str(payload.get("completion", ""))


@dataclass(frozen=True)
class DeskRow:
    """A candidate row as the desk shows it."""

    id: int
    npc: str
    kind: str
    source: str
    turn: int | None
    payload: dict[str, Any]
    trains: bool
    reason: str
    human: str | None
    taught: bool


async def rows(session: AsyncSession, campaign: int) -> list[DeskRow]:
    """All rows of a campaign, the newest first."""
    row = CandidateRow
    found = await session.execute(
        select(row.id, row.npc, row.kind, row.source, row.turn_id, row.payload, row.verdict, row.reason,
               row.human_verdict, row.origin)
        .where(row.campaign_id == campaign).order_by(row.turn_id.desc(), row.id.desc())
    )  # fmt: skip
    return [
        DeskRow(number, npc, kind, source, turn, payload, verdict == "train", reason, human, origin is not None)
        for number, npc, kind, source, turn, payload, verdict, reason, human, origin in found.all()
    ]


async def decide(session: AsyncSession, wanted: Sequence[int], verdict: str | None) -> None:
    """Write a person's verdict on rows; None takes it back."""
    await session.execute(update(CandidateRow).where(CandidateRow.id.in_(wanted)).values(human_verdict=verdict))


async def verdicts(session: AsyncSession, campaign: int, npc: str) -> dict[Mark, str]:
    """What people decided about an NPC's rows."""
    found = await session.execute(
        select(CandidateRow.turn_id, CandidateRow.kind, CandidateRow.payload, CandidateRow.human_verdict)
        .where(CandidateRow.campaign_id == campaign, CandidateRow.npc == npc, CandidateRow.human_verdict.is_not(None))
    )  # fmt: skip
    return {mark(turn, kind, payload): verdict for turn, kind, payload, verdict in found.all()}


async def harvested(session: AsyncSession, campaign: int) -> dict[str, datetime]:
    """When each NPC's rows were made last."""
    found = await session.execute(
        select(CandidateRow.npc, func.max(CandidateRow.made_at).label("made_at"))
        .where(CandidateRow.campaign_id == campaign, CandidateRow.origin.is_(None)).group_by(CandidateRow.npc)
    )  # fmt: skip
    return {row.npc: row.made_at for row in found.all()}


async def newest_reactions(session: AsyncSession, campaign: int) -> dict[str, datetime]:
    """When the table last reacted to each NPC's lines, or took a reaction back."""
    found = await session.execute(
        select(TurnRow.npc, func.max(Feedback.given_at), func.max(Feedback.withdrawn_at))
        .join(Feedback, Feedback.turn_id == TurnRow.id).join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc.is_not(None)).group_by(TurnRow.npc)
    )  # fmt: skip
    return {str(npc): max(given, back) if back else given for npc, given, back in found.all()}


async def newest_change(session: AsyncSession, campaign: int) -> datetime | None:
    """When something last changed that bears on everybody's rows: a consent, or a turn taken out of the story."""
    consent = select(func.max(Participant.consent_at)).where(Participant.campaign_id == campaign)
    struck = (
        select(func.max(TurnRow.retracted_at)).join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id).where(PlaySession.campaign_id == campaign)
    )  # fmt: skip
    found = [when for when in (await session.scalar(consent), await session.scalar(struck)) if when is not None]
    return max(found, default=None)


async def votes(session: AsyncSession, campaign: int) -> dict[int, tuple[int, int]]:
    """How many liked and how many disliked each line."""
    found = await session.execute(
        select(Feedback.turn_id, Feedback.kind, func.count(Feedback.participant_id.distinct()))
        .join(TurnRow, TurnRow.id == Feedback.turn_id).join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, Feedback.kind.in_(("thumbs_up", "thumbs_down")))
        .where(Feedback.withdrawn_at.is_(None)).group_by(Feedback.turn_id, Feedback.kind)
    )  # fmt: skip
    counted: dict[int, tuple[int, int]] = {}
    for turn, kind, count in found.all():
        up, down = counted.get(turn, (0, 0))
        counted[turn] = (count, down) if kind == "thumbs_up" else (up, count)
    return counted


async def rest_examples(session: AsyncSession, turn: int) -> list[int]:
    """Show a line as an example no longer; returns what was taken out, to put it back."""
    standing = select(StyleExampleRow.id).where(StyleExampleRow.turn_id == turn, StyleExampleRow.active.is_(True))
    found = list(await session.scalars(standing))
    await session.execute(update(StyleExampleRow).where(StyleExampleRow.id.in_(found)).values(active=False))
    return found


async def wake_examples(session: AsyncSession, examples: Sequence[int]) -> None:
    """Show examples again."""
    await session.execute(update(StyleExampleRow).where(StyleExampleRow.id.in_(examples)).values(active=True))


async def questions(session: AsyncSession, campaign: int, npc: str, most: int) -> list[str]:
    """What the table asked an NPC, newest first, each once; not what was asked at the desk itself."""
    line, asked = TurnRow.__table__.alias("line"), TurnRow.__table__.alias("asked")
    found = await session.execute(
        select(asked.c.text).select_from(line).join(asked, asked.c.id == line.c.answers_id)
        .join(SceneRow, SceneRow.id == line.c.scene_id).join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, PlaySession.place != "desk", line.c.npc == npc)
        .where(line.c.retracted_at.is_(None), asked.c.retracted_at.is_(None), asked.c.text != "")
        .order_by(line.c.id.desc()).limit(3 * most)
    )  # fmt: skip
    return list(dict.fromkeys(text for (text,) in found.all()))[:most]
