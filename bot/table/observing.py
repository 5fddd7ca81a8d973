"""What happens at tables, counted and told in the log; never with a word of what was said.

Every table is watched. What one person's action brings about, from the first word heard to the line
that answers it, carries the same interaction id: the request's, the chat platform's, or one of ours.
"""

import logging
import secrets
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from bot.table.events import Again, Line
from bot.table.watching import Begun, Changed, Said, Seen

log = logging.getLogger("understudy.events")
log.propagate = False  # to the JSON log alone, where there is one
log.addHandler(logging.NullHandler())

_interaction: ContextVar[str] = ContextVar("interaction", default="")
_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

KNOWN = {
    "understudy_turns_total": ("counter", "what people said, by source"),
    "understudy_lines_total": ("counter", "lines of NPCs, by how they ended"),
    "understudy_takes_total": ("counter", "other takes of lines"),
    "understudy_changes_total": ("counter", "reactions to lines, corrections, and lines taken back"),
    "understudy_tokens_total": ("counter", "tokens read, read before and reused, and said"),
    "understudy_model_restarts_total": ("counter", "lines that began anew because the model had to be restarted"),
    "understudy_line_seconds_total": ("counter", "time spent on whole lines"),
    "understudy_first_token_seconds": ("histogram", "time from the question to the first token"),
    "understudy_requests_total": ("counter", "requests to the NPC API, by status"),
    "understudy_lines_speaking": ("gauge", "lines being spoken now"),
    "understudy_up_seconds": ("gauge", "time since the start"),
    "understudy_feedback": ("gauge", "reactions that stand, by kind"),
    "understudy_adapters": ("gauge", "adapters that were trained, by state"),
    "understudy_nights": ("gauge", "nights, by state"),
    "understudy_night_requests": ("gauge", "nights asked for, by state"),
}


def begin(given: str = "") -> str:
    """Begin an interaction: all that follows in this task belongs to it; returns its id."""
    name = given or secrets.token_hex(6)
    _interaction.set(name)
    return name


def interaction() -> str:
    """The id of the interaction that runs, "" outside of any."""
    return _interaction.get()


@dataclass
class Counters:
    """Counts, by name and labels, as Prometheus reads them."""

    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def add(self, name: str, by: float = 1.0, **labels: str) -> None:
        """Count."""
        key = name, tuple(sorted(labels.items()))
        self.values[key] = self.values.get(key, 0.0) + by

    def time_first(self, seconds: float) -> None:
        """Count a time to the first token in its buckets."""
        for bound in _BUCKETS:
            self.add("understudy_first_token_seconds_bucket", float(seconds <= bound), le=str(bound))
        self.add("understudy_first_token_seconds_bucket", le="+Inf")
        self.add("understudy_first_token_seconds_sum", seconds)
        self.add("understudy_first_token_seconds_count")

    def text(self, also: Iterable[tuple[str, dict[str, str], float]] = ()) -> str:
        """Everything in Prometheus' text format.

        Args:
            also: gauges of the moment: name, labels, value.
        """
        now = [(name, dict(labels), value) for (name, labels), value in self.values.items()]
        now += [("understudy_up_seconds", {}, round(time.monotonic() - self.began, 3)), *also]
        lines = []
        for name, (kind, about) in KNOWN.items():
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            family = {name} if kind != "histogram" else {f"{name}_{part}" for part in ("bucket", "sum", "count")}
            lines += [_sample(*sample) for sample in now if sample[0] in family]
        return "\n".join(lines) + "\n"


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    inside = ",".join(f'{label}="{quoted(text)}"' for label, text in labels.items())
    return f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


COUNTERS = Counters()


class Observer:
    """Watches one table.

    Args:
        campaign: its id.
        place: where it stands.
    """

    def __init__(self, campaign: int, place: str) -> None:
        self._where = {"campaign": campaign, "place": place}
        self._counters = COUNTERS
        self._speaking: dict[int, str] = {}

    def see(self, seen: Seen) -> None:
        """Count it, and note it in the log."""
        match seen:
            case Said():
                if not interaction():
                    begin()
                self._counters.add("understudy_turns_total", source=seen.turn.source)
                self._note("heard", turn=seen.turn.id, source=seen.turn.source, aside=seen.aside)
            case Begun():
                self._speaking[seen.line_id] = seen.npc
                self._counters.add("understudy_lines_speaking")
                self._note("begins", line=seen.line_id, npc=seen.npc)
            case Again():
                self._counters.add("understudy_model_restarts_total")
                self._note("begins anew", npc=seen.npc)
            case Line() if seen.line_id in self._speaking:
                self._spoken(seen)
            case Changed() if seen.line_id in self._speaking:
                npc = self._ends(seen.line_id, "broken")
                self._note("breaks off", line=seen.line_id, npc=npc)
            case Changed():
                self._counters.add("understudy_changes_total")
                self._note("changed", line=seen.line_id)
            case _:
                pass

    def _spoken(self, line: Line) -> None:
        self._ends(line.line_id, "cut" if line.cut else "whole")
        counters, timings = self._counters, line.timings
        if line.take > 1:
            counters.add("understudy_takes_total")
        read, reused = timings.get("prompt_tokens", 0), timings.get("reused_tokens", 0)
        for kind, count in (("read", read - reused), ("reused", reused), ("said", timings.get("tokens", 0))):
            counters.add("understudy_tokens_total", count, kind=kind)
        if timings:
            counters.time_first(timings.get("ttft_ms", 0.0) / 1000)
            counters.add("understudy_line_seconds_total", timings.get("total_ms", 0.0) / 1000)
        about = {"npc": line.npc, "take": line.take, "adapter": line.adapter, "cut": line.cut}
        self._note("line", line=line.line_id, **about, **timings)

    def _ends(self, line: int, how: str) -> str:
        npc = self._speaking.pop(line)
        self._counters.add("understudy_lines_speaking", -1)
        self._counters.add("understudy_lines_total", npc=npc, ended=how)
        return npc

    def _note(self, event: str, **fields: object) -> None:
        log.info(event, extra={"fields": {**self._where, **fields}})
