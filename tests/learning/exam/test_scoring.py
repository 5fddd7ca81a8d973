"""From marks to numbers: shares with their intervals, and paired differences."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.exam.matching import Mark, mark
from learning.exam.scoring import compare, mcnemar, score, wilson
from learning.exam.values import Item


def marks(pattern: str, category: str = "grounding") -> list[Mark]:
    """One mark a letter: + right, - wrong, ~ right and badly formed."""
    return [
        Mark(Item(category, "price", f"f{at}", "v", "q"), "r", () if sign in "+~" else ("lacks it",),  # type: ignore[arg-type]
             ("loops",) if sign == "~" else (), False)
        for at, sign in enumerate(pattern)
    ]  # fmt: skip


def test_the_interval_is_wilsons() -> None:
    share = wilson(45, 50)
    assert (share.share, share.low, share.high) == (0.9, pytest.approx(0.7864, abs=1e-4), pytest.approx(0.9565, abs=1e-4))
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(20, 20).high == 1.0


@given(st.integers(1, 300), st.floats(0, 1))
def test_the_share_lies_in_its_interval(n: int, part: float) -> None:
    found = wilson(round(part * n), n)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_every_category_is_counted_by_itself_and_form_over_all() -> None:
    found = score([*marks("++-"), *marks("+~", "identity")])
    assert (found["grounding"].right, found["grounding"].n) == (2, 3)
    assert (found["identity"].right, found["identity"].n) == (2, 2)
    assert (found["form"].right, found["form"].n) == (4, 5)
    assert found["unknown"].n == 0


def test_a_refusal_of_what_it_knows_is_a_false_refusal() -> None:
    refused = [replace(one, refused=True) for one in marks("+--")]
    assert score(refused)["false refusals"].right == 2


def test_two_exams_are_compared_question_by_question() -> None:
    found = compare(marks("++--" * 10), marks("+-++" * 10))["grounding"]
    assert (found.n, found.first, found.second, found.gain) == (40, 0.5, 0.75, pytest.approx(0.25))
    assert (found.gained, found.lost) == (20, 10)
    assert found.low < 0.25 < found.high
    assert found == compare(marks("++--" * 10), marks("+-++" * 10))["grounding"], "the seed is fixed"


def test_an_exam_does_not_differ_from_itself() -> None:
    found = compare(marks("+-+"), marks("+-+"))["grounding"]
    assert (found.gain, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert mcnemar(1, 9) == pytest.approx(0.0215, abs=1e-4)


def test_only_shared_questions_are_compared() -> None:
    assert compare(marks("+-+"), marks("++"))["grounding"].n == 2


def test_a_remark_that_is_only_turned_passes_and_is_not_taken_up() -> None:
    item = Item("off-distribution", "smalltalk", "smalltalk", "", "some weather we're having", about=("rain",))
    turned, taken = mark(item, "I don't follow you."), mark(item, "Rain again, and my knees knew it.")
    assert turned.right
    assert taken.right
    assert score([turned])["taken up"].right == 0
    assert score([taken])["taken up"].right == 1
