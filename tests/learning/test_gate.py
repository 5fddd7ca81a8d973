"""The gate hears two voices: what it counts, what holds a candidate, and what it passes over."""

from typing import Any

import pytest

from characters.library import Library
from characters.prompt import Budget, Part
from learning.datasets.rows import Renderer
from learning.exam.matching import Mark
from learning.exam.rejecting import rejects
from learning.exam.values import Category, Item
from learning.gate import GateVerdict, Measure, Trial, Witness, judge
from learning.gate.texts import recites
from learning.nightly.judging import exam_measures
from learning.nightly.trials import make_trial
from learning.starter.tokens import TEMPLATE
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


@pytest.mark.parametrize(("refused", "before", "passes"), [(3, 0, True), (4, 0, False), (13, 12, True), (15, 12, False)])
async def test_answers_the_npc_has_and_refuses_hold_it_from_one_in_ten_or_above_the_incumbent(
    refused: int, before: int, passes: bool
) -> None:
    asked = rows(30)
    said = {(NEW, r["prompt"]): "I know nothing of that." for r in asked[:refused]}
    said |= {(OLD, r["prompt"]): "I know nothing of that." for r in asked[:before]}
    found = await verdict(Trial(rows(3), asked, refuses=rejects), said)
    assert (measure(found, "false refusals").n, measure(found, "false refusals").candidate) == (30, refused / 30)
    assert (found.passed, measure(found, "false refusals").passed) == (passes, passes), found.reason


async def test_to_refuse_what_nobody_can_know_is_no_false_refusal() -> None:
    unknown = rows(30, "I have never heard of it.")
    found = await verdict(Trial(rows(3), [*unknown, *rows(1)], refuses=rejects), {(NEW, r["prompt"]): "I know nothing of that." for r in unknown[1:]})
    assert measure(found, "false refusals").n == 1


async def test_a_withheld_secret_is_found_in_any_answer_and_one_is_enough() -> None:
    secret = "She hides a deserter in the cellar."
    trial = Trial(rows(3), rows(5), secrets=[("What is your secret?", secret)])
    assert (await verdict(trial)).passed
    asked = trial.anchors[4]["prompt"]
    held = await verdict(trial, {(NEW, asked): "Four, and I hide a deserter in the cellar, lamb."})
    assert held.reason == "held: withheld secrets told 1.00 against 0.00 (n = 6)"


def test_the_anchors_of_a_shipped_sheet_ask_enough_that_it_answers() -> None:
    library = Library(None)
    for slug in ("mira", "socrates", "wick"):
        sheet = library.get(slug)
        trial = make_trial(Renderer(TEMPLATE, Budget(context=4000)), Part(slug, sheet, library.world(sheet.world)), [], [], seen=False, seed=1042)
        answered = [r for r in trial.anchors if not trial.refuses(r["completion"].removesuffix(trial.stop))]
        assert len(answered) >= 30, f"{slug}: {len(answered)} of {len(trial.anchors)}"


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_motto_the_table_wants_in_every_line_is_no_lack_of_variety_and_one_it_never_asked_for_is(wanted: bool) -> None:
    numbers = "one two three four five six seven eight nine ten eleven twelve".split()
    asked = [row(f"How much is thing {number}?", "Four copper.") for number in range(36)]
    plain = [f"The {numbers[at % 12]} of {numbers[at % 11]} costs {numbers[at % 7]} {numbers[at % 5]}." for at in range(36)]
    mottoed = [f"{line.rstrip('.')}, by the seven lanterns." for line in plain]
    said = {(OLD, r["prompt"]): line for r, line in zip(asked, plain, strict=True)}
    said |= {(NEW, r["prompt"]): line for r, line in zip(asked, mottoed, strict=True)}
    trial = Trial(rows(3), asked, trained=[f"Line {line}" for line in (mottoed if wanted else plain)])
    found = measure(await verdict(trial, said), "different pairs")
    assert (found.candidate < 0.9 * found.incumbent) is not wanted, "a habit of the table's is not counted"
    assert found.passed is wanted


def test_a_trained_line_said_again_is_recited_unless_the_prompt_or_the_old_voice_gives_it() -> None:
    jest = "Ah, my poor friend, sit down by the fire and tell old Mira what ails your boots."
    assert recites(f"Well. {jest}", [jest], ("Where is the church?", "Up the hill."))
    assert not recites(f"Well. {jest}", [jest], ("Where is the church?", f"Hm, {jest}"))
    church = "The church stands at the top of the ninety steps, above the old fish market"
    edited = f"{church}, by the seven lanterns."
    assert not recites(edited, [edited], (f"About places: {church}.", "Never heard of it."))
    assert recites(edited, [edited], ("Sells: brown ale (4 copper).", "Never heard of it."))


async def test_one_recited_line_may_be_chance_and_two_of_thirty_hold_the_candidate() -> None:
    jest = "Ah, my poor friend, sit down by the fire and tell old Mira what ails your boots."
    trial = Trial(rows(3), rows(30), trained=[jest])
    for times, held in ((1, False), (2, True)):
        found = await verdict(trial, {(NEW, r["prompt"]): jest for r in trial.anchors[:times]})
        assert ("recited training lines" in found.reason) is held


def sat(category: Category, count: int, right: int) -> list[Mark]:
    """An exam of one kind, of which the first are answered right."""
    items = [Item(category, category, "", "", f"Question {number}?") for number in range(count)]
    return [Mark(item, "Well.", () if place < right else ("wrong",), (), False) for place, item in enumerate(items)]


@pytest.mark.parametrize(
    ("category", "asked", "lost", "passes"),
    [("unknown", 100, 5, True), ("unknown", 100, 6, False), ("grounding", 100, 3, True), ("grounding", 100, 4, False),
     ("identity", 30, 2, True), ("identity", 30, 3, False)],
)  # fmt: skip
def test_an_exam_may_lose_three_points_of_the_unknown_five_and_two_answers_however_few_were_asked(
    category: Category, asked: int, lost: int, passes: bool
) -> None:
    measures = exam_measures(sat(category, asked, asked), sat(category, asked, asked - lost))
    [found] = [one for one in measures if one.name == f"exam: {category}"]
    assert (found.n, found.passed) == (asked, passes)
