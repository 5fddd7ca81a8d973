"""What the table preferred blind bears on the verdict, by day as by night."""

from typing import Any

from learning.gate import Measure
from learning.gate.measures import NOTHING_BETTER, conclude, hold
from learning.gate.votes import judged_again, sentence, votes_measure


def report(*measures: Measure, why: str = "") -> dict[str, Any]:
    return (hold(why, measures) if why else conclude(measures)).as_json()


SAME = Measure("log-probability", -2.0, -2.0, 40, target=True)
BETTER = Measure("log-probability", -1.0, -2.0, 40, target=True)
EXAM = Measure("exam: grounding", 0.9, 0.9, 60)


def test_few_votes_inform_and_are_told_with_their_number() -> None:
    verdict = judged_again(report(BETTER), votes_measure(2, 7))
    assert verdict.passed
    measure = verdict.measures[-1]
    assert (measure.name, measure.n, measure.decides, measure.passed) == ("blind votes", 9, False, False)
    assert sentence(verdict.as_json()["measures"]) == "blind votes: 2 of 9 for it"
    assert sentence(report(BETTER)["measures"]) == ""


def test_thirty_votes_hold_a_candidate_that_passed_and_more_of_them_free_it() -> None:
    held = judged_again(report(BETTER, EXAM), votes_measure(9, 21))
    assert not held.passed
    assert held.reason == "held: blind votes 0.30 against 0.70 (n = 30)"
    freed = judged_again(held.as_json(), votes_measure(30, 21))
    assert freed.passed
    assert [measure.name for measure in freed.measures] == ["log-probability", "exam: grounding", "blind votes"]


def test_a_candidate_held_because_time_was_short_stays_held_however_the_votes_turn() -> None:
    short = report(BETTER, why="the time box ended before the stage “exam”")
    disliked = judged_again(short, votes_measure(10, 20))
    liked = judged_again({**short, **disliked.as_json()}, votes_measure(20, 22))
    assert (disliked.passed, liked.passed, liked.reason) == (False, False, short["reason"])


def test_a_candidate_that_votes_kept_from_its_exam_is_not_freed_by_more_of_them() -> None:
    at_night = votes_measure(9, 21)
    assert at_night is not None
    unasked = report(BETTER, at_night)
    assert unasked["reason"].startswith("held: blind votes")
    assert not judged_again(unasked, votes_measure(30, 21)).passed


def test_a_candidate_held_for_want_of_a_reason_passes_by_votes_and_one_with_a_fault_does_not() -> None:
    assert report(SAME)["reason"].endswith(NOTHING_BETTER)
    assert judged_again(report(SAME), votes_measure(21, 9)).passed
    late = judged_again(report(SAME, why="the time box ended before the stage “exam”"), votes_measure(30, 0))
    assert (late.passed, late.reason) == (False, "held: the time box ended before the stage “exam”")
    worse = Measure("empty lines", 1, 0, 40, "lower", always=True)
    assert not judged_again(report(worse, SAME), votes_measure(30, 0)).passed


def test_without_votes_the_verdict_is_the_same() -> None:
    assert judged_again(report(BETTER), None).as_json() == report(BETTER)
    assert votes_measure(0, 0) is None
