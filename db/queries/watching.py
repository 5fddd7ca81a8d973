"""An evening as a page shows it: every turn with its takes and reactions, read in three statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Feedback, SceneRow, Take, TurnRow


@dataclass(frozen=True)
class ShownTake:
    """One way a line was said."""

    id: int
    number: int
    text: str
    origin: str
    adapter: str | None


@dataclass(frozen=True)
class ShownTurn:
    """A turn with all that a page shows of it.

    Attributes:
        takes: those that came to an end; empty for what people say.
        votes: participants by kind of reaction, those that stand.
    """

    id: int
    scene: int
    speaker: str
    npc: str | None
    text: str
    source: str
    aside: bool
    retracted: bool
    kept: int | None
    takes: tuple[ShownTake, ...]
    votes: dict[str, list[int]]


async def evening(session: AsyncSession, evening: int, most: int) -> list[ShownTurn]:
    """The last turns of an evening, oldest first; what was taken back included."""
    wanted = (
        select(TurnRow).join(SceneRow, SceneRow.id == TurnRow.scene_id).where(SceneRow.session_id == evening)
        .order_by(TurnRow.id.desc()).limit(most)
    )  # fmt: skip
    return await _shown(session, list(await session.scalars(wanted))[::-1])


async def one(session: AsyncSession, turn: int) -> ShownTurn | None:
    """One turn."""
    found = await _shown(session, list(await session.scalars(select(TurnRow).where(TurnRow.id == turn))))
    return found[0] if found else None


async def _shown(session: AsyncSession, turns: Sequence[TurnRow]) -> list[ShownTurn]:
    numbers = [turn.id for turn in turns if turn.npc is not None]
    takes: dict[int, list[ShownTake]] = defaultdict(list)
    votes: dict[int, dict[str, list[int]]] = defaultdict(dict)
    if numbers:
        ended = select(Take).where(Take.turn_id.in_(numbers), Take.state.in_(("complete", "cut"))).order_by(Take.number)
        for take in await session.scalars(ended):
            takes[take.turn_id].append(ShownTake(take.id, take.number, take.text, take.origin, take.adapter))
        standing: Any = (Feedback.turn_id.in_(numbers), Feedback.withdrawn_at.is_(None))
        given = select(Feedback.turn_id, Feedback.kind, Feedback.participant_id).where(*standing).order_by(Feedback.id)
        for turn, kind, person in (await session.execute(given)).all():
            votes[turn].setdefault(kind, []).append(person or 0)
    return [
        ShownTurn(turn.id, turn.scene_id, turn.speaker, turn.npc, turn.text, turn.source, turn.out_of_character,
                  turn.retracted_at is not None, turn.kept_take_id, tuple(takes[turn.id]), votes[turn.id])
        for turn in turns
    ]  # fmt: skip
