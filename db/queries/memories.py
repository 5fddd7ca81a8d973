"""What NPCs remember: written as turns are said, found by words, and gone with the turns it was made of.

Memories follow their turns: `derive` is called wherever a turn is added, kept, reworded or taken
back, so that no face has to think of it. Who was there for a turn remembers it, and nobody else.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Integer, String, bindparam, delete, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from characters.messages import Fact
from characters.remembering import OFFERED, Found, Noted, note_heard, note_manner, note_spoken, senses, stems
from db.full_text import owner_word, search
from db.models import Memory, MemoryTurn, Participant, PlaySession, SceneRow, TurnRow
from db.prepared import Prepared
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
    row = _row(campaign, npc, noted, now, scene)
    row.participant_id, row.known_since = by, known_since[:200]
    await _add(session, [(row, turns)])
    return row.id


def _row(campaign: int, npc: str | None, noted: Noted, now: datetime, scene: int | None) -> Memory:
    words, meant = _words(noted.text)
    return Memory(
        campaign_id=campaign, npc=npc, kind=noted.kind, text=noted.text, about=noted.about[:200], weight=noted.weight,
        known_since="", scene_id=scene, participant_id=None, edited=False, owner=owner_word(campaign, npc),
        stems=words, senses=meant, made_at=now,
    )  # fmt: skip


def _words(text: str) -> tuple[str, str]:
    found = stems(text)
    return " ".join(found)[:_MOST_WORDS], " ".join(senses(found))[:_MOST_WORDS]


async def _add(session: AsyncSession, made: Sequence[tuple[Memory, Sequence[int]]]) -> None:
    """Keep memories, each with the turns it was made of."""
    session.add_all(row for row, _ in made)
    await session.flush()
    session.add_all(MemoryTurn(memory_id=row.id, turn_id=turn) for row, turns in made for turn in turns)


# --- written as it is said -----------------------------------------------------------------------

# What `remember` has to know of a turn.
SAID = (TurnRow.id, TurnRow.scene_id, TurnRow.ordinal, TurnRow.speaker, TurnRow.text, TurnRow.npc, TurnRow.answers_id,
        TurnRow.kept_take_id, TurnRow.out_of_character, TurnRow.retracted_at, TurnRow.said_at)  # fmt: skip
_SAID = Prepared(select(*SAID).where(TurnRow.id == bindparam("turn")))
_MADE_OF = Prepared(
    select(Memory.id, Memory.npc, Memory.edited).join(MemoryTurn, MemoryTurn.memory_id == Memory.id)
    .where(MemoryTurn.turn_id == bindparam("turn"))
)  # fmt: skip
_CAMPAIGN = Prepared(
    select(PlaySession.campaign_id).join(SceneRow, SceneRow.session_id == PlaySession.id)
    .where(SceneRow.id == bindparam("scene"))
)  # fmt: skip
_ASKED = Prepared(
    select(TurnRow.id, TurnRow.speaker, TurnRow.text, TurnRow.retracted_at).where(TurnRow.id == bindparam("turn"))
)


async def derive(session: AsyncSession, turn: int) -> None:
    """Write anew what is remembered of a turn; nothing, where it no longer stands. What a GM rewrote stays his."""
    said = (await _SAID(session, turn=turn)).one_or_none()
    if said is None:
        await forget_turns(session, [turn])
    else:
        await remember_anew(session, said)


async def remember_anew(session: AsyncSession, said: Any) -> None:
    """Write anew what is remembered of a turn that changed.

    Args:
        said: the turn as it is now (`SAID`).
    """
    stands = said.retracted_at is None and not said.out_of_character and said.text.strip() != ""
    made = (await _MADE_OF(session, turn=said.id)).all()
    await drop(session, [one.id for one in made if not (stands and one.edited)])
    if stands and (said.npc is None or said.kept_take_id is not None):
        await remember(session, said, rewritten={one.npc for one in made if one.edited})


async def remember(session: AsyncSession, said: Any, *, rewritten: Collection[str | None] = ()) -> None:
    """Let whoever was there remember a turn that nothing is remembered of yet.

    Args:
        said: the turn (`SAID`).
        rewritten: NPCs that have a GM's words for it already.
    """
    heard, noted = note_heard(said.speaker, said.text), list[tuple[str, Noted, list[int]]]()
    if heard is not None:
        there = await witnesses(session, said.scene_id, said.ordinal)
        noted += [(npc, heard, [said.id]) for npc in there if npc != said.npc and npc not in rewritten]
    if said.npc is not None and said.answers_id is not None:
        noted += await _of_an_answer(session, said)
    campaign = (await _CAMPAIGN(session, scene=said.scene_id)).scalar() if noted else None
    if campaign is not None:
        await _add(session, [
            (_row(campaign, npc, note, said.said_at, said.scene_id), turns) for npc, note, turns in noted
        ])  # fmt: skip


async def _of_an_answer(session: AsyncSession, line: Any) -> list[tuple[str, Noted, list[int]]]:
    """What the speaking NPC binds itself to, and what it makes of how it was spoken to."""
    asked = (await _ASKED(session, turn=line.answers_id)).one_or_none()
    if asked is None:
        return []
    bound = note_spoken(asked.speaker, line.text)
    manner = note_manner(asked.speaker, asked.text) if asked.retracted_at is None else None
    return [(line.npc, note, [line.id, asked.id]) for note in (bound, manner) if note is not None]


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
    columns = select(Memory.id, Memory.npc, Memory.kind, Memory.text, Memory.known_since)
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
        found.append(Found(fact, hit.score, hit.share, hit.words, row.known_since))
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


async def standing(session: AsyncSession, campaign: int, npc: str, keys: Iterable[str]) -> set[str]:
    """Those of these facts that an NPC may still have at hand from memory: what is gone is in no prompt."""
    numbers = [int(key.removeprefix("memory.")) for key in keys if key.startswith("memory.")]
    if not numbers:
        return set()
    rows = await session.scalars(
        select(Memory.id).where(Memory.id.in_(numbers), Memory.campaign_id == campaign)
        .where(or_(Memory.npc == npc, Memory.npc.is_(None)))
    )  # fmt: skip
    return {f"memory.{number}" for number in rows}


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


def _acquaintances() -> CompoundSelect[str, int, float]:
    """Names with scenes they were talked with in, and names with what is thought of them."""
    campaign, before = bindparam("campaign", type_=Integer), bindparam("before", type_=Integer)
    npc, line = bindparam("npc", type_=String), aliased(TurnRow)
    met = (
        select(TurnRow.speaker.label("name"), func.count(func.distinct(TurnRow.scene_id)).label("scenes"),
               literal(0.0).label("regard"))
        .join(line, line.answers_id == TurnRow.id)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id).join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, line.npc == npc, TurnRow.npc.is_(None), TurnRow.scene_id < before)
        .where(TurnRow.retracted_at.is_(None), line.retracted_at.is_(None)).group_by(TurnRow.speaker)
    )  # fmt: skip
    thought = (
        select(Memory.about, literal(0), func.sum(Memory.weight))
        .where(Memory.campaign_id == campaign, Memory.npc == npc, Memory.kind == "opinion", Memory.scene_id < before)
        .group_by(Memory.about)
    )
    return union_all(met, thought)


_ACQUAINTANCES = Prepared(_acquaintances())


async def acquaintances(session: AsyncSession, campaign: int, npc: str, before: int) -> dict[str, tuple[int, float]]:
    """Whom an NPC has talked with in scenes before this one: in how many, and what it thinks of them, by name."""
    rows = (await _ACQUAINTANCES(session, campaign=campaign, npc=npc, before=before)).all()
    met, regard = dict[str, int](), dict[str, float]()
    for name, scenes, thought in rows:
        met[name], regard[name] = met.get(name, 0) + scenes, regard.get(name, 0.0) + thought
    return {name: (scenes, regard[name]) for name, scenes in met.items() if scenes}


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


_SUMMARIES = Prepared(
    select(Memory.id, Memory.npc, Memory.kind, Memory.text)
    .where(Memory.campaign_id == bindparam("campaign"), Memory.npc == bindparam("npc"), Memory.kind == "summary")
    .where(Memory.scene_id < bindparam("before")).order_by(Memory.scene_id.desc()).limit(bindparam("most"))
)  # fmt: skip


async def summaries(session: AsyncSession, campaign: int, npc: str, before: int, limit: int) -> list[Remembered]:
    """The newest summaries of scenes before this one, oldest first."""
    rows = await _SUMMARIES(session, campaign=campaign, npc=npc, before=before, most=limit)
    return [Remembered(*row) for row in rows.all()][::-1]
