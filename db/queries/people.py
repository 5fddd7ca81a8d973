"""Who takes part, for the page that shows consent and keeps privacy requests."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Campaign, Participant, TurnRow
from db.queries.privacy import FORGOTTEN


@dataclass(frozen=True)
class Taking:
    """A person in one campaign, and how much they said there."""

    key: str
    name: str
    role: str
    consent: str
    campaign: str
    turns: int


async def everybody(session: AsyncSession) -> list[Taking]:
    """Everybody in every campaign who is not forgotten."""
    said = func.count(TurnRow.id)
    found = await session.execute(
        select(Participant.key, Participant.name, Participant.role, Participant.consent, Campaign.name, said)
        .join(Campaign, Campaign.id == Participant.campaign_id)
        .outerjoin(TurnRow, TurnRow.participant_id == Participant.id)
        .where(Participant.key.not_like(f"{FORGOTTEN}%")).group_by(Participant.id, Campaign.name)
        .order_by(Campaign.name, Participant.id)
    )  # fmt: skip
    return [Taking(*row) for row in found.all()]
