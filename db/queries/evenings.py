"""What an evening was, counted and quoted."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from characters.messages import Scene
from db.models import Feedback, SceneRow, TurnRow
from db.queries import lines
from db.queries.play import scene_of
from db.values import StoredTurn


async def scenes(session: AsyncSession, evening: int) -> list[tuple[Scene, list[str], int]]:
    """Its scenes in order, each with the NPCs that spoke and how much was said."""
    found = []
    for row in await session.scalars(select(SceneRow).where(SceneRow.session_id == evening).order_by(SceneRow.id)):
        standing = (TurnRow.scene_id == row.id, TurnRow.retracted_at.is_(None))
        names = await session.scalars(
            select(TurnRow.speaker).where(*standing, TurnRow.npc.is_not(None)).distinct().order_by(TurnRow.speaker)
        )
        count = await session.scalar(select(func.count()).select_from(TurnRow).where(*standing))
        found.append((Scene(row.place, row.reason, row.mood, row.familiarity), list(names), count or 0))
    return found


async def told(session: AsyncSession, evening: int, npc: str | None) -> list[tuple[Scene, list[StoredTurn]]]:
    """Its scenes with what was said in them; of an NPC only what it witnessed."""
    rows = await session.scalars(select(SceneRow).where(SceneRow.session_id == evening).order_by(SceneRow.id))
    found = [(scene_of(row), await lines.transcript(session, row.id, witness=npc)) for row in list(rows)]
    return [(scene, turns) for scene, turns in found if turns]


async def liked(session: AsyncSession, evening: int, most: int) -> list[tuple[str, str]]:
    """(name, line) of the lines with the most thumbs up, in the order they were said."""
    here = select(SceneRow.id).where(SceneRow.session_id == evening)
    votes = func.count(Feedback.id)
    rows = await session.execute(
        select(TurnRow.id, TurnRow.speaker, TurnRow.text)
        .join(Feedback, Feedback.turn_id == TurnRow.id)
        .where(TurnRow.scene_id.in_(here), TurnRow.retracted_at.is_(None), TurnRow.npc.is_not(None))
        .where(Feedback.kind == "thumbs_up", Feedback.withdrawn_at.is_(None))
        .group_by(TurnRow.id, TurnRow.speaker, TurnRow.text).order_by(votes.desc(), TurnRow.id).limit(most)
    )  # fmt: skip
    return [(name, text) for _, name, text in sorted(rows.all(), key=lambda row: row[0])]
