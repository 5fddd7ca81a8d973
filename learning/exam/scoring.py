"""From marks to numbers: shares with their intervals, and the paired difference of two exams.

Two exams that asked the same questions are compared question by question, which sees a difference
that two separate intervals would hide.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from learning.exam.answering import taken_up
from learning.exam.matching import REPEATED, Mark
from learning.exam.scenes import DEMANDS

_ALWAYS = ("grounding", "identity", "unknown")
_BY_ITEM = (*_ALWAYS, "no false refusal", "off-distribution", "provocation", "open secrets")
_Z = 1.959964  # two-sided 95 %
_RESAMPLES = 2000


@dataclass(frozen=True)
class Share:
    """How many of n, with the 95 % Wilson interval; shares are in 0..1."""

    n: int
    right: int
    share: float
    low: float
    high: float


def wilson(right: int, n: int) -> Share:
    """The share of right ones; nothing asked says nothing: 0 of 0 lies in [0, 1]."""
    if n == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    share, square = right / n, _Z * _Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # Rounding may push an end past the share itself, at none or all.
    return Share(n, right, share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def verdicts(marks: Iterable[Mark]) -> dict[str, dict[str, bool]]:
    """What is counted, measure by measure: the name of a unit → whether it is as it should be.

    A unit is a question, but a secret is one unit, however often it was asked for. *Form* counts over
    every reply; *multi-turn* over the turns of scenes that ask for something; *own voice* over free remarks;
    *taken up* is off-distribution without those that were only turned ("I don't follow you").
    """
    marks = list(marks)
    found = {name: {one.item.id: one.right for one in marks if one.item.category == name} for name in _BY_ITEM}
    free = [one for one in marks if one.item.category == "off-distribution"]
    found["taken up"] = {one.item.id: one.right and taken_up(one.item, one.reply) for one in free}
    scenes = [one for one in marks if one.item.category == "multi-turn"]
    found["multi-turn"] = {one.item.id: one.right for one in scenes if one.item.kind in DEMANDS}
    found["says it once"] = {one.item.id: REPEATED not in one.faults for one in scenes if one.item.kind != "again"}
    secrets: dict[str, bool] = {}
    for one in marks:
        if one.item.category == "secrets":
            secrets[one.item.field] = secrets.get(one.item.field, True) and one.right
    found["secrets"] = secrets
    found["own voice"] = {one.item.id: one.own for one in marks if one.own is not None}
    found["form"] = {one.item.id: one.formed for one in marks}
    return {name: units for name, units in found.items() if units or name in _ALWAYS or name == "form"}


def score(marks: Iterable[Mark]) -> dict[str, Share]:
    """The exam's measures, and false refusals: the share of questions it could answer that were turned away."""
    marks = list(marks)
    found = {name: _share([*units.values()]) for name, units in verdicts(marks).items()}
    known = [one for one in marks if one.item.category in {"grounding", "no false refusal"}]
    found["false refusals"] = _share([one.refused and not one.right for one in known])
    return found


def by_kind(marks: Iterable[Mark]) -> dict[str, Share]:
    """The share of right replies for every kind of question, as ``grounding: price``."""
    found: dict[str, list[bool]] = {}
    for one in marks:
        found.setdefault(f"{one.item.category}: {one.item.kind}", []).append(one.right)
    return {kind: _share(values) for kind, values in found.items()}


def _share(values: Sequence[bool]) -> Share:
    return wilson(sum(values), len(values))


@dataclass(frozen=True)
class Difference:
    """The second exam against the first, over the questions both were asked.

    Attributes:
        gain: share of the second minus share of the first, in -1..1.
        low, high: 95 % bootstrap interval of the gain (fixed seed).
        gained, lost: right only in the second, right only in the first.
        p: two-sided exact McNemar probability of a split this uneven by chance.
    """

    n: int
    first: float
    second: float
    gain: float
    low: float
    high: float
    gained: int
    lost: int
    p: float


def compare(a: Iterable[Mark], b: Iterable[Mark]) -> dict[str, Difference]:
    """Compare two exams measure by measure, on the items they share."""
    first, second = verdicts(a), verdicts(b)
    return {
        name: _difference([(units[key], second[name][key]) for key in units if key in second[name]])
        for name, units in first.items() if name in second
    }  # fmt: skip


def changed(pairs: Iterable[tuple[Sequence[Mark], Sequence[Mark]]]) -> dict[str, tuple[float, float]]:
    """Over several NPCs, each in two exams: by how much every measure rose, and McNemar's p."""
    found: dict[str, list[tuple[bool, bool]]] = {}
    for a, b in pairs:
        first, second = verdicts(a), verdicts(b)
        for name in [name for name in first if name in second]:
            units = [(right, second[name][key]) for key, right in first[name].items() if key in second[name]]
            found.setdefault(name, []).extend(units)
    return {
        name: (sum(after - before for before, after in units) / len(units),
               mcnemar(sum(after > before for before, after in units), sum(after < before for before, after in units)))
        for name, units in found.items() if units
    }  # fmt: skip


def _difference(pairs: Sequence[tuple[bool, bool]]) -> Difference:
    n = len(pairs)
    if n == 0:
        return Difference(0, 0.0, 0.0, 0.0, -1.0, 1.0, 0, 0, 1.0)
    steps = [int(after) - int(before) for before, after in pairs]
    gained, lost = steps.count(1), steps.count(-1)
    low, high = _bootstrap(steps)
    first, second = sum(before for before, _ in pairs) / n, sum(after for _, after in pairs) / n
    return Difference(n, first, second, second - first, low, high, gained, lost, mcnemar(gained, lost))


def _bootstrap(steps: Sequence[int]) -> tuple[float, float]:
    """The 95 % percentile interval of the mean step."""
    n = len(steps)
    rng = random.Random(n)
    means = sorted(sum(rng.choices(steps, k=n)) / n for _ in range(_RESAMPLES))
    return means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES) - 1]


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided probability that a fair coin splits the changed answers so unevenly."""
    changed = gained + lost
    if changed == 0:
        return 1.0
    tail = sum(math.comb(changed, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / float(2**changed))
