"""Forgets a person in the database: what they said goes, and what was made of it with it.

Other people's own words stay, also where they speak of the person or use their name. What is
known of a table's meaning is taken apart with care (turns, takes, reactions, examples, candidate
rows); every other column of free text or JSON, of whatever table there may be, is derived, and
loses what repeats the person.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import JSON, CursorResult, Table, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import (
    ActiveAdapter,
    AdapterVersion,
    Base,
    CandidateRow,
    ChatMessage,
    Feedback,
    Memory,
    Night,
    Participant,
    Presence,
    SecretStep,
    StyleExampleRow,
    Take,
    TeacherCall,
    TurnRow,
)
from db.queries import adapters, memories, teaching
from db.queries.privacy import (
    FORGOTTEN,
    Traces,
    candidates_made,
    examples_made,
    in_campaigns,
    memories_made,
    quoting_takes,
)
from db.sayings import without_lines, without_values

NOBODY = "someone"
REASON = "trained on words of a person who asked to be forgotten"
_KNOWN = (TurnRow, Take, Feedback, StyleExampleRow, CandidateRow, TeacherCall, Memory, SecretStep)
_AT_ONCE = 500  # ids in one statement


@dataclass(frozen=True)
class Forgotten:
    """How many rows went, by what they were.

    Attributes:
        turns: what the person said.
        lines: takes of NPCs' lines that quoted the person or were written by them, emptied.
        derived: rows of other tables that lost a part.
    """

    turns: int
    lines: int
    reactions: int
    style_examples: int
    candidate_rows: int
    derived: int


async def block_adapters(
    session: AsyncSession, traces: Traces, touched: frozenset[str], sound: frozenset[str], now: datetime
) -> list[str]:
    """Block every adapter that saw the person's rows, and ask for nights that train anew without them.

    An NPC that spoke with one goes back to the one before, or to the base.

    Args:
        touched: datasets that hold rows of the person.
        sound: datasets known to hold none; an adapter whose dataset nobody knows is blocked if it
            was made of one of their NPCs after they first spoke.

    Returns:
        The names of these adapters, those blocked before included.
    """
    campaigns, found = traces.person.campaigns, []
    for row in await session.scalars(select(AdapterVersion).where(AdapterVersion.campaign_id.in_(campaigns))):
        dataset = row.report.get("dataset")
        unknown = dataset not in sound and (row.campaign_id, row.npc) in traces.npcs
        if dataset in touched or (unknown and traces.since is not None and row.made_at >= traces.since):
            found.append(row)
    fresh = {(row.campaign_id, row.npc) for row in found if row.state != "blocked"}
    for row in found:
        row.state, row.report = "blocked", {**row.report, "blocked": REASON}
    await session.flush()
    for campaign, npc in sorted(fresh):
        await _another_voice(session, campaign, npc, now)
        await adapters.request_night(session, campaign, npc, now)
    running = update(Night).where(Night.campaign_id.in_(campaigns), Night.state == "running")
    await session.execute(running.values(state="abandoned", ended_at=now, reason=REASON))
    return [row.adapter for row in found]


async def _another_voice(session: AsyncSession, campaign: int, npc: str, now: datetime) -> None:
    """Let an NPC whose adapter is blocked speak with the one it spoke with before, or the base."""
    speaks = select(AdapterVersion.state).join(ActiveAdapter, ActiveAdapter.adapter == AdapterVersion.adapter)
    state = await session.scalar(speaks.where(ActiveAdapter.campaign_id == campaign, ActiveAdapter.npc == npc))
    if state != "blocked":
        return
    await adapters.voice_before(session, campaign, npc, now)


async def forget_person(session: AsyncSession, traces: Traces, now: datetime) -> Forgotten:
    """Forget a person; the participant row stays, without key and name, and refuses training."""
    ids = traces.person.ids
    examples, candidates = await examples_made(session, traces), await candidates_made(session, traces)
    emptied = await quoting_takes(session, traces)
    remembered = [row.id for row in await memories_made(session, traces, emptied.values())]
    gone = {f"style.learnt {row.id}" for row in examples} | {f"memory.{number}" for number in remembered}
    await _forget_at_hand(session, traces, gone)
    await memories.drop(session, remembered)
    await _empty(session, emptied, now)
    await _delete(session, StyleExampleRow, [row.id for row in examples])
    await _delete(session, CandidateRow, [row.id for row in candidates])
    taught = await _forget_taught(session, traces)
    reactions = await _forget_reactions(session, traces, frozenset(emptied))
    turns = await _forget_turns(session, ids)
    derived = await _forget_derived(session, traces)
    here = Presence.scene_id.in_(in_campaigns(traces.person))
    await session.execute(delete(Presence).where(Presence.who == traces.person.key, here))
    for row in await session.scalars(select(Participant).where(Participant.id.in_(ids))):
        row.key, row.name, row.consent, row.consent_at = f"{FORGOTTEN}{row.id}", NOBODY, "refused", now
    gone_with_them = derived + len(remembered)
    return Forgotten(turns, len(emptied), reactions, len(examples), len(candidates) + taught, gone_with_them)


async def _forget_taught(session: AsyncSession, traces: Traces) -> int:
    """Empty what teachers were asked and answered with their words, and delete what was made of it."""
    campaigns = list(traces.person.campaigns)
    calls = await teaching.empty_calls(session, campaigns, traces.sayings.touch)
    rows = await session.execute(
        select(CandidateRow.id, CandidateRow.payload)
        .where(CandidateRow.campaign_id.in_(campaigns), CandidateRow.origin.is_not(None))
    )  # fmt: skip
    gone = [
        number for number, payload in rows.all()
        if calls.intersection(payload.get("calls", ())) or without_values(payload, traces.sayings.touch) != payload
    ]  # fmt: skip
    await _delete(session, CandidateRow, gone)
    return len(gone)


async def _forget_at_hand(session: AsyncSession, traces: Traces, gone: set[str]) -> None:
    """Take facts that were lines of theirs from the record of what NPCs had at hand."""
    sayings = traces.sayings
    rows = await session.execute(
        select(Take.id, Take.at_hand, Take.frame).join(TurnRow, TurnRow.id == Take.turn_id)
        .where(TurnRow.scene_id.in_(in_campaigns(traces.person)))
    )  # fmt: skip
    for take, facts, frame in rows.all():
        left = [f for f in facts if f["key"] not in gone and not sayings.quoted_in(f["text"], short=False)]
        seen = _without_person(frame, traces, gone)
        if len(left) < len(facts) or seen != frame:
            await session.execute(update(Take).where(Take.id == take).values(at_hand=left, frame=seen))


def _without_person(frame: dict[str, Any], traces: Traces, gone: set[str]) -> dict[str, Any]:
    """What a prompt held of memory, without the summaries that go, and without how well they were known."""
    left = dict(frame)
    if "memory" in left:
        left["memory"] = [fact for fact in left["memory"] if fact["key"] not in gone]
    if any(name.casefold() in str(left.get("familiarity", "")).casefold() for name in traces.person.names if name):
        del left["familiarity"]
    return left


async def _empty(session: AsyncSession, takes: dict[int, int], now: datetime) -> None:
    """Empty takes; a line the table heard that way is kept as another take, or is out of the story."""
    for part in _parts(list(takes)):
        await session.execute(update(Take).where(Take.id.in_(part)).values(text="", state="forgotten"))
    for line in sorted(set(takes.values())):
        kept = await session.scalar(select(TurnRow.kept_take_id).where(TurnRow.id == line))
        if kept is not None and kept not in takes:
            continue
        others = select(Take).where(Take.turn_id == line, Take.text != "", Take.state.in_(("complete", "cut")))
        other = await session.scalar(others.order_by((Take.origin == "npc").desc(), Take.number.desc()).limit(1))
        values: dict[str, Any] = {"text": "", "kept_take_id": None, "retracted_at": now}
        if other is not None:
            values = {"text": other.text, "kept_take_id": other.id}
        await session.execute(update(TurnRow).where(TurnRow.id == line).values(values))


async def _forget_reactions(session: AsyncSession, traces: Traces, emptied: frozenset[int]) -> int:
    """Delete what they thought of lines, and take their words from other people's reactions."""
    own = delete(Feedback).where(Feedback.participant_id.in_(traces.person.ids))
    count = cast(CursorResult[Any], await session.execute(own)).rowcount
    sayings = traces.sayings
    rows = await session.execute(
        select(Feedback.id, Feedback.turn_id, Feedback.take_id, Feedback.asked, Feedback.text)
        .join(TurnRow, TurnRow.id == Feedback.turn_id)
        .where(TurnRow.scene_id.in_(in_campaigns(traces.person)))
    )
    for number, line, take, asked, text in rows.all():
        theirs = line in traces.answering
        values = {
            "asked": "" if sayings.quoted_in(asked, short=theirs) or (theirs and sayings.is_one(asked)) else asked,
            "text": "" if take in emptied or sayings.quoted_in(text, short=theirs) or sayings.is_one(text) else text,
        }
        if values != {"asked": asked, "text": text}:
            await session.execute(update(Feedback).where(Feedback.id == number).values(values))
    return count


