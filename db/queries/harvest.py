"""What was heard at a table, with everything that bears on learning from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from characters.knowing import When
from characters.messages import Fact
from db.models import CandidateRow, Feedback, Night, Participant, PlaySession, SceneRow, TurnRow
from db.prepared import Prepared
from db.queries import desk, lines, memories
from db.queries.play import scene_of, stories
from db.values import GivenReaction, HeardLine, HeardMemory, HeardTurn, StoredTake, TakeMade

_AT_ONCE = 500  # lines
RECALLED = frozenset({"memory", "lore", "secret"})  # sources of facts that come from play


async def npcs_heard(session: AsyncSession, campaign: int) -> list[str]:
    """The NPCs with any reaction to learn from, in order of name."""
    found = await session.scalars(
        select(TurnRow.npc).distinct()
        .join(Feedback, Feedback.turn_id == TurnRow.id)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc.is_not(None), Feedback.withdrawn_at.is_(None))
    )  # fmt: skip
    return sorted(npc for npc in found if npc is not None)


async def heard_lines(session: AsyncSession, campaign: int, npc: str) -> list[HeardLine]:
    """Every line of an NPC the table reacted to, oldest first."""
    rows = await session.execute(
        select(TurnRow, SceneRow)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc == npc)
        .where(TurnRow.id.in_(select(Feedback.turn_id).where(Feedback.withdrawn_at.is_(None))))
        .order_by(TurnRow.id)
    )
    whole = await session.scalars(
        select(Night.started_at).where(Night.campaign_id == campaign, Night.npc == npc, Night.state == "done")
    )
    return await _heard_all(session, campaign, [(turn, scene) for turn, scene in rows.all()], tuple(whole))


async def evening_lines(session: AsyncSession, campaign: int, evening: int | None = None) -> list[HeardLine]:
    """Every line NPCs said in an evening, oldest first; None is the last evening in which one spoke."""
    if evening is None:
        evening = await session.scalar(
            select(PlaySession.id)
            .join(SceneRow, SceneRow.session_id == PlaySession.id)
            .join(TurnRow, TurnRow.scene_id == SceneRow.id)
            .where(PlaySession.campaign_id == campaign, TurnRow.npc.is_not(None))
            .order_by(PlaySession.id.desc()).limit(1)
        )  # fmt: skip
    rows = await session.execute(
        select(TurnRow, SceneRow)
        .join(SceneRow, SceneRow.id == TurnRow.scene_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, PlaySession.id == evening)
        .where(TurnRow.npc.is_not(None), TurnRow.answers_id.is_not(None), TurnRow.kept_take_id.is_not(None))
        .order_by(TurnRow.id)
    )
    return await _heard_all(session, campaign, [(turn, scene) for turn, scene in rows.all()])


async def evenings(session: AsyncSession, campaign: int, npc: str) -> list[int]:
    """The evenings in which an NPC spoke, newest first."""
    found = await session.scalars(
        select(PlaySession.id).distinct()
        .join(SceneRow, SceneRow.session_id == PlaySession.id)
        .join(TurnRow, TurnRow.scene_id == SceneRow.id)
        .where(PlaySession.campaign_id == campaign, TurnRow.npc == npc)
        .order_by(PlaySession.id.desc())
    )  # fmt: skip
    return list(found)


async def _heard_all(
    session: AsyncSession, campaign: int, rows: Sequence[tuple[TurnRow, SceneRow]], nights: Sequence[datetime] = ()
) -> list[HeardLine]:
    """Lines with all that bears on them, read for many scenes at once: a long campaign has thousands."""
    story = await stories(session, campaign)
    groups: dict[tuple[str, int], list[tuple[TurnRow, SceneRow]]] = {}
    for row, scene in rows:
        groups.setdefault((row.npc or "", scene.id), []).append((row, scene))
    found: list[HeardLine] = []
    for npc in dict.fromkeys(npc for npc, _ in groups):
        some: list[tuple[TurnRow, SceneRow]] = []
        for (whose, _), these in groups.items():
            some += these if whose == npc else []
            if len(some) >= _AT_ONCE:
                found += await _heard(session, npc, some, nights, story)
                some = []
        found += await _heard(session, npc, some, nights, story) if some else []
    return sorted(found, key=lambda line: line.id)


async def _heard(
    session: AsyncSession, npc: str, rows: Sequence[tuple[TurnRow, SceneRow]], nights: Sequence[datetime],
    story: Mapping[int, When],
) -> list[HeardLine]:  # fmt: skip
    scenes, ids = sorted({scene.id for _, scene in rows}), [row.id for row, _ in rows]
    people = await _people(session, scenes)
    heard = {
        scene: [HeardTurn(turn, *people.get(turn.id, ("unasked", None))) for turn in said]
        for scene, said in (await lines.transcripts(session, scenes, npc)).items()
    }
    takes, given = await lines.takes_of(session, ids), await _reactions(session, ids, nights)
    parts = [_Part.of(row, scene, heard[scene.id], takes[row.id]) for row, scene in rows]
    known = await memories.made_of(session, {key for part in parts for key in part.keys})
    return [part.line(given.get(part.row.id, ()), known, story.get(part.scene.id, When())) for part in parts]


@dataclass(frozen=True)
class _Part:
    """A line before its reactions and memories are known."""

    row: TurnRow
    scene: SceneRow
    before: list[HeardTurn]
    takes: list[StoredTake]
    made: TakeMade
    recalled: tuple[Fact, ...]
    keys: frozenset[str]

    @classmethod
    def of(cls, row: TurnRow, scene: SceneRow, heard: list[HeardTurn], takes: list[StoredTake]) -> "_Part":
        number = row.id  # a mapped attribute is no cheap thing to read for every turn
        before = [turn for turn in heard if turn.said.id < number]
        spoken = [take.made for take in takes if take.origin == "npc"] or [take.made for take in takes] or [TakeMade()]
        made = spoken[-1]
        recalled = tuple(fact for fact in made.at_hand if fact.source in RECALLED)
        keys = {fact.key for turn in before for fact in turn.said.at_hand} | {fact.key for fact in recalled}
        keys |= {fact["key"] for fact in made.frame.get("memory", ())}
        return cls(row, scene, before, takes, made, recalled, frozenset(keys))

    def line(self, given: tuple[GivenReaction, ...], known: Mapping[str, HeardMemory], when: When) -> HeardLine:
        """The whole line."""
        row = self.row
        return HeardLine(
            row.id, row.scene_id, scene_of(self.scene), row.npc or "", row.text, row.source, row.kept_take_id,
            row.retracted_at is not None, _up_to_question(self.before, row.answers_id), tuple(self.takes), given,
            self.recalled, dict(self.made.frame), {key: known[key] for key in self.keys if key in known}, when,
        )


def _up_to_question(heard: list[HeardTurn], answers: int | None) -> tuple[HeardTurn, ...]:
    """The turns up to the answered one; none where the line answers nothing that still stands."""
    at = next((index for index, turn in enumerate(heard) if turn.said.id == answers), None)
    return tuple(heard[: at + 1]) if at is not None else ()


_PEOPLE = Prepared(
    select(TurnRow.id, Participant.consent, Participant.key)
    .join(Participant, Participant.id == TurnRow.participant_id)
    .where(TurnRow.scene_id.in_(bindparam("scenes", expanding=True)), TurnRow.npc.is_(None))
)


async def _people(session: AsyncSession, scenes: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Consent and key of whoever said a turn, by turn."""
    rows = await _PEOPLE(session, scenes=list(scenes))
    return {turn: (consent, key) for turn, consent, key in rows.all()}


