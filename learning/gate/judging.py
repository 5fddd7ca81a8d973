"""The stages of the gate, cheapest first; the first that fails ends it.

| stage | measures |
|---|---|
| integrity | the adapter changes anything at all; lines end by themselves; no empty line, no template token |
| likelihood | the table's own lines; preference pairs; anchors on the sheet; general anchors |
| lines | length, variety, disliked and stopped lines, recited lines, talk about itself, false refusals, secrets |
| further stages | what the caller adds, the exam above all |
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from learning.gate import texts
from learning.gate.measures import DECIDES_FROM, GateVerdict, Measure, conclude, failure, hold
from learning.gate.witness import Witness

Stage = tuple[str, Callable[[], Awaitable[list[Measure]]]]

_SPOKEN = 40
_HELD_OUT_TOLERANCE = 0.01  # of the incumbent's log-probability
_ANCHOR_TOLERANCE = 0.05
_LEAST_TOLERANCE = 0.2  # nats; a twentieth of next to nothing would hold every change of voice
_PAIR_TOLERANCE = 0.02
_ENDING_TOLERANCE = 0.03
_VARIETY = 0.9
_RECITED = 0.01
_ENOUGH_LINES = 8  # of the table's own, to say how varied it wants its NPC
_LENGTH = 0.25
_REFUSALS = 0.1  # of the questions the sheet answers; an incumbent that refuses more may be matched
_REFUSAL_TOLERANCE = 0.05


@dataclass(frozen=True)
class Trial:
    """What the gate asks. All rows are dicts with prompt and completion, as trainers read them.

    Attributes:
        targets: the table's own lines, kept out of training where there are enough.
        refuses: whether a line says that the speaker does not know, sell or tell.
        seen: the targets were trained on, so they inform about learning, not about generalising.
        anchors: rows on the NPC's sheet, kept out of training.
        general: rows of other NPCs, for what the base could do before.
        pairs: rows with `chosen` and `rejected`.
        disliked: rows the table disliked; saying one again is a hard fault.
        regression: rows the GM took back or a player stopped, likewise.
        trained: the human completions in training.
        secrets: (prompt, withheld text).
        stop: the text that ends a turn.
        names: template tokens that must never be spoken.
    """

    targets: Sequence[dict[str, Any]]
    anchors: Sequence[dict[str, Any]]
    general: Sequence[dict[str, Any]] = ()
    pairs: Sequence[dict[str, Any]] = ()
    disliked: Sequence[dict[str, Any]] = ()
    regression: Sequence[dict[str, Any]] = ()
    trained: Sequence[str] = ()
    secrets: Sequence[tuple[str, str]] = ()
    stop: str = ""
    names: Sequence[str] = ()
    refuses: Callable[[str], bool] = lambda _: False
    seen: bool = False


async def judge(
    candidate: Witness, incumbent: Witness, trial: Trial, *, further: Sequence[Stage] = (),
    deadline: float = float("inf"), say: Callable[[str], None] = lambda _: None,
) -> GateVerdict:  # fmt: skip
    """Compare two witnesses stage by stage.

    Args:
        further: stages after the gate's own, by name.
        deadline: `time.monotonic()` after which no stage begins; the candidate is held then.
    """
    stages: list[Stage] = [
        ("integrity", lambda: _integrity(candidate, incumbent, trial)),
        ("likelihood", lambda: _likelihoods(candidate, incumbent, trial)),
        ("lines", lambda: _lines(candidate, incumbent, trial)),
        *further,
    ]
    found: list[Measure] = []
    try:
        for name, stage in stages:
            if time.monotonic() > deadline:
                return hold(f"the time box ended before the stage “{name}”", found)
            say(f"gate: {name}")
            found += await stage()
            if reason := failure(found):
                return hold(reason, found)
    finally:
        incumbent.remember()
        candidate.remember()
    return conclude(found)


async def _integrity(candidate: Witness, incumbent: Witness, trial: Trial) -> list[Measure]:
    rows = [*trial.targets, *trial.anchors][:8]
    bare = Witness(candidate.engine, None)
    with_it = [(await candidate.score(row["prompt"], row["completion"]))[0] for row in rows]
    without = [(await bare.score(row["prompt"], row["completion"]))[0] for row in rows]
    changed = float(any(abs(one - other) > 1e-4 for one, other in zip(with_it, without, strict=True)))
    new, old = await _spoken(candidate, trial), await _spoken(incumbent, trial)
    return [
        Measure("the adapter changes what is said (1 = yes)", changed, 1.0, len(rows), always=True),
        Measure("lines that end by themselves", _share([e for _, e in new]), _share([e for _, e in old]), len(new),
                tolerance=_ENDING_TOLERANCE),
        Measure("empty lines and template tokens", _broken(new, trial), _broken(old, trial), len(new), "lower",
                always=True),
    ]  # fmt: skip


async def _likelihoods(candidate: Witness, incumbent: Witness, trial: Trial) -> list[Measure]:
    bare = Witness(candidate.engine, None) if incumbent.adapter is not None else incumbent
    found = []
    known = ", seen in training" if trial.seen else ", held out"
    for name, rows, other, tolerance in (
        (f"log-probability a token, the table's lines{known}", trial.targets, incumbent, _HELD_OUT_TOLERANCE),
        ("log-probability a token, anchors on the sheet", trial.anchors, bare, _ANCHOR_TOLERANCE),
        ("log-probability a token, other NPCs", trial.general, bare, _ANCHOR_TOLERANCE),
    ):
        if rows:
            new, old = await _likelihood(candidate, rows), await _likelihood(other, rows)
            allowed = tolerance * abs(old) if rows is trial.targets else max(tolerance * abs(old), _LEAST_TOLERANCE)
            # The anchors speak plainly: a new voice makes them less likely, and the exam asks what they know.
            found.append(Measure(name, new, old, len(rows), tolerance=allowed, target=rows is trial.targets,
                                 informs=rows is trial.anchors))  # fmt: skip
    if trial.pairs:
        new, old = await _preferred(candidate, trial.pairs), await _preferred(incumbent, trial.pairs)
        found.append(Measure("preferred line likelier", new, old, len(trial.pairs), tolerance=_PAIR_TOLERANCE,
                             target=True))  # fmt: skip
    return found


async def _lines(candidate: Witness, incumbent: Witness, trial: Trial) -> list[Measure]:
    new = [line for line, _ in await _spoken(candidate, trial)]
    old = [line for line, _ in await _spoken(incumbent, trial)]
    found = [
        _variety(new, old, trial),
        _length(new, old, trial),
        _recited(new, old, trial),
        Measure("talk about being a machine", _share([texts.talks_about_itself(line) for line in new]),
                _share([texts.talks_about_itself(line) for line in old]), len(new), "lower"),
    ]  # fmt: skip
    for name, rows in (("disliked lines", trial.disliked), ("lines taken back or stopped", trial.regression)):
        if rows:
            again, before = [await _said_again(witness, rows, trial.stop) for witness in (candidate, incumbent)]
            found.append(Measure(f"{name} said again", again, before, len(rows), "lower", always=True, target=True))
    found += await _false_refusals(candidate, incumbent, trial)
    if trial.secrets:
        fished = [texts.leaks((await candidate.line(prompt))[0], secret) for prompt, secret in trial.secrets]
        withheld = dict.fromkeys(secret for _, secret in trial.secrets)
        told = sum(fished) + sum(any(texts.leaks(line, secret) for secret in withheld) for line in new)
        n = len(trial.secrets) + len(new)
        found.append(Measure("withheld secrets told", told, 0.0, n, "lower", always=True))
    return found


def _recited(new: Sequence[str], old: Sequence[str], trial: Trial) -> Measure:
    """Trained lines said to questions they do not answer; a single one may be chance."""
    at_hand = [row["prompt"] for row in trial.anchors[: len(new)]]
    told = _share([
        texts.recites(line, trial.trained, (prompt, before))
        for line, before, prompt in zip(new, old, at_hand, strict=True)
    ])  # fmt: skip
    return Measure("recited training lines", told, 0.0, len(new), "lower", max(_RECITED, 1 / max(1, len(new))))


def _variety(new: Sequence[str], old: Sequence[str], trial: Trial) -> Measure:
    """How varied lines are; the table's habits do not count, and what else it varies less is no fault."""
    wanted, share = trial.trained[: len(old)], 1.0
    habits = texts.habits_of(wanted if len(wanted) >= _ENOUGH_LINES else [])
    before = texts.distinct_pairs(old, habits)
    if len(wanted) >= _ENOUGH_LINES and (as_many := texts.distinct_pairs(old[: len(wanted)], habits)):
        share = min(1.0, texts.distinct_pairs(wanted, habits) / as_many)
    return Measure("different pairs of words", texts.distinct_pairs(new, habits), before, len(new),
                   tolerance=(1 - _VARIETY * share) * before)  # fmt: skip


