"""What is kept about a person: found by key or name, traced, and handed over.

A trace is everything needed to find the person's words wherever they went: rows say it by id and
key, texts by the words themselves (`db.sayings`). Exporting and forgetting start from the same
trace, so what is shown is what goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from characters.errors import UnderstudyError
from db.models import (
    AdapterVersion,
    Campaign,
    CandidateRow,
    Conversation,
    Feedback,
    Memory,
    MemoryTurn,
    Participant,
    PlaySession,
    Presence,
    SceneRow,
    StyleExampleRow,
    Take,
    TurnRow,
)
from db.sayings import Sayings

FORGOTTEN = "forgotten:"
_WRITES = ("edit", "gm_line")
_TEACHES = ("edit", "gm_line", "thumbs_up")


class PersonNotFound(UnderstudyError):
    """Nobody, or more than one, goes by what was given."""


@dataclass(frozen=True)
class Known:
    """A person as the participants of one or all campaigns.

    Attributes:
        ids: the participant rows, one a campaign.
        campaigns: names by id.
    """

    key: str
    names: tuple[str, ...]
    ids: tuple[int, ...]
    campaigns: dict[int, str]


async def find_person(session: AsyncSession, wanted: str, campaign: str | None = None) -> Known:
    """The person with a key, else with a name.

    Args:
        campaign: look only there; everywhere if None.

    Raises:
        PersonNotFound: nobody goes by it, several people do, or there is no such campaign.
    """
    listed = select(Participant, Campaign.name).join(Campaign, Campaign.id == Participant.campaign_id)
    if campaign is not None:
        if await session.scalar(select(Campaign.id).where(Campaign.name == campaign)) is None:
            raise PersonNotFound(f"There is no campaign {campaign!r}; leave --campaign out to look in all of them.")
        listed = listed.where(Campaign.name == campaign)
    everybody = [(row, name) for row, name in (await session.execute(listed.order_by(Participant.id))).all()]
    found = [(row, name) for row, name in everybody if row.key == wanted] or [
        (row, name) for row, name in everybody
        if row.name.casefold() == wanted.casefold() and not row.key.startswith(FORGOTTEN)
    ]  # fmt: skip
    keys = list(dict.fromkeys(row.key for row, _ in found))
    if not keys:
        known = ", ".join(sorted({row.key for row, _ in everybody if not row.key.startswith(FORGOTTEN)})) or "nobody"
        raise PersonNotFound(f"Nobody is known by the key or name {wanted!r}; known are: {known}.")
    if len(keys) > 1:
        raise PersonNotFound(f"{len(keys)} people are called {wanted!r}; give one's key: {', '.join(sorted(keys))}.")
    names = tuple(dict.fromkeys(row.name for row, _ in found))
    return Known(keys[0], names, tuple(row.id for row, _ in found), {row.campaign_id: name for row, name in found})


@dataclass(frozen=True)
class Traces:
    """Where a person's words went.

    Attributes:
        texts: what they said, wrote for an NPC, or spoke as one.
        written: takes of theirs on lines of NPCs.
        answering: NPCs' lines that answer them.
        taught: lines they, as the GM, made an example of.
        lines: all turns a row made of would be derived from them: their own, those that answer them,
            those they reacted to.
        scenes: every scene of the campaigns concerned.
        conversations: "scene/npc" of everything NPCs said where they spoke or reacted.
        npcs: (campaign, npc) of these.
        since: when they first said or did anything.
    """

    person: Known
    texts: tuple[str, ...]
    written: frozenset[int]
    answering: frozenset[int]
    taught: frozenset[int]
    lines: frozenset[int]
    scenes: frozenset[int]
    conversations: frozenset[str]
    npcs: frozenset[tuple[int, str]]
    since: datetime | None

    @cached_property
    def sayings(self) -> Sayings:
        """Their texts, to be looked for."""
        return Sayings(self.texts)


async def trace(session: AsyncSession, person: Known) -> Traces:
    """Follow a person's words through the rows of the database."""
    theirs = TurnRow.participant_id.in_(person.ids)
    spoken = select(TurnRow.id, TurnRow.text, TurnRow.said_at, TurnRow.scene_id).where(theirs)
    own = (await session.execute(spoken)).all()
    given = (await session.execute(
        select(Feedback.turn_id, Feedback.kind, Feedback.given_at, TurnRow.scene_id, TurnRow.npc, Participant.role)
        .join(TurnRow, TurnRow.id == Feedback.turn_id).join(Participant, Participant.id == Feedback.participant_id)
        .where(Feedback.participant_id.in_(person.ids))
    )).all()  # fmt: skip
    answering = frozenset(await session.scalars(
        select(TurnRow.id).where(TurnRow.answers_id.in_(select(TurnRow.id).where(theirs)), TurnRow.npc.is_not(None))
    ))  # fmt: skip
    written = await _written(session, person)
    scenes = await _scenes(session, person)
    reacted = {(row.scene_id, row.npc) for row in given if row.npc}
    spoken_at = {row.scene_id for row in own}
    met = reacted | {pair for pair in await _conversations(session, person) if pair[0] in spoken_at}
    texts = [row.text for row in own] + list(written.values()) + await _rewritten(session, person)
    return Traces(
        person, tuple(dict.fromkeys(text for text in texts if text)), frozenset(written), answering,
        frozenset(row.turn_id for row in given if row.role == "gm" and row.kind in _TEACHES),
        answering | {row.id for row in own} | {row.turn_id for row in given}, frozenset(scenes),
        frozenset(f"{scene}/{npc}" for scene, npc in met), frozenset((scenes[scene], npc) for scene, npc in met),
        min([row.said_at for row in own] + [row.given_at for row in given], default=None),
    )  # fmt: skip


