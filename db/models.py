"""The tables. A campaign holds everything that was played and learnt at one table.

    campaign ─ session ─ scene ─ conversation (one NPC in one scene) ─ turn
                                                                        └ take (an NPC's alternatives)
    participant · feedback · style example · adapter version · active adapter
    night request · night ─ night stage · candidate row · teacher call
    memory ─ the turns it was made of · secret step
    message (of a chat, in which a turn was heard or shown) · place setting
    API key

An NPC's line is a turn whose `npc` is set; what it could have said are its takes, and `kept` names
the one the table heard last. Nothing said is ever deleted by play: a retcon marks it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base as Base
from db.memory_models import Memory as Memory
from db.memory_models import MemoryTurn as MemoryTurn
from db.memory_models import MemoryVector as MemoryVector
from db.memory_models import SecretStep as SecretStep


class Campaign(Base):
    """A table's game; what an NPC learns belongs to (campaign, NPC)."""

    __tablename__ = "campaigns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]


class PlaySession(Base):
    """One evening in one place ("" is the machine's own table).

    `seated_at` and `left_at` say when somebody last sat down at it, and left it without ending it.
    """

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    place: Mapped[str] = mapped_column(String(100), default="")
    started_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    seated_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class SceneRow(Base):
    """A place and a mood that hold until they change."""

    __tablename__ = "scenes"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), index=True)
    place: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    mood: Mapped[str] = mapped_column(Text, default="")
    familiarity: Mapped[str] = mapped_column(Text, default="")
    date: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime]


class Presence(Base):
    """The ledger of who was in a scene: an NPC's slug or a participant's key.

    `after` is the scene's newest turn when somebody came, `until` the newest when they left: they
    witnessed the turns in between. Clocks are for people to read; turns are counted.
    """

    __tablename__ = "presence"
    id: Mapped[int] = mapped_column(primary_key=True)
    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id"), index=True)
    who: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    after: Mapped[int] = mapped_column(default=0)
    until: Mapped[int | None]


class Conversation(Base):
    """One NPC in one scene; the unit that is assigned to train, validation or held-out, once.

    `lore` is what its lorebooks' timed effects have come to.
    """

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("scene_id", "npc"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    split: Mapped[str | None] = mapped_column(String(20))
    lore: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Participant(Base):
    """A person, under a pseudonymous key; the consent is theirs."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("campaign_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    consent: Mapped[str] = mapped_column(String(20), default="unasked")
    consent_at: Mapped[datetime | None]


class TurnRow(Base):
    """Something said, by a person or an NPC."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_scene_ordinal", "scene_id", "ordinal"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id"), index=True)
    ordinal: Mapped[int]
    source: Mapped[str] = mapped_column(String(20))
    speaker: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    npc: Mapped[str | None] = mapped_column(String(100))
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"), index=True)
    answers_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id"), index=True)
    kept_take_id: Mapped[int | None]
    out_of_character: Mapped[bool] = mapped_column(default=False)
    retracted_at: Mapped[datetime | None]
    said_at: Mapped[datetime] = mapped_column(index=True)


class Take(Base):
    """One way an NPC could have said a line, with all that is needed to say it again."""

    __tablename__ = "takes"
    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"), index=True)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(20))
    prompt_hash: Mapped[str] = mapped_column(String(80), default="")
    template_hash: Mapped[str] = mapped_column(String(80), default="")
    sheet_version: Mapped[str] = mapped_column(String(80), default="")
    base_id: Mapped[str] = mapped_column(String(100), default="")
    adapter: Mapped[str | None] = mapped_column(String(100))
    sampling: Mapped[dict[str, Any]] = mapped_column(default=dict)
    timings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at_hand: Mapped[list[Any]] = mapped_column(default=list)
    frame: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_at: Mapped[datetime]


class Feedback(Base):
    """How the table reacted; withdrawn reactions stay, marked."""

    __tablename__ = "feedback"
    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"), index=True)
    take_id: Mapped[int | None] = mapped_column(ForeignKey("takes.id"))
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    asked: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    given_at: Mapped[datetime] = mapped_column(index=True)
    withdrawn_at: Mapped[datetime | None]


class StyleExampleRow(Base):
    """A line the GM approved, edited or spoke: shown to the NPC from the next line on."""

    __tablename__ = "style_examples"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    asked: Mapped[str] = mapped_column(Text)
    line: Mapped[str] = mapped_column(Text)
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id"))
    kind: Mapped[str] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(default=True)
    made_at: Mapped[datetime]


class AdapterVersion(Base):
    """An adapter that was trained, and what became of it."""

    __tablename__ = "adapter_versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    adapter: Mapped[str] = mapped_column(String(100), unique=True)
    path: Mapped[str] = mapped_column(Text)
    base_id: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    made_at: Mapped[datetime]


class ActiveAdapter(Base):
    """Which adapter an NPC speaks with now; promotion and rollback are one UPDATE here."""

    __tablename__ = "active_adapter"
    __table_args__ = (UniqueConstraint("campaign_id", "npc"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    adapter: Mapped[str | None] = mapped_column(String(100))
    changed_at: Mapped[datetime]


class NightRequest(Base):
    """A wish that a night be run; the nightly service polls for it. `taken_at` is renewed while the night runs."""

    __tablename__ = "night_requests"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str | None] = mapped_column(String(100))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    taken_by: Mapped[str] = mapped_column(String(200), default="")
    taken_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class Night(Base):
    """One NPC's night, from harvest to verdict; an interrupted one stays `running` and is resumed."""

    __tablename__ = "nights"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20), default="running")
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)


