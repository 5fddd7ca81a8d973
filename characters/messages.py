"""The pure values a conversation is made of.

They carry no identity and know no storage: the database gives turns their ids, the prompt builder
turns them into text. Keeping them here lets serving and training share one vocabulary.
"""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a chat, as chat templates and OpenAI-compatible servers know it."""

    role: Role
    content: str


@dataclass(frozen=True)
class Fact:
    """Something placed at hand right before a reply.

    Attributes:
        key: where it comes from, e.g. ``wares.hempen rope.price``; stable while the sheet is.
        text: the sentence the prompt carries.
        source: ``sheet``, ``world``, ``lore``, ``memory``, ``sum`` (worked out) or ``style``.
        place: at hand, else where a lorebook wants it: before or after the NPC's own part of the system
            text, or `depth` messages before the end of the transcript, as `role`. Only what is at hand
            stays with the line.
    """

    key: str
    text: str
    source: str = "sheet"
    place: Literal["hand", "before", "after", "depth"] = "hand"
    depth: int = 0
    role: Role = "system"


@dataclass(frozen=True)
class Turn:
    """Something said at the table.

    Attributes:
        speaker: the name the table knows the speaker by.
        text: what was said, as typed; the prompt builder cleans it.
        npc: the slug when an NPC said it, else None.
        at_hand: for an NPC's line, what its prompt carried right before it. It stays with the
            line, so that a transcript only ever grows and the engine's cache stays valid.
    """

    speaker: str
    text: str
    npc: str | None = None
    at_hand: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class StyleExample:
    """A line that shows how an NPC speaks: what was asked, and what it said."""

    asked: str
    line: str
    key: str = ""


@dataclass(frozen=True)
class Scene:
    """Where a conversation takes place, why, in what mood, and on what day of the campaign."""

    place: str = ""
    reason: str = ""
    mood: str = ""
    familiarity: str = ""
    present: tuple[str, ...] = field(default=())
    date: str = ""