async def _written(session: AsyncSession, person: Known) -> dict[int, str]:
    """Takes they wrote on lines of NPCs: text by id."""
    theirs = select(Feedback.take_id).where(Feedback.participant_id.in_(person.ids), Feedback.kind.in_(_WRITES))
    return {take: text for take, text in (await session.execute(  # noqa: C416  (rows are no pairs to the type checker)
        select(Take.id, Take.text).where(Take.id.in_(theirs))
    )).all()}  # fmt: skip


async def _rewritten(session: AsyncSession, person: Known) -> list[str]:
    """Questions they put in their own words in an edit."""
    answered = aliased(TurnRow)
    rows = await session.execute(
        select(Feedback.asked, answered.text)
        .join(TurnRow, TurnRow.id == Feedback.turn_id)
        .outerjoin(answered, answered.id == TurnRow.answers_id)
        .where(Feedback.participant_id.in_(person.ids), Feedback.kind == "edit")
    )
    return [asked for asked, question in rows.all() if asked not in {"", question}]


def in_campaigns(person: Known) -> Any:
    """The ids of all scenes of the person's campaigns, as a subquery."""
    evenings = select(PlaySession.id).where(PlaySession.campaign_id.in_(person.campaigns))
    return select(SceneRow.id).where(SceneRow.session_id.in_(evenings))


async def _scenes(session: AsyncSession, person: Known) -> dict[int, int]:
    """Every scene of the campaigns: the campaign by the scene."""
    rows = await session.execute(
        select(SceneRow.id, PlaySession.campaign_id)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id.in_(person.campaigns))
    )
    return {scene: campaign for scene, campaign in rows.all()}  # noqa: C416


async def _conversations(session: AsyncSession, person: Known) -> set[tuple[int, str]]:
    """(scene, npc) of every conversation of the campaigns."""
    scenes = in_campaigns(person)
    begun = select(Conversation.scene_id, Conversation.npc).where(Conversation.scene_id.in_(scenes))
    rows = await session.execute(begun)
    spoken = await session.execute(
        select(TurnRow.scene_id, TurnRow.npc).distinct().where(TurnRow.scene_id.in_(scenes), TurnRow.npc.is_not(None))
    )
    return {(scene, npc) for scene, npc in [*rows.all(), *spoken.all()] if npc}


# --- what was made of their words ------------------------------------------------------------------


async def quoting_takes(session: AsyncSession, traces: Traces) -> dict[int, int]:
    """Takes of NPCs' lines that they wrote or that quote them: the line by the take."""
    sayings = traces.sayings
    rows = await session.execute(
        select(Take.id, Take.turn_id, Take.text).join(TurnRow, TurnRow.id == Take.turn_id)
        .where(TurnRow.scene_id.in_(in_campaigns(traces.person)))
        .where(TurnRow.participant_id.is_(None) | TurnRow.participant_id.not_in(traces.person.ids))
    )  # fmt: skip
    return {
        take: line for take, line, text in rows.all()
        if take in traces.written or sayings.quoted_in(text, short=line in traces.answering)
    }  # fmt: skip