async def _reactions(
    session: AsyncSession, turns: Sequence[int], nights: Sequence[datetime]
) -> dict[int, tuple[GivenReaction, ...]]:
    rows = await session.execute(
        select(Feedback, Participant.role, Participant.key, Participant.consent)
        .outerjoin(Participant, Participant.id == Feedback.participant_id)
        .where(Feedback.turn_id.in_(turns), Feedback.withdrawn_at.is_(None))
        .order_by(Feedback.id)
    )
    found: dict[int, tuple[GivenReaction, ...]] = {}
    for given, role, key, consent in rows.all():
        reaction = GivenReaction(given.kind, role or "player", key or "", given.take_id, given.asked, given.text,
                                 sum(night > given.given_at for night in nights), consent or "unasked")  # fmt: skip
        found[given.turn_id] = (*found.get(given.turn_id, ()), reaction)
    return found


@dataclass(frozen=True)
class CandidateRecord:
    """A candidate row as it is stored, for the review desk and the report."""

    kind: str
    source: str
    turn: int
    payload: dict[str, Any]
    trainable: bool
    reason: str


async def replace_candidates(
    session: AsyncSession, campaign: int, npc: str, records: list[CandidateRecord], now: datetime
) -> None:
    """Write tonight's candidates in place of the last harvest's; human verdicts are kept by `desk.mark`.

    What teachers made stays as it is.
    """
    verdicts = await desk.verdicts(session, campaign, npc)
    harvested = (CandidateRow.campaign_id == campaign, CandidateRow.npc == npc, CandidateRow.origin.is_(None))
    await session.execute(delete(CandidateRow).where(*harvested))
    rows = [
        {
            "campaign_id": campaign, "npc": npc, "kind": record.kind, "source": record.source, "turn_id": record.turn,
            "payload": record.payload, "verdict": "train" if record.trainable else "leave", "reason": record.reason,
            "human_verdict": verdicts.get(desk.mark(record.turn, record.kind, record.payload)), "made_at": now,
        }
        for record in records
    ]  # fmt: skip
    if rows:
        await session.execute(insert(CandidateRow), rows)
