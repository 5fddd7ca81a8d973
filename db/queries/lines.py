"""Turns and takes: what was said, and how else it could have been said."""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Text, bindparam, func, insert, select, update
from sqlalchemy import cast as cast_to
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import PlaySession, SceneRow, Take, TurnRow
from db.prepared import Prepared
from db.queries import memories, secrets
from db.queries.presence import witnessed
from db.values import StoredTake, StoredTurn, TakeMade, facts_from_json, facts_from_text, facts_to_json

_TURNS_SO_FAR = select(func.coalesce(func.max(TurnRow.ordinal), 0)).where(TurnRow.scene_id == bindparam("scene"))
_ADD_TURN = Prepared(
    insert(TurnRow).values(scene_id=bindparam("scene"), ordinal=_TURNS_SO_FAR.scalar_subquery() + 1)
    .returning(*memories.SAID)
)  # fmt: skip
_TAKES_SO_FAR = select(func.count()).select_from(Take).where(Take.turn_id == bindparam("turn"))
_ADD_TAKE = Prepared(
    insert(Take).values(turn_id=bindparam("turn"), number=_TAKES_SO_FAR.scalar_subquery() + 1).returning(Take.id)
)
_FINISH_TAKE = Prepared(
    update(Take).where(Take.id == bindparam("take"))
    .values(text=bindparam("whole"), state=bindparam("ended"), timings=bindparam("timed")).returning(Take.number)
)  # fmt: skip
_TEXT = select(func.coalesce(Take.text, "")).where(Take.id == bindparam("take")).scalar_subquery()
_KEEP_TAKE = Prepared(
    update(TurnRow).where(TurnRow.id == bindparam("turn")).values(kept_take_id=bindparam("take"), text=_TEXT)
    .returning(*memories.SAID)
)  # fmt: skip


async def add_turn(
    session: AsyncSession, scene: int, said: StoredTurn, now: datetime,
    *, participant: int | None = None, out_of_character: bool = False,
) -> int:  # fmt: skip
    """Append a turn to a scene; its id is given by the database."""
    turn = (await _ADD_TURN(
        session, scene=scene, source=said.source, speaker=said.speaker, text=said.text, npc=said.npc,
        participant_id=participant, answers_id=said.answers, kept_take_id=None, out_of_character=out_of_character,
        retracted_at=None, said_at=now,
    )).one()  # fmt: skip
    if said.npc is None and not out_of_character:
        await memories.remember(session, turn)
    return int(turn.id)


async def add_take(  # noqa: PLR0913  (the columns that differ, by name)
    session: AsyncSession, turn: int, made: TakeMade, now: datetime,
    *, text: str = "", state: str = "streaming", origin: str = "npc",
) -> int:  # fmt: skip
    """Open a take of a line; it is there before anybody sees a word of it."""
    fields = vars(made) | {"at_hand": facts_to_json(made.at_hand)}
    added = await _ADD_TAKE(session, turn=turn, text=text, state=state, origin=origin, timings={}, made_at=now,
                            **fields)  # fmt: skip
    return int(added.scalar_one())


async def finish_take(session: AsyncSession, take: int, text: str, state: str, timings: dict[str, Any]) -> int:
    """Write a take's whole text and how it ended; returns its number among the line's takes."""
    return int((await _FINISH_TAKE(session, take=take, whole=text, ended=state, timed=timings)).scalar_one())


async def keep_take(session: AsyncSession, turn: int, take: int) -> None:
    """Make a take the one the table heard."""
    await memories.remember_anew(session, (await _KEEP_TAKE(session, turn=turn, take=take)).one())


async def retract(session: AsyncSession, turn: int, now: datetime) -> None:
    """Take a turn out of the story, and what was made of it; the turn stays in the record."""
    await session.execute(update(TurnRow).where(TurnRow.id == turn).values(retracted_at=now))
    await memories.derive(session, turn)
    await secrets.withdraw_turn(session, turn)


_COLUMNS = (
    TurnRow.id, TurnRow.speaker, TurnRow.text, TurnRow.npc, TurnRow.source, TurnRow.answers_id, TurnRow.kept_take_id,
    TurnRow.scene_id, cast_to(Take.at_hand, Text).label("at_hand"),
)  # fmt: skip
# Turns that were said, in character, and stand.
_STANDING = (
    select(*_COLUMNS).outerjoin(Take, Take.id == TurnRow.kept_take_id)
    .where(TurnRow.retracted_at.is_(None), TurnRow.out_of_character.is_(False))
    .where(TurnRow.npc.is_(None) | TurnRow.kept_take_id.is_not(None))
)  # fmt: skip
_WITNESSED = _STANDING.where(witnessed(bindparam("witness")))


@functools.cache
def _transcript(*, whole: bool, everybody: bool) -> Prepared:
    wanted = (_STANDING if everybody else _WITNESSED).where(TurnRow.scene_id == bindparam("scene"))
    return Prepared((wanted if whole else wanted.where(TurnRow.id < bindparam("before"))).order_by(TurnRow.ordinal))


async def transcript(
    session: AsyncSession, scene: int, before: int | None = None, *, witness: str | None = None
) -> list[StoredTurn]:
    """A scene's turns in order, without what was retracted, unspoken or out of character; a line follows its question.

    Args:
        witness: only what this NPC was there for.
    """
    wanted = _transcript(whole=before is None, everybody=witness is None)
    rows = await wanted(session, scene=scene, before=before, witness=witness)
    return _in_order([_stored(row) for row in rows.all()])