async def examples_made(session: AsyncSession, traces: Traces) -> list[StyleExampleRow]:
    """Style examples that hold their words, answer them, or are there because they said so."""
    sayings, made = traces.sayings, traces.answering | traces.taught
    rows = await session.scalars(
        select(StyleExampleRow).where(StyleExampleRow.campaign_id.in_(traces.person.campaigns)).order_by(StyleExampleRow.id)
    )
    return [row for row in rows if row.turn_id in made or sayings.touch(row.asked) or sayings.quoted_in(row.line)]


async def candidates_made(session: AsyncSession, traces: Traces) -> list[CandidateRow]:
    """Candidate rows that involve them."""
    sayings, key = traces.sayings, traces.person.key
    rows = await session.scalars(
        select(CandidateRow).where(CandidateRow.campaign_id.in_(traces.person.campaigns)).order_by(CandidateRow.id)
    )

    def involved(row: CandidateRow) -> bool:
        texts = [value for value in row.payload.values() if isinstance(value, str)]
        return row.turn_id in traces.lines or key in row.payload.get("people", ()) or any(
            sayings.quoted_in(text, short=False) for text in texts
        )  # fmt: skip

    return [row for row in rows if involved(row)]


async def memories_made(session: AsyncSession, traces: Traces, emptied: Iterable[int] = ()) -> list[Memory]:
    """What NPCs remember of their words or through them, and what they told NPCs as the GM.

    Args:
        emptied: lines of NPCs that quote them, and so go with what is remembered of them.
    """
    sayings, own = traces.sayings, select(TurnRow.id).where(TurnRow.participant_id.in_(traces.person.ids))
    quoting = list(emptied)
    made_of = set(await session.scalars(
        select(MemoryTurn.memory_id).where(MemoryTurn.turn_id.in_(own) | MemoryTurn.turn_id.in_(quoting))
    ))  # fmt: skip
    rows = await session.scalars(
        select(Memory).where(Memory.campaign_id.in_(traces.person.campaigns)).order_by(Memory.id)
    )
    return [
        row for row in rows
        if row.id in made_of or row.participant_id in traces.person.ids or sayings.touch(row.text)
    ]  # fmt: skip


# --- handing it over -------------------------------------------------------------------------------


async def export_person(
    session: AsyncSession, traces: Traces, datasets: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Everything kept about a person, as JSON.

    Args:
        datasets: snapshots that hold rows of theirs, to name the adapters trained on them.
    """
    person = traces.person
    ids, campaigns = person.ids, person.campaigns
    quoting = await quoting_takes(session, traces)
    people = select(Participant).where(Participant.id.in_(ids))
    spoken = select(TurnRow).where(TurnRow.participant_id.in_(ids))
    lines = select(Take).where(Take.turn_id.in_(traces.answering) | Take.id.in_(list(quoting))).order_by(Take.id)
    listed = {
        "participants": (people, "campaign_id key name role consent consent_at"),
        "turns": (spoken.order_by(TurnRow.id), "id scene_id source speaker text npc said_at out_of_character"),
        "lines": (lines, "id turn_id number text origin made_at"),
        "reactions": (select(Feedback).where(Feedback.participant_id.in_(ids)).order_by(Feedback.id),
                      "id turn_id take_id kind asked text given_at withdrawn_at"),
        "presence": (select(Presence).where(Presence.who == person.key, Presence.scene_id.in_(in_campaigns(person))),
                     "scene_id joined_at left_at"),
    }  # fmt: skip
    kept: dict[str, Any] = {
        name: [_columns(row, columns) for row in await session.scalars(wanted)]
        for name, (wanted, columns) in listed.items()
    }
    examples, candidates = await examples_made(session, traces), await candidates_made(session, traces)
    trained = await session.scalars(select(AdapterVersion).where(AdapterVersion.campaign_id.in_(campaigns)))
    return {
        "key": person.key, "names": list(person.names), "campaigns": list(campaigns.values()), **kept,
        "memories": [_columns(row, "id npc kind text about made_at") for row in await memories_made(session, traces)],
        "style_examples": [_columns(row, "id npc asked line kind active made_at") for row in examples],
        "candidate_rows": [_columns(row, "id npc kind source payload verdict reason made_at") for row in candidates],
        "snapshots": sorted(datasets),
        "adapters": [row.adapter for row in trained if row.report.get("dataset") in datasets],
    }  # fmt: skip


def _columns(row: Any, names: str) -> dict[str, Any]:
    """Some columns of a row, moments in ISO 8601."""
    found = {name: getattr(row, name) for name in names.split()}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}
