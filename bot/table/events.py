"""What happens at a table, as every face hears it."""

from dataclasses import dataclass, field
from typing import Any

from characters.messages import Fact


@dataclass(frozen=True)
class Heard:
    """A turn is stored; nothing said before this is lost any more."""

    turn_id: int


@dataclass(frozen=True)
class Piece:
    """The next piece of an NPC's line, as it is spoken."""

    npc: str
    name: str
    text: str
    line_id: int = 0


@dataclass(frozen=True)
class Again:
    """The line begins anew (the model had to be restarted): forget the pieces so far."""

    npc: str


@dataclass(frozen=True)
class Line:
    """An NPC's whole line, stored.

    Attributes:
        take: which alternative this is, counted from 1.
        cut: the line was cut short by `hush`.
    """

    line_id: int
    npc: str
    name: str
    text: str
    take: int
    adapter: str | None
    timings: dict[str, Any] = field(default_factory=dict)
    cut: bool = False


Event = Heard | Piece | Again | Line


@dataclass(frozen=True)
class SecretState:
    """A secret of an NPC as it stands.

    Attributes:
        number: counted from 1, in the order of the sheet.
        steps: what of its condition is satisfied, and by what, in words.
    """

    number: int
    text: str
    condition: str
    open: bool
    steps: tuple[str, ...] = ()

    def line(self, *, whole: bool) -> str:
        """The secret in a line; its text only for whoever may read it."""
        how, needs = "; ".join(self.steps), self.condition or "until the GM says so"
        state = f"open ({how})" if self.open else f"kept ({needs}{'; so far ' + how if how else ''})"
        return f"secret {self.number}, {state}" + (f": {self.text}" if whole else "")


@dataclass(frozen=True)
class Why:
    """What made a line: everything needed to explain it, and to say it again.

    Attributes:
        text: what the table keeps.
        origin: who wrote `text`: ``npc``, or the ``gm`` or ``local`` player who corrected it. All
            else is about the take the NPC made, the newest if the kept one is a correction.
    """

    line_id: int
    npc: str
    text: str
    origin: str
    facts: tuple[Fact, ...]
    adapter: str | None
    base_id: str
    sampling: dict[str, Any]
    prompt_hash: str
    template_hash: str
    sheet_version: str
    timings: dict[str, Any]
    takes: tuple[str, ...]
    secrets: tuple[SecretState, ...] = ()