class NightStage(Base):
    """How far a night came: what a stage made is found again through `result`."""

    __tablename__ = "night_stages"
    __table_args__ = (UniqueConstraint("night_id", "stage"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    night_id: Mapped[int] = mapped_column(ForeignKey("nights.id"), index=True)
    stage: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)


class CandidateRow(Base):
    """A row that could be learnt from, with its verdict; people may overrule it at the desk.

    Rows harvested from the table have no `origin`; one that a teacher made is there once, by its origin.
    """

    __tablename__ = "candidate_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id"))
    payload: Mapped[dict[str, Any]]
    verdict: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    human_verdict: Mapped[str | None] = mapped_column(String(20))
    made_at: Mapped[datetime]
    origin: Mapped[str | None] = mapped_column(String(200), unique=True)


class TeacherCall(Base):
    """One request to a teacher, its answer and what both cost: ledger and cache in one row.

    It is written before the request is sent, so that a program that is killed knows what may have
    been paid for. `price_nano` is in billionths of the currency; of an open or lost call it is the most
    that it can have cost.
    """

    __tablename__ = "teacher_calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    run: Mapped[str] = mapped_column(String(100), index=True)
    task: Mapped[str] = mapped_column(String(60))
    teacher: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    request: Mapped[list[Any]] = mapped_column(default=list)
    answer: Mapped[str] = mapped_column(Text, default="")
    finish: Mapped[str] = mapped_column(String(20), default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    price_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    tries: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ChatMessage(Base):
    """A message of a chat in which a turn was heard or shown; reactions, edits and deletions name it."""

    __tablename__ = "chat_messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(String(40), unique=True)
    place: Mapped[str] = mapped_column(String(100), index=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"), index=True)
    part: Mapped[int] = mapped_column(default=0)


class PlaceSetting(Base):
    """A setting of one place, such as a chat server or one of its channels."""

    __tablename__ = "place_settings"
    __table_args__ = (UniqueConstraint("place", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    value: Mapped[dict[str, Any]]


class ApiKeyRow(Base):
    """A key programs speak with through the API; the secret itself is kept nowhere, only its hash.

    `handle` names the key in the keys of its players and the places of its conversations; a revoked
    key stays, so that what was said through it keeps its origin.
    """

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(80), unique=True)
    campaign: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    consent: Mapped[str] = mapped_column(String(20))
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