async def _forget_turns(session: AsyncSession, ids: Sequence[int]) -> int:
    """Delete what they said, as themselves or as an NPC, with all that hangs on it."""
    own = select(TurnRow.id).where(TurnRow.participant_id.in_(ids))
    quiet = {"synchronize_session": False}
    await session.execute(update(TurnRow).where(TurnRow.answers_id.in_(own)).values(answers_id=None), None,
                          execution_options=quiet)  # fmt: skip
    steps = update(SecretStep).where(SecretStep.turn_id.in_(own)).values(turn_id=None)
    await session.execute(steps, None, execution_options=quiet)
    for model in (Feedback, StyleExampleRow, CandidateRow, ChatMessage, Take):
        column = cast(Any, model).turn_id
        await session.execute(delete(model).where(column.in_(own)), None, execution_options=quiet)
    gone = delete(TurnRow).where(TurnRow.participant_id.in_(ids))
    return cast(CursorResult[Any], await session.execute(gone, None, execution_options=quiet)).rowcount


async def _forget_derived(session: AsyncSession, traces: Traces) -> int:
    """Clean every column of free text or JSON no other step knows."""
    known = {model.__table__ for model in _KNOWN}
    return sum([await _clean(session, table, traces) for table in Base.metadata.sorted_tables if table not in known])


async def _clean(session: AsyncSession, table: Table, traces: Traces) -> int:
    columns = [column for column in table.columns if isinstance(column.type, JSON | Text)]
    touch, changed = traces.sayings.touch, 0
    rows = (await session.execute(select(table.c.id, *columns))).all() if columns else []
    for row in rows:
        values: dict[str, Any] = {}
        for column, value in zip(columns, row[1:], strict=True):
            if isinstance(column.type, JSON) and value:
                left = without_values(value, touch)
                left = type(value)() if left is None else left
            else:
                left = without_lines(value, touch) if value else value
            if left != value:
                values[column.name] = left
        if values:
            await session.execute(update(table).where(table.c.id == row[0]).values(values))
            changed += 1
    return changed


async def _delete(session: AsyncSession, model: type[Any], numbers: list[int]) -> None:
    for part in _parts(numbers):
        await session.execute(delete(model).where(model.id.in_(part)))


def _parts(numbers: Sequence[int]) -> Iterator[Iterable[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]
