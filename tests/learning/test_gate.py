"""The gate hears two voices: what it counts, what holds a candidate, and what it passes over."""

from typing import Any

from learning.gate import GateVerdict, Measure, Trial, Witness, judge
from tests.fakes.parrot_engine import ParrotEngine

NEW, OLD = "mira-new", None


def row(prompt: str, completion: str) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion, "asked": prompt}


def rows(count: int, answer: str = "Four copper.") -> list[dict[str, Any]]:
    return [row(f"How much is thing {number}?", answer) for number in range(count)]


async def verdict(trial: Trial, said: dict[tuple[str | None, str], str] | None = None) -> GateVerdict:
    """Judge a candidate that has learnt the table's own lines, and says what it is given to say."""
    scores = {(NEW, r["prompt"]): -0.5 for r in trial.targets}
    engine = ParrotEngine(said or {}, scores)
    return await judge(Witness(engine, NEW), Witness(engine, OLD), trial)


def measure(found: GateVerdict, name: str) -> Measure:
    return next(one for one in found.measures if name in one.name)


async def test_a_line_that_was_stopped_holds_whoever_says_it_again() -> None:
    trial = Trial(rows(3), rows(2), regression=[row("Tell me of the cellar.", "Blood ran down the cellar stairs that night.")])
    assert (await verdict(trial)).passed
    held = await verdict(trial, {(NEW, "Tell me of the cellar."): "Blood ran down the cellar stairs that night, lamb."})
    assert held.reason == "held: lines taken back or stopped said again 1.00 against 0.00 (n = 1)"
    both = "Blood ran down the cellar stairs that night."
    cured = await verdict(trial, {(OLD, "Tell me of the cellar."): both})
    assert measure(cured, "taken back").gain == 1.0
    assert cured.passed
