"""How a run with a teacher goes: accepted and rejected by reason, rate, cost so far."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from learning.teachers.protocol import NANO

_EVERY = 5.0  # seconds between two lines


@dataclass
class Progress:
    """Counts a run and tells of it now and then.

    Attributes:
        wanted: how many rows the run is to have.
        before: rows that were there when this sitting began.
        say: told a line at most every five seconds.
    """

    wanted: int = 0
    before: int = 0
    say: Callable[[str], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    cached: int = 0
    lost: int = 0
    price_nano: int = 0
    _began: float = -1.0
    _told: float = 0.0

    def accept(self, count: int = 1) -> None:
        """Rows came of an answer."""
        self.accepted += count
        self._tell()

    def reject(self, reason: str, count: int = 1) -> None:
        """An answer came to nothing."""
        self.rejected[reason] += count
        self._tell()

    @property
    def rate(self) -> float:
        """Rows a minute in this sitting."""
        passed = self.clock() - self._began if self._began >= 0 else 0.0
        return 60 * self.accepted / passed if passed > 0 else 0.0

    def begin(self) -> None:
        """The clock of the rate starts."""
        self._began = self._told = self.clock()

    def _tell(self) -> None:
        if self.clock() - self._told >= _EVERY:
            self._told = self.clock()
            self.say(str(self))

    def __str__(self) -> str:
        of = f" of {self.wanted}" if self.wanted else ""
        parts = [f"{self.before + self.accepted}{of} rows, {self.rate:.0f} a minute",
                 f"{self.calls} requests", f"{self.cached} answers known" if self.cached else "",
                 f"cost {self.price_nano / NANO:.4f}" if self.price_nano else ""]  # fmt: skip
        why = "; ".join(f"{reason}: {count}" for reason, count in self.rejected.most_common())
        return ", ".join(filter(None, parts)) + (f" (rejected {self.rejected.total()}: {why})" if why else "")

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "rows": self.before + self.accepted, "accepted": self.accepted, "rejected": dict(self.rejected),
            "requests": self.calls, "answers_known": self.cached, "answers_lost": self.lost,
            "cost": self.price_nano / NANO, "rows_a_minute": round(self.rate, 1),
        }  # fmt: skip
