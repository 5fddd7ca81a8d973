"""What a night works with, and what it comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from characters.inference.engine import Capabilities, Engine
from characters.library import Library
from characters.prompt import Budget, Part
from db.home import Home
from db.provenance import Policy
from db.store import Store
from db.values import TaughtRow
from learning.gate import GateVerdict, Witness
from learning.harvest import Candidate
from learning.judges.seat import OpenSeat
from learning.recipes.config import SftConfig
from learning.recipes.run import Trained

STAGES = ("harvest", "dataset", "training", "gate")

Say = Callable[[str], None]


@dataclass
class Night:
    """Everything a night works with, and what it found so far.

    Attributes:
        minutes: the time box for everything.
        control: train and judge the same night with shuffled answers beside it.
        until: the stage to stop after.
        record: its row in the database, once it has begun.
        seat: opens the judge that has a say at the gate and may reward; None where none is wanted.
        judges: whether the gate asks it.
        reinforce: whether the training ends with rewards, by rules or by the judge as well.
        withheld: (topic, text) of what others know and this NPC may not tell.
    """

    store: Store
    engine: Engine
    library: Library
    home: Home
    base: Path
    campaign: int
    npc: str
    config: SftConfig
    policy: Policy
    now: datetime
    say: Say
    clock: Callable[[], datetime]
    reply_tokens: int = 110
    minutes: float = 60.0
    control: bool = True
    until: str = "gate"
    seat: OpenSeat | None = None
    judges: bool = False
    reinforce: Literal["never", "rules", "judge"] = "never"
    record: int = 0
    withheld: list[tuple[str, str]] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    taught: list[TaughtRow] = field(default_factory=list)

    def part(self) -> Part:
        """The NPC as its sheet has it, without what it learnt at the table."""
        sheet = self.library.get(self.npc)
        return Part(self.npc, sheet, self.library.world(sheet.world))

    async def witness(self, adapter: str | None) -> Witness:
        """An adapter, or the bare base, asked by the gate; what it says is remembered."""
        base = (await self.engine.capabilities()).base_id
        return Witness(self.engine, adapter, self.home.folder("cache/gate") / f"{base}-{adapter or 'bare'}.json")


@dataclass(frozen=True)
class Point:
    """One night: when, what it trained, and its perplexity; None where there was nothing to validate on."""

    night: str
    adapter: str
    perplexity: float | None


@dataclass(frozen=True)
class Outcome:
    """What a night came to; `adapter` is None where nothing was trained.

    Attributes:
        left_out: rows that were not trained on, by reason.
        preference: the second training, where there were preferences enough.
        reinforced: the last one, by rewards, where the settings want it.
        control: the verdict on the same night with its answers shuffled, which must be held.
        samples: (asked, before, after).
        nights: validation perplexity, night by night.
        alarm: a sentence where tonight's is far above that of the nights before, else "".
        note: what the time box did not allow, "" where all was done.
    """

    npc: str
    counts: dict[str, int]
    candidates: tuple[Candidate, ...]
    missing: str
    adapter: str | None = None
    dataset: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    trained: Trained | None = None
    preference: Trained | None = None
    reinforced: Trained | None = None
    verdict: GateVerdict | None = None
    control: GateVerdict | None = None
    samples: tuple[tuple[str, str, str], ...] = ()
    nights: tuple[Point, ...] = ()
    alarm: str = ""
    note: str = ""


def budget(can: Capabilities, reply: int) -> Budget:
    """The serving budget of an engine, so that rows are what serving reads."""
    return Budget(min(can.context, can.context_budget or can.context), reply, can.system_budget or 700)
