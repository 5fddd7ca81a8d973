"""Blind votes: two voices said a line to the same question, and the table said which is better.

Both lines are kept as takes of the line that was once spoken there, of origin `blind`: they were
never part of the story, and no table keeps or shows them. The vote is feedback on the better one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Feedback, PlaySession, SceneRow, Take, TurnRow
from db.queries import lines, reactions
from db.queries.reactions import Reaction
from db.values import TakeMade

BLIND = "blind"
VOTE, EQUAL = "vote", "vote_equal"


@dataclass(frozen=True)
class Compared:
    """One vote.

    Attributes:
        turn: the line both answer in place of.
        better, other: (text, how it was made); where they are equal, the order says nothing.
    """

    turn: int
    participant: int
    asked: str
    better: tuple[str, TakeMade]
    other: tuple[str, TakeMade]
    equal: bool = False


@dataclass(frozen=True)
class Vote:
    """A vote that stands: on which line, for which voice; None is the bare base."""

    turn: int
    better: str | None
    other: str | None
    equal: bool


@dataclass(frozen=True)
class Tally:
    """Votes between two voices."""

    first: int
    second: int
    equal: int

    @property
    def decided(self) -> int:
        """Votes that preferred one of the two."""
        return self.first + self.second

    def __str__(self) -> str:
        if not self.decided + self.equal:
            return "no blind votes"
        equal = f", {self.equal} equal" if self.equal else ""
        return f"blind votes: {self.first} of {self.decided} for it{equal}"


async def vote(session: AsyncSession, cast: Compared, now: datetime) -> None:
    """Record a vote; it replaces the same person's earlier one on the same line and voices."""
    await _withdraw(session, cast, now)
    both = []
    for text, made in (cast.better, cast.other):
        both.append(await lines.add_take(session, cast.turn, made, now, text=text, state=BLIND, origin=BLIND))
    for take, beside, (_, made) in zip(both, both[::-1], (cast.better, cast.other), strict=True):
        told = replace(made, sampling={**made.sampling, "beside": beside})
        await session.execute(update(Take).where(Take.id == take).values(sampling=told.sampling))
    kind = EQUAL if cast.equal else VOTE
    said = Reaction(cast.turn, kind, cast.participant, both[0], cast.asked, cast.better[0])
    await reactions.react(session, said, now)


async def _withdraw(session: AsyncSession, cast: Compared, now: datetime) -> None:
    voices = {cast.better[1].adapter, cast.other[1].adapter}
    given = select(Feedback.id, Take.adapter, Take.sampling).join(Take, Take.id == Feedback.take_id).where(
        Feedback.turn_id == cast.turn, Feedback.participant_id == cast.participant,
        Feedback.kind.in_((VOTE, EQUAL)), Feedback.withdrawn_at.is_(None),
    )  # fmt: skip
    for number, adapter, sampling in (await session.execute(given)).all():
        beside = await session.scalar(select(Take.adapter).where(Take.id == sampling.get("beside")))
        if {adapter, beside} == voices:
            await session.execute(update(Feedback).where(Feedback.id == number).values(withdrawn_at=now))


async def votes(session: AsyncSession, campaign: int, npc: str) -> list[Vote]:
    """All votes on an NPC's voices that stand, oldest first."""
    rows = (await session.execute(
        select(Feedback.turn_id, Feedback.kind, Take.adapter, Take.sampling)
        .join(Take, Take.id == Feedback.take_id)
        .join(TurnRow, TurnRow.id == Feedback.turn_id)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc == npc, Take.origin == BLIND)
        .where(Feedback.kind.in_((VOTE, EQUAL)), Feedback.withdrawn_at.is_(None))
        .order_by(Feedback.id)
    )).all()  # fmt: skip
    others = [sampling.get("beside") for _, _, _, sampling in rows]
    known = dict[int, str | None]()
    for number, adapter in (await session.execute(select(Take.id, Take.adapter).where(Take.id.in_(others)))).all():
        known[number] = adapter
    return [
        Vote(turn, adapter, known[sampling["beside"]], kind == EQUAL)
        for turn, kind, adapter, sampling in rows if sampling.get("beside") in known
    ]  # fmt: skip


def tally(cast: Iterable[Vote], first: str | None, second: str | None) -> Tally:
    """Count the votes between two voices."""
    between = [one for one in cast if {one.better, one.other} == {first, second}]
    decided = [one.better for one in between if not one.equal]
    return Tally(decided.count(first), decided.count(second), len(between) - len(decided))
