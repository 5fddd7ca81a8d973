"""Which parts of a secret's condition are satisfied, by whom and by what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import SecretStep
from db.prepared import Prepared


@dataclass(frozen=True)
class Step:
    """A part of a condition that is satisfied; "" is the GM's word on the whole."""

    secret: str
    part: str
    by: str
    turn: int | None = None


async def satisfy(session: AsyncSession, campaign: int, npc: str, step: Step, now: datetime) -> bool:
    """Note a step; False where it was taken before."""
    known = select(SecretStep.id).where(
        SecretStep.campaign_id == campaign, SecretStep.npc == npc, SecretStep.secret == step.secret,
        SecretStep.part == step.part,
    )  # fmt: skip
    if await session.scalar(known) is not None:
        return False
    session.add(SecretStep(campaign_id=campaign, npc=npc, secret=step.secret, part=step.part, by=step.by,
                           turn_id=step.turn, made_at=now))  # fmt: skip
    await session.flush()
    return True


_STEPS = Prepared(
    select(SecretStep.secret, SecretStep.part, SecretStep.by, SecretStep.turn_id)
    .where(SecretStep.campaign_id == bindparam("campaign"), SecretStep.npc == bindparam("npc")).order_by(SecretStep.id)
)  # fmt: skip


async def steps(session: AsyncSession, campaign: int, npc: str) -> list[Step]:
    """The steps that stand, oldest first."""
    return [Step(*row) for row in (await _STEPS(session, campaign=campaign, npc=npc)).all()]


async def withdraw(session: AsyncSession, campaign: int, npc: str, secret: str) -> None:
    """Close a secret again: all its steps are taken back."""
    await session.execute(delete(SecretStep).where(
        SecretStep.campaign_id == campaign, SecretStep.npc == npc, SecretStep.secret == secret
    ))  # fmt: skip


async def withdraw_turn(session: AsyncSession, turn: int) -> None:
    """Take back what a turn satisfied, for it was not said."""
    await session.execute(delete(SecretStep).where(SecretStep.turn_id == turn))
