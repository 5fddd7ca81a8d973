"""What the table thought of a line, and the style examples that follow from it at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from characters.messages import StyleExample
from db.models import Feedback, StyleExampleRow
from db.prepared import Prepared


@dataclass(frozen=True)
class Reaction:
    """One reaction to be recorded."""

    turn: int
    kind: str
    participant: int | None = None
    take: int | None = None
    asked: str = ""
    text: str = ""


_VOTES = ("thumbs_up", "thumbs_down")


async def react(session: AsyncSession, reaction: Reaction, now: datetime) -> int:
    """Record a reaction; a vote replaces the same person's earlier vote on the line."""
    if reaction.kind in _VOTES:
        for kind in _VOTES:
            await withdraw(session, reaction.turn, kind, reaction.participant, now)
    row = Feedback(turn_id=reaction.turn, take_id=reaction.take, participant_id=reaction.participant,
                   kind=reaction.kind, asked=reaction.asked, text=reaction.text, given_at=now,
                   withdrawn_at=None)  # fmt: skip
    session.add(row)
    await session.flush()
    return row.id


async def withdraw(session: AsyncSession, turn: int, kind: str, participant: int | None, now: datetime) -> None:
    """Take a reaction back."""
    await session.execute(
        update(Feedback)
        .where(Feedback.turn_id == turn, Feedback.kind == kind, Feedback.participant_id == participant)
        .where(Feedback.withdrawn_at.is_(None)).values(withdrawn_at=now)
    )  # fmt: skip


async def reactions(session: AsyncSession, turn: int) -> list[Reaction]:
    """The reactions to a line that stand."""
    rows = await session.scalars(
        select(Feedback).where(Feedback.turn_id == turn, Feedback.withdrawn_at.is_(None)).order_by(Feedback.id)
    )
    return [Reaction(r.turn_id, r.kind, r.participant_id, r.take_id, r.asked, r.text) for r in rows]


@dataclass(frozen=True)
class Taught:
    """A line the NPC is to remember as its own."""

    campaign: int
    npc: str
    asked: str
    line: str
    kind: str
    turn: int | None = None


async def teach(session: AsyncSession, taught: Taught, now: datetime) -> None:
    """Add a style example; an older one of the same line of the story gives way."""
    if taught.turn is not None:
        await unteach(session, taught.turn)
    session.add(StyleExampleRow(campaign_id=taught.campaign, npc=taught.npc, asked=taught.asked, line=taught.line,
                                turn_id=taught.turn, kind=taught.kind, active=True, made_at=now))  # fmt: skip
    await session.flush()


async def unteach(session: AsyncSession, turn: int, kind: str | None = None) -> None:
    """Stop showing what came of a line of the story."""
    wanted = update(StyleExampleRow).where(StyleExampleRow.turn_id == turn)
    if kind is not None:
        wanted = wanted.where(StyleExampleRow.kind == kind)
    await session.execute(wanted.values(active=False))


_STYLE = Prepared(
    select(StyleExampleRow.asked, StyleExampleRow.line, StyleExampleRow.id)
    .where(StyleExampleRow.campaign_id == bindparam("campaign"), StyleExampleRow.npc == bindparam("npc"))
    .where(StyleExampleRow.active.is_(True)).order_by(StyleExampleRow.id)
)  # fmt: skip


async def style_examples(session: AsyncSession, campaign: int, npc: str) -> tuple[StyleExample, ...]:
    """What an NPC was taught at this table, oldest first."""
    rows = await _STYLE(session, campaign=campaign, npc=npc)
    return tuple(StyleExample(asked, line, f"learnt {number}") for asked, line, number in rows.all())
