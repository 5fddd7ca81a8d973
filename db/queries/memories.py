"""What NPCs remember: written as turns are said, found by words, and gone with the turns it was made of.

Memories follow their turns: `derive` is called wherever a turn is added, kept, reworded or taken
back, so that no face has to think of it. Who was there for a turn remembers it, and nobody else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from characters.messages import Fact
from characters.remembering import OFFERED, Found, Noted, note_heard, note_manner, note_spoken, senses, stems
from db.full_text import owner_word, search
from db.models import Memory, MemoryTurn, Participant, PlaySession, SceneRow, TurnRow
from db.queries import vectors
from db.queries.presence import witnesses
from db.queries.vectors import Like, nearest, together
from db.values import HeardMemory, Origin

_MOST_WORDS = 2000  # characters of the index columns
_AT_ONCE = 500


@dataclass(frozen=True)
class Remembered:
    """A memory with its identity; without an NPC it is lore, which everybody knows."""

    id: int
    npc: str | None
    kind: str
    text: str
    about: str = ""
    known_since: str = ""
    edited: bool = False
    turns: tuple[int, ...] = ()


async def add(  # noqa: PLR0913  (where a memory comes from, by name)
    session: AsyncSession, campaign: int, npc: str | None, noted: Noted, now: datetime,
    *, turns: Sequence[int] = (), scene: int | None = None, by: int | None = None, known_since: str = "",
) -> int:  # fmt: skip
    """Remember something."""
    row = Memory(
        campaign_id=campaign, npc=npc, kind=noted.kind, text=noted.text, about=noted.about[:200], weight=noted.weight,
        known_since=known_since[:200], scene_id=scene, participant_id=by, edited=False,
        owner=owner_word(campaign, npc), stems=_words(noted.text)[0], senses=_words(noted.text)[1], made_at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    session.add_all(MemoryTurn(memory_id=row.id, turn_id=turn) for turn in turns)
    return row.id


def _words(text: str) -> tuple[str, str]:
    found = stems(text)
    return " ".join(found)[:_MOST_WORDS], " ".join(senses(found))[:_MOST_WORDS]


# --- written as it is said -----------------------------------------------------------------------


async def derive(session: AsyncSession, turn: int) -> None:
    """Write anew what is remembered of a turn; nothing, where it no longer stands. What a GM rewrote stays his."""
    await session.flush()
    row = await session.scalar(select(TurnRow).where(TurnRow.id == turn).execution_options(populate_existing=True))
    stands = row is not None and row.retracted_at is None and not row.out_of_character and row.text.strip() != ""
    await forget_turns(session, [turn], keep_edited=stands)
    if row is None or not stands or (row.npc is not None and row.kept_take_id is None):
        return
    campaign = await session.scalar(
        select(PlaySession.campaign_id).join(SceneRow, SceneRow.session_id == PlaySession.id)
        .where(SceneRow.id == row.scene_id)
    )  # fmt: skip
    if campaign is None:
        return
    rewritten = set(await session.scalars(
        select(Memory.npc).join(MemoryTurn, MemoryTurn.memory_id == Memory.id).where(MemoryTurn.turn_id == turn)
    ))  # fmt: skip
    heard = note_heard(row.speaker, row.text)
    for npc in await witnesses(session, row.scene_id, row.ordinal):
        if heard is not None and npc != row.npc and npc not in rewritten:
            await add(session, campaign, npc, heard, row.said_at, turns=[turn], scene=row.scene_id)
    if row.npc is not None and row.answers_id is not None:
        await _of_an_answer(session, campaign, row)


async def _of_an_answer(session: AsyncSession, campaign: int, line: TurnRow) -> None:
    """What the speaking NPC binds itself to, and what it makes of how it was spoken to."""
    asked = await session.scalar(select(TurnRow).where(TurnRow.id == line.answers_id))
    if asked is None or line.npc is None:
        return
    bound, turns = note_spoken(asked.speaker, line.text), [line.id, asked.id]
    if bound is not None:
        await add(session, campaign, line.npc, bound, line.said_at, turns=turns, scene=line.scene_id)
    manner = note_manner(asked.speaker, asked.text) if asked.retracted_at is None else None
    if manner is not None:
        await add(session, campaign, line.npc, manner, line.said_at, turns=turns, scene=line.scene_id)


async def forget_turns(session: AsyncSession, turns: Iterable[int], *, keep_edited: bool = False) -> int:
    """Delete the memories that were made of any of these turns; returns how many."""
    made = select(MemoryTurn.memory_id).where(MemoryTurn.turn_id.in_(list(turns)))
    wanted = select(Memory.id).where(Memory.id.in_(made))
    if keep_edited:
        wanted = wanted.where(Memory.edited.is_(False))
    return await drop(session, list(await session.scalars(wanted)))


async def drop(session: AsyncSession, numbers: Sequence[int]) -> int:
    """Delete memories."""
    quiet = {"synchronize_session": False}
    await vectors.remove(session, numbers)
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        await session.execute(delete(MemoryTurn).where(MemoryTurn.memory_id.in_(some)), None, execution_options=quiet)
        await session.execute(delete(Memory).where(Memory.id.in_(some)), None, execution_options=quiet)
    return len(numbers)


# --- found again ---------------------------------------------------------------------------------


async def find(  # noqa: PLR0913  (what is looked for, and where, by name)
    session: AsyncSession, campaign: int, npc: str, question: str,
    *, without: Iterable[int] = (), before: int | None = None, limit: int = OFFERED, like: Like | None = None,
) -> list[Found]:  # fmt: skip
    """The memories of an NPC, and lore, that a question calls for, best first.

    Args:
        without: turns that stand in the prompt anyway; what was made of these alone is left out.
        before: leave out what was made of this turn, or a later one.
        like: the question's vector; memories that are like it are found, too, whatever their words.
    """
    asked = stems(question)
    owners = [owner_word(campaign, npc), owner_word(campaign, None)]
    near = frozenset(without)
    hits = await search(session, owners, {stem: senses([stem]) for stem in asked}, 4 * limit + len(near))
    if like is not None:
        hits = together(hits, await nearest(session, owners, like))
    if not hits:
        return []
    columns = select(Memory.id, Memory.npc, Memory.kind, Memory.text)
    rows = {row.id: row for row in (await session.execute(columns.where(Memory.id.in_([h.id for h in hits])))).all()}
    made_of = await _turns(session, rows)
    found, texts = [], set[str]()
    for hit in hits:
        row, turns = rows[hit.id], set(made_of.get(hit.id, ()))
        later = before is not None and any(turn >= before for turn in turns)
        if row.kind == "summary" or row.text in texts or later or (turns and turns <= near):
            continue
        texts.add(row.text)
        fact = Fact(f"memory.{row.id}", row.text, "memory" if row.npc else "lore")
        found.append(Found(fact, hit.score, hit.share, hit.words))
    return found[:limit]


async def _turns(session: AsyncSession, numbers: Iterable[int]) -> dict[int, list[int]]:
    rows = await session.execute(
        select(MemoryTurn.memory_id, MemoryTurn.turn_id).where(MemoryTurn.memory_id.in_(list(numbers)))
        .order_by(MemoryTurn.turn_id)
    )  # fmt: skip
    found: dict[int, list[int]] = {}
    for memory, turn in rows.all():
        found.setdefault(memory, []).append(turn)
    return found


async def standing(session: AsyncSession, campaign: int, npc: str) -> dict[str, str]:
    """The facts an NPC may have at hand from memory, text by key: what is not here any more is in no prompt."""
    rows = await session.execute(
        select(Memory.id, Memory.text)
        .where(Memory.campaign_id == campaign, or_(Memory.npc == npc, Memory.npc.is_(None)))
    )  # fmt: skip
    return {f"memory.{number}": text for number, text in rows.all()}


async def not_known_since(session: AsyncSession, campaign: int, npc: str) -> dict[str, str]:
    """The memories that are known only since a date or a scene: since when, by key."""
    rows = await session.execute(
        select(Memory.id, Memory.known_since)
        .where(Memory.campaign_id == campaign, or_(Memory.npc == npc, Memory.npc.is_(None)), Memory.known_since != "")
    )  # fmt: skip
    return {f"memory.{number}": since for number, since in rows.all()}


async def made_of(session: AsyncSession, keys: Iterable[str]) -> dict[str, HeardMemory]:
    """The memories of these keys that stand, by key, with whose words they are made of.

    A memory of an NPC's line was made of what the line answers, too: its words may have come from there.
    """
    numbers = [int(key.partition(".")[2]) for key in keys if key.startswith("memory.")]
    rows = {row.id: row for row in await session.scalars(select(Memory).where(Memory.id.in_(numbers)))}
    asked = aliased(TurnRow)
    parents = await session.execute(
        select(MemoryTurn.memory_id, TurnRow.npc, TurnRow.source, TurnRow.speaker, Participant.consent, Participant.key,
               asked.id)
        .join(TurnRow, TurnRow.id == MemoryTurn.turn_id)
        .outerjoin(Participant, Participant.id == TurnRow.participant_id)
        .outerjoin(asked, asked.id == TurnRow.answers_id)
        .where(MemoryTurn.memory_id.in_(list(rows))).order_by(MemoryTurn.id)
    )  # fmt: skip
    found: dict[int, list[Origin]] = {number: [] for number in rows}
    answered: dict[int, list[int]] = {}
    for memory, npc, source, speaker, consent, key, question in parents.all():
        if npc is None:
            found[memory].append(Origin(source, consent or "unasked", key, speaker))
        if question is not None:
            answered.setdefault(question, []).append(memory)
    said = await session.execute(
        select(TurnRow.id, TurnRow.source, TurnRow.speaker, Participant.consent, Participant.key)
        .outerjoin(Participant, Participant.id == TurnRow.participant_id)
        .where(TurnRow.id.in_(list(answered)), TurnRow.npc.is_(None))
    )
    for turn, source, speaker, consent, key in said.all():
        for memory in answered[turn]:
            found[memory].append(Origin(source, consent or "unasked", key, speaker))
    return {
        f"memory.{number}": HeardMemory(Fact(f"memory.{number}", row.text, "memory" if row.npc else "lore"),
                                        tuple(dict.fromkeys(found[number])))
        for number, row in rows.items()
    }  # fmt: skip


async def unknown_to(session: AsyncSession, campaign: int, npc: str, limit: int) -> list[str]:
    """What other NPCs were told or heard and this one was not, newest first."""
    kinds = ("told", "heard", "promise", "debt")
    own = select(Memory.text).where(Memory.campaign_id == campaign, or_(Memory.npc == npc, Memory.npc.is_(None)))
    rows = await session.execute(
        select(Memory.text, func.max(Memory.id))
        .where(Memory.campaign_id == campaign, Memory.npc.is_not(None), Memory.npc != npc, Memory.kind.in_(kinds))
        .where(Memory.text.not_in(own)).group_by(Memory.text).order_by(func.max(Memory.id).desc()).limit(limit)
    )  # fmt: skip
    return [text for text, _ in rows.all()]


async def shown(session: AsyncSession, campaign: int, npc: str | None, about: str = "") -> list[Remembered]:
    """What an NPC remembers and everybody knows, newest first; without an NPC what everybody knows.

    Args:
        about: only what shares a word with this.
    """
    heads = Memory.npc.is_(None) if npc is None else or_(Memory.npc == npc, Memory.npc.is_(None))
    rows = list(await session.scalars(
        select(Memory).where(Memory.campaign_id == campaign, heads, Memory.text != "").order_by(Memory.id.desc())
    ))  # fmt: skip
    wanted = set(stems(about))
    rows = [row for row in rows if not about or wanted & {*row.stems.split()}]
    made_of = await _turns(session, [row.id for row in rows[:_AT_ONCE]])
    return [
        Remembered(row.id, row.npc, row.kind, row.text, row.about, row.known_since, row.edited,
                   tuple(made_of.get(row.id, ())))
        for row in rows
    ]  # fmt: skip


async def reword(session: AsyncSession, campaign: int, number: int, text: str) -> Remembered | None:
    """Put a memory in other words; None where there is none. It still goes with the turns it was made of."""
    row = await session.scalar(select(Memory).where(Memory.id == number, Memory.campaign_id == campaign))
    if row is None:
        return None
    row.text, row.edited = text, True
    row.stems, row.senses = _words(text)
    await session.flush()
    await vectors.remove(session, [row.id])
    return Remembered(row.id, row.npc, row.kind, row.text, row.about, row.known_since, row.edited)


async def forget(session: AsyncSession, campaign: int, number: int) -> bool:
    """Let a memory go; whether there was one."""
    found = await session.scalar(select(Memory.id).where(Memory.id == number, Memory.campaign_id == campaign))
    return found is not None and await drop(session, [found]) > 0


# --- people --------------------------------------------------------------------------------------


async def acquaintances(session: AsyncSession, campaign: int, npc: str, before: int) -> dict[str, tuple[int, float]]:
    """Whom an NPC has talked with in scenes before this one: in how many, and what it thinks of them, by name."""
    line = aliased(TurnRow)
    met = await session.execute(
        select(TurnRow.speaker, func.count(func.distinct(TurnRow.scene_id)))
        .join(line, line.answers_id == TurnRow.id)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id).join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, line.npc == npc, TurnRow.npc.is_(None), TurnRow.scene_id < before)
        .where(TurnRow.retracted_at.is_(None), line.retracted_at.is_(None)).group_by(TurnRow.speaker)
    )  # fmt: skip
    thought = await session.execute(
        select(Memory.about, func.sum(Memory.weight))
        .where(Memory.campaign_id == campaign, Memory.npc == npc, Memory.kind == "opinion", Memory.scene_id < before)
        .group_by(Memory.about)
    )
    regard = {about: float(total) for about, total in thought.all()}
    return {name: (int(count), regard.get(name, 0.0)) for name, count in met.all()}


# --- summaries -----------------------------------------------------------------------------------


async def summarise(  # noqa: PLR0913  (whose summary of what, and of which turns)
    session: AsyncSession, campaign: int, npc: str, scene: int, text: str, turns: Sequence[int], now: datetime
) -> None:
    """Keep the summary of a scene as an NPC saw it, in place of an earlier one."""
    old = select(Memory.id).where(Memory.campaign_id == campaign, Memory.npc == npc, Memory.kind == "summary",
                                  Memory.scene_id == scene)  # fmt: skip
    await drop(session, list(await session.scalars(old)))
    await add(session, campaign, npc, Noted("summary", text), now, turns=turns, scene=scene)


async def scene_summaries(session: AsyncSession, campaign: int, scene: int) -> list[str]:
    """The NPCs that keep a summary of a scene."""
    rows = await session.scalars(
        select(Memory.npc).where(Memory.campaign_id == campaign, Memory.scene_id == scene, Memory.kind == "summary")
    )
    return sorted(npc for npc in rows if npc)


async def summaries(session: AsyncSession, campaign: int, npc: str, before: int, limit: int) -> list[Remembered]:
    """The newest summaries of scenes before this one, oldest first."""
    rows = await session.scalars(
        select(Memory).where(Memory.campaign_id == campaign, Memory.npc == npc, Memory.kind == "summary")
        .where(Memory.scene_id < before).order_by(Memory.scene_id.desc()).limit(limit)
    )  # fmt: skip
    return [Remembered(row.id, row.npc, row.kind, row.text) for row in rows][::-1]
