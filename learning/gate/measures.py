"""One number of the candidate beside the incumbent's, and the verdict over all of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

DECIDES_FROM = 30
_ROUNDING = 1e-9  # five lost of a hundred are five points, though 1 - 0.95 is a little more
EXAM = "exam: "  # begins the name of every measure of the exam
NOTHING_BETTER = "nothing that the table asked for got better"


@dataclass(frozen=True)
class Measure:
    """One number of the candidate beside the incumbent's.

    Attributes:
        n: items it was taken over.
        better: which way is up.
        tolerance: how much worse the candidate may be, in the measure's unit.
        always: a hard rule decides whatever its n.
        target: getting better here is a reason to promote.
        informs: it never decides.
    """

    name: str
    candidate: float
    incumbent: float
    n: int
    better: Literal["higher", "lower"] = "higher"
    tolerance: float = 0.0
    always: bool = False
    target: bool = False
    informs: bool = False

    @property
    def gain(self) -> float:
        """How much better the candidate is, in the measure's unit; negative where it is worse."""
        change = self.candidate - self.incumbent
        return change if self.better == "higher" else -change

    @property
    def decides(self) -> bool:
        """Enough items, or a hard rule."""
        return self.always or (self.n >= DECIDES_FROM and not self.informs)

    @property
    def passed(self) -> bool:
        """Not worse than the incumbent by more than the tolerance."""
        return self.gain >= -self.tolerance - _ROUNDING


@dataclass(frozen=True)
class GateVerdict:
    """Promote or hold, with every number and the reason."""

    passed: bool
    reason: str
    measures: tuple[Measure, ...]

    def as_json(self) -> dict[str, Any]:
        """For the database and the report."""
        rows = [{**asdict(m), "decides": m.decides, "passed": m.passed} for m in self.measures]
        return {"passed": self.passed, "reason": self.reason, "measures": rows}


def hold(reason: str, measures: Sequence[Measure]) -> GateVerdict:
    """The verdict that keeps the incumbent."""
    return GateVerdict(False, f"held: {reason}", tuple(measures))


def failure(measures: Sequence[Measure]) -> str:
    """The first measure that decides and fails, as a reason; "" where none does."""
    for m in measures:
        if m.decides and not m.passed:
            return f"{m.name} {m.candidate:.2f} against {m.incumbent:.2f} (n = {m.n})"
    return ""


def conclude(measures: Sequence[Measure]) -> GateVerdict:
    """The verdict when every stage is through."""
    if reason := failure(measures):
        return hold(reason, measures)
    better = [m for m in measures if m.target and m.gain > 0]
    if not better:
        return hold(NOTHING_BETTER, measures)
    informing = sum(not m.decides for m in measures)
    note = f"; {informing} of {len(measures)} measures have n < {DECIDES_FROM} and only inform" if informing else ""
    m = better[0]
    gain = f"{m.name} {m.incumbent:.2f} → {m.candidate:.2f} (n = {m.n})"
    return GateVerdict(True, f"not worse anywhere; {gain}{note}", tuple(measures))