def _in_order(turns: list[StoredTurn]) -> list[StoredTurn]:
    """Lines right after what they answer: who asked while another was being answered waits for an answer still."""
    return sorted(turns, key=lambda turn: (_place(turn), turn.id))


def _place(turn: StoredTurn) -> int:
    return (turn.answers or turn.id) if turn.npc else turn.id


def read_for(turn: StoredTurn, answers: int | None) -> bool:
    """Whether a turn is read before a line is spoken: what people say while it is, waits for an answer of its own.

    Args:
        answers: the turn that the line answers; None where it answers none.
    """
    return answers is None or _place(turn) <= answers


_TRANSCRIPTS = Prepared(
    _WITNESSED.where(TurnRow.scene_id.in_(bindparam("scenes", expanding=True)))
    .order_by(TurnRow.scene_id, TurnRow.ordinal)
)


async def transcripts(session: AsyncSession, scenes: Sequence[int], witness: str) -> dict[int, list[StoredTurn]]:
    """The transcripts of many scenes, as an NPC witnessed them."""
    found: dict[int, list[StoredTurn]] = {scene: [] for scene in scenes}
    for row in (await _TRANSCRIPTS(session, scenes=list(scenes), witness=witness)).all():
        found[row.scene_id].append(_stored(row))
    return {scene: _in_order(turns) for scene, turns in found.items()}


async def turn(session: AsyncSession, turn_id: int, campaign: int | None = None) -> StoredTurn | None:
    """One turn, whatever became of it; with `campaign` only if it was said there."""
    wanted = select(*_COLUMNS).outerjoin(Take, Take.id == TurnRow.kept_take_id).where(TurnRow.id == turn_id)
    if campaign is not None:
        wanted = wanted.join(SceneRow, SceneRow.id == TurnRow.scene_id)
        wanted = wanted.join(PlaySession, PlaySession.id == SceneRow.session_id)
        wanted = wanted.where(PlaySession.campaign_id == campaign)
    row = (await session.execute(wanted)).first()
    return _stored(row) if row else None


async def standing(session: AsyncSession, turn_id: int, *, witness: str | None = None) -> StoredTurn | None:
    """One turn, if it was said in character and is not taken back.

    Args:
        witness: only if this NPC was there for it.
    """
    wanted = (_STANDING if witness is None else _WITNESSED).where(TurnRow.id == turn_id)
    row = (await session.execute(wanted, {} if witness is None else {"witness": witness})).first()
    return _stored(row) if row else None


async def last_line(session: AsyncSession, scene: int) -> int | None:
    """The newest spoken line of any NPC in a scene."""
    return await session.scalar(
        select(TurnRow.id)
        .where(TurnRow.scene_id == scene, TurnRow.npc.is_not(None), TurnRow.retracted_at.is_(None))
        .where(TurnRow.kept_take_id.is_not(None))
        .order_by(TurnRow.ordinal.desc()).limit(1)
    )  # fmt: skip


async def newest_turn(session: AsyncSession, scene: int) -> int | None:
    """The newest thing said in a scene, by anybody."""
    return await session.scalar(select(func.max(TurnRow.id)).where(TurnRow.scene_id == scene))


async def takes(session: AsyncSession, turn_id: int) -> list[StoredTake]:
    """All takes of a line, oldest first."""
    return (await takes_of(session, [turn_id]))[turn_id]


async def takes_of(session: AsyncSession, turns: Sequence[int]) -> dict[int, list[StoredTake]]:
    """All takes of many lines, oldest first."""
    rows = await session.scalars(select(Take).where(Take.turn_id.in_(turns)).order_by(Take.turn_id, Take.number))
    found: dict[int, list[StoredTake]] = {turn: [] for turn in turns}
    for row in rows:
        made = TakeMade(row.prompt_hash, row.template_hash, row.sheet_version, row.base_id, row.adapter,
                        dict(row.sampling), facts_from_json(row.at_hand), dict(row.frame))  # fmt: skip
        found[row.turn_id].append(
            StoredTake(row.id, row.turn_id, row.number, row.text, row.state, row.origin, made, dict(row.timings))
        )
    return found


async def count(session: AsyncSession, npc: str) -> int:
    """How many lines an NPC has said, counted by reading every one with its words."""
    wanted = select(TurnRow.id, TurnRow.text, Take.text).join(Take, Take.turn_id == TurnRow.id)
    return len((await session.execute(wanted.where(TurnRow.npc == npc))).all())


async def close_interrupted(session: AsyncSession) -> int:
    """Mark takes a killed process left open; returns how many."""
    done = await session.execute(update(Take).where(Take.state == "streaming").values(state="interrupted"))
    return cast(CursorResult[Any], done).rowcount


async def unanswered(session: AsyncSession, scene: int) -> StoredTurn | None:
    """The last thing said in a scene if it waits for an answer no take ever finished."""
    row = await session.scalar(
        select(TurnRow).where(TurnRow.scene_id == scene, TurnRow.retracted_at.is_(None))
        .order_by(TurnRow.ordinal.desc()).limit(1)
    )  # fmt: skip
    if row is None or row.npc is None or row.kept_take_id is not None or row.answers_id is None:
        return None
    return await turn(session, row.answers_id)


def _stored(row: Any) -> StoredTurn:
    number, speaker, text, npc, source, answers, kept, _, at_hand = row
    return StoredTurn(number, speaker, text, npc, source, answers, facts_from_text(at_hand) if at_hand else (), kept)
