"""How long lines took, and how much memory: told and never judged, being the machine's as much as the model's."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.exam.running import Reply

_FEWEST = 8  # tokens; shorter replies say little about speed


@dataclass(frozen=True)
class Footprint:
    """Times and memory of one exam.

    Attributes:
        first_ms: until the first token, median and 95th percentile.
        tokens_per_second: while a line was spoken, median.
        megabytes: memory of this process and its children, shared parts shared (PSS); None where not told.
    """

    first_ms: tuple[float, float]
    tokens_per_second: float
    megabytes: float | None


def footprint(replies: Sequence[Reply], megabytes: float | None) -> Footprint | None:
    """Of an exam that was timed; None of one that was kept by an older program."""
    first = sorted(reply.ttft_ms for reply in replies if reply.total_ms)
    if not first:
        return None
    rates = [
        1000 * (reply.tokens - 1) / (reply.total_ms - reply.ttft_ms)
        for reply in replies if reply.tokens >= _FEWEST and reply.total_ms > reply.ttft_ms
    ]  # fmt: skip
    late = first[min(len(first) - 1, int(0.95 * len(first)))]
    return Footprint((statistics.median(first), late), statistics.median(rates) if rates else 0.0, megabytes)


def memory_of_all() -> float | None:
    """Megabytes (PSS) of this process and its direct children, the model's worker among them."""
    own = str(os.getpid())
    try:
        pids = [own, *(path.parent.name for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == own)]
        return sum(_pss(pid) for pid in pids) / 1024 or None
    except OSError:
        return None


def _parent(stat: Path) -> str:
    try:
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
    except OSError:
        return ""


def _pss(pid: str) -> int:
    """In kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
