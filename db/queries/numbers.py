"""How many there are of what operators watch: reactions, adapters, nights."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import AdapterVersion, Feedback, Night, NightRequest


async def gauges(session: AsyncSession) -> list[tuple[str, dict[str, str], float]]:
    """Name, labels and value of each."""
    standing = (Feedback.withdrawn_at.is_(None),)
    return [
        *await _by(session, "understudy_feedback", "kind", Feedback.kind, standing),
        *await _by(session, "understudy_adapters", "state", AdapterVersion.state),
        *await _by(session, "understudy_nights", "state", Night.state),
        *await _by(session, "understudy_night_requests", "state", NightRequest.state),
    ]


async def _by(
    session: AsyncSession, name: str, label: str, column: Any, where: Sequence[Any] = ()
) -> list[tuple[str, dict[str, str], float]]:
    rows = await session.execute(select(column, func.count()).where(*where).group_by(column).order_by(column))
    return [(name, {label: str(value)}, float(count)) for value, count in rows.all()]


async def answers(session: AsyncSession) -> bool:
    """Whether the database answers."""
    return bool(await session.scalar(text("SELECT 1")))