async def _false_refusals(candidate: Witness, incumbent: Witness, trial: Trial) -> list[Measure]:
    """How often what the sheet answers is not answered.

    The sheet answers a question where the anchor's own answer does not refuse it.
    """
    known = [row for row in trial.anchors if not trial.refuses(row["completion"].removesuffix(trial.stop))]
    known = known[:DECIDES_FROM]
    if not known:
        return []
    refused, before = [
        _share([trial.refuses((await witness.line(row["prompt"]))[0]) for row in known])
        for witness in (candidate, incumbent)
    ]
    tolerance = max(_REFUSALS - before, _REFUSAL_TOLERANCE)
    return [Measure("false refusals", refused, before, len(known), "lower", tolerance)]


async def _said_again(witness: Witness, rows: Sequence[dict[str, Any]], stop: str) -> float:
    """How many lines a witness says that it was not to say again."""
    said = [(await witness.line(row["prompt"]))[0] for row in rows]
    wrong = [row["completion"].removesuffix(stop) for row in rows]
    return sum(texts.same_line(line, other) for line, other in zip(said, wrong, strict=True))


def _length(new: Sequence[str], old: Sequence[str], trial: Trial) -> Measure:
    """How far lines are from the incumbent's length, or from the table's own where that is nearer."""
    told, before = _words(new), _words(old)
    wanted = _words([row["completion"].removesuffix(trial.stop) for row in trial.targets]) or before
    low, high = sorted((before, wanted))
    away = max(low - told, told - high, 0.0)
    return Measure("words a line beyond the incumbent's and the table's", away, 0.0, len(new), "lower", _LENGTH * high)


async def _likelihood(witness: Witness, rows: Sequence[dict[str, Any]]) -> float:
    """Mean log-probability a token (nats) of the completions."""
    scores = [await witness.score(row["prompt"], row["completion"]) for row in rows]
    return sum(logprob for logprob, _ in scores) / max(1, sum(tokens for _, tokens in scores))


async def _preferred(witness: Witness, pairs: Sequence[dict[str, Any]]) -> float:
    """Share of pairs whose chosen line is likelier a token than the rejected one."""
    right = []
    for row in pairs:
        chosen, rejected = await witness.scores(row["prompt"], (row["chosen"], row["rejected"]))
        right.append(chosen[0] / max(1, chosen[1]) > rejected[0] / max(1, rejected[1]))
    return _share(right)


async def _spoken(witness: Witness, trial: Trial) -> list[tuple[str, bool]]:
    return [await witness.line(row["prompt"]) for row in trial.anchors[:_SPOKEN]]


def _broken(spoken: Sequence[tuple[str, bool]], trial: Trial) -> float:
    return float(sum(not line or any(name in line for name in trial.names) for line, _ in spoken))


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0


def _words(lines: Sequence[str]) -> float:
    return sum(len(line.split()) for line in lines) / len(lines) if lines else 0.0
