"""The values an import passes through: turns as a file has them, and dialogues as they are kept."""

from dataclasses import dataclass
from typing import Literal

from learning.errors import LearningError


class ImportRefused(LearningError):
    """A file that is no dialogue, or no dialogue of this NPC."""


@dataclass(frozen=True)
class RawTurn:
    """A turn as a file has it.

    Attributes:
        speaker: the name given, "" where the file gives only a role.
        role: "npc" (a model's role), "other" (a user's), "nobody" (system text), or "named": the name decides.
    """

    speaker: str
    text: str
    role: Literal["npc", "other", "nobody", "named"] = "named"


@dataclass(frozen=True)
class RawDialogue:
    """A dialogue as a file has it.

    Attributes:
        where: its place in the file.
        user: what the one at the keyboard is called.
        wanted: false where the file says that the answer is a bad one.
    """

    where: str
    turns: tuple[RawTurn, ...]
    user: str = ""
    wanted: bool = True


@dataclass(frozen=True)
class ImportedTurn:
    """A clean turn, and whether the NPC says it."""

    speaker: str
    text: str
    npc: bool


@dataclass(frozen=True)
class ImportedDialogue:
    """A dialogue in which the NPC answers somebody.

    Attributes:
        where: its place in the file it came from.
        turns: neighbours are never by the same speaker.
    """

    where: str
    turns: tuple[ImportedTurn, ...]

    @property
    def answers(self) -> list[int]:
        """Places of the NPC's turns that answer somebody."""
        return [at for at, turn in enumerate(self.turns) if turn.npc and at > 0]
