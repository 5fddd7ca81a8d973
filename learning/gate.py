"""Is the candidate worse? Asked of the served artefact: the GGUF base with the GGUF adapter, in llama.cpp.

A candidate is held for being worse than the incumbent, never refused for being new. A measure with
fewer than thirty items informs and does not decide; every number carries its n.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from characters.inference.engine import Engine, Finish, Request, Sampling
from learning.filters.novelty import rouge_l, words_of

_DECIDES_FROM = 30
_ANCHOR_TOLERANCE = 0.05
_TARGET_TOLERANCE = 0.01
_SAME_LINE = 0.7


@dataclass(frozen=True)
class Measure:
    """One number of the candidate beside the incumbent's.

    Attributes:
        better: "higher" or "lower".
        tolerance: how much worse the candidate may be, in the measure's unit.
        decides: whether a failure holds the candidate; with n < 30 it only informs.
    """

    name: str
    candidate: float
    incumbent: float
    n: int
    better: str = "higher"
    tolerance: float = 0.0
    always: bool = False

    @property
    def decides(self) -> bool:
        """Enough items, or a hard rule."""
        return self.always or self.n >= _DECIDES_FROM

    @property
    def passed(self) -> bool:
        """Not worse than the incumbent by more than the tolerance."""
        gain = self.candidate - self.incumbent
        return (gain if self.better == "higher" else -gain) >= -self.tolerance


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


@dataclass(frozen=True)
class Trial:
    """What the gate asks.

    Attributes:
        targets: rows (prompt, completion) of the table's own taste, kept out of training where there are enough.
        anchors: rows on the NPC's sheet, kept out of training.
        rejected: rows (prompt, completion) the table disliked.
    """

    targets: Sequence[dict[str, Any]]
    anchors: Sequence[dict[str, Any]]
    rejected: Sequence[dict[str, Any]] = ()


async def judge(engine: Engine, candidate: str, incumbent: str | None, trial: Trial, stop: str) -> GateVerdict:
    """Compare two adapters, both loaded in the engine; None is the bare base.

    Args:
        stop: the text that ends a turn; targets and anchors end on it.
    """
    measures = []
    for name, rows, tolerance in (
        ("log-probability per token, the table's lines", trial.targets, _TARGET_TOLERANCE),
        ("log-probability per token, anchors on the sheet", trial.anchors, _ANCHOR_TOLERANCE),
    ):
        if rows:
            new, old = await _likelihood(engine, rows, candidate), await _likelihood(engine, rows, incumbent)
            measures.append(Measure(name, new, old, len(rows), tolerance=tolerance * abs(old)))
    spoken = [await speak(engine, row["prompt"], candidate) for row in trial.anchors[:40]]
    before = [await speak(engine, row["prompt"], incumbent) for row in trial.anchors[:40]]
    ended = Measure("lines that end by themselves", _ended(spoken), _ended(before), len(spoken), tolerance=0.03)
    measures.append(ended)
    new, old = _mean([_length(done) for done in spoken]), _mean([_length(done) for done in before])
    measures.append(Measure("words a line", new, old, len(spoken), "lower", old * 0.5 + 3))
    if trial.rejected:
        again = [await _repeats(engine, row, candidate, stop) for row in trial.rejected]
        measures.append(Measure("disliked lines said again", sum(again), 0.0, len(again), "lower", always=True))
    return _verdict(tuple(measures))


def _verdict(measures: tuple[Measure, ...]) -> GateVerdict:
    failed = [m for m in measures if m.decides and not m.passed]
    if failed:
        worst = failed[0]
        reason = f"held: {worst.name} {worst.candidate:.2f} against {worst.incumbent:.2f} (n = {worst.n})"
        return GateVerdict(False, reason, measures)
    target = measures[0]
    informing = sum(not m.decides for m in measures)
    note = f"; {informing} of {len(measures)} measures have n < {_DECIDES_FROM} and only inform" if informing else ""
    gain = f"{target.name} {target.incumbent:.2f} → {target.candidate:.2f} (n = {target.n})"
    return GateVerdict(True, f"not worse anywhere; {gain}{note}", measures)


async def _likelihood(engine: Engine, rows: Sequence[dict[str, Any]], adapter: str | None) -> float:
    """Mean log-probability per token (nats) of the completions."""
    scores = [(await engine.score(row["prompt"], [row["completion"]], adapter))[0] for row in rows]
    return sum(s.logprob for s in scores) / max(1, sum(s.tokens for s in scores))


async def speak(engine: Engine, prompt: str, adapter: str | None) -> Finish:
    """A greedy line."""
    greedy = Sampling(temperature=0.0, repetition_penalty=1.05)
    request = Request(prompt, (), sampling=greedy, adapter=adapter, cache_key="gate")
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event
        await asyncio.sleep(0)
    raise AssertionError("a stream ends with Finish")


async def _repeats(engine: Engine, row: dict[str, Any], adapter: str, stop: str) -> bool:
    said = await speak(engine, row["prompt"], adapter)
    disliked = row["completion"].removesuffix(stop)
    return rouge_l(words_of(said.text), words_of(disliked)) > _SAME_LINE


def _ended(lines: Sequence[Finish]) -> float:
    return _mean([float(done.reason == "stop" and bool(done.text.strip())) for done in lines])


def _length(done: Finish) -> float:
    return float(len(done.text.split()))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
