"""The tables of what NPCs know from play: memories, the turns they were made of, and steps towards secrets."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class Memory(Base):
    """Something one NPC knows from play, or, without an NPC, what everybody of the campaign knows.

    `owner`, `stems` and `senses` are what the full-text index holds (`db.full_text`). Where it came
    from stands in memory_turns; without turns the participant wrote it.
    """

    __tablename__ = "memories"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str | None] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(String(200), default="")
    weight: Mapped[float] = mapped_column(Float, default=0.0)
    known_since: Mapped[str] = mapped_column(String(200), default="")
    scene_id: Mapped[int | None] = mapped_column(ForeignKey("scenes.id"), index=True)
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participants.id"))
    edited: Mapped[bool] = mapped_column(default=False)
    owner: Mapped[str] = mapped_column(String(300), index=True)
    stems: Mapped[str] = mapped_column(String(2000))
    senses: Mapped[str] = mapped_column(String(2000))
    made_at: Mapped[datetime]


class MemoryTurn(Base):
    """A turn a memory was made of; the memory inherits its provenance, and goes when it goes."""

    __tablename__ = "memory_turns"
    id: Mapped[int] = mapped_column(primary_key=True)
    memory_id: Mapped[int] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), index=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"), index=True)


class MemoryVector(Base):
    """What a memory is about, as numbers one model made of its text; it goes with the memory."""

    __tablename__ = "memory_vectors"
    id: Mapped[int] = mapped_column(primary_key=True)
    memory_id: Mapped[int] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), unique=True, index=True)
    model: Mapped[str] = mapped_column(String(100))
    vector: Mapped[bytes]


class SecretStep(Base):
    """A part of a secret's condition that was satisfied, by whom and by what; "" is the GM's word on the whole."""

    __tablename__ = "secret_steps"
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    npc: Mapped[str] = mapped_column(String(100))
    secret: Mapped[str] = mapped_column(String(40))
    part: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(20))
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id"), index=True)
    made_at: Mapped[datetime]
