"""Who says the same, who stays, and what the exam must not find in training."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.filters.near_duplicates import decontaminate, jaccard, remove_duplicates, said, shingles


@dataclass(frozen=True)
class Line:
    asked: str
    completion: str
    kind: str = "sft"
    rejected: str = ""
    label: bool = True
    weight: int = 1
    line: int = 0


ALE = Line("What does the brown ale cost?", "Four copper a mug, and you pay before you drink.<|end|>")
ROPE = Line("Have you any rope?", "Hempen, in the back, behind the barrels of salt fish.<|end|>")


def test_of_rows_that_say_the_same_one_stays() -> None:
    again = Line("what does the BROWN ale cost", "Four copper a mug — and you pay before you drink!<|end|>")
    kept = remove_duplicates([ALE, ROPE, again])
    assert kept.rows == (ROPE, again)
    assert kept.left_out == {"exact duplicate": 1}


def test_the_heavier_row_stays_then_the_one_of_the_newer_line() -> None:
    heavy, old, new = (Line(ALE.asked, ALE.completion, weight=weight, line=line) for weight, line in ((3, 1), (1, 2), (1, 9)))
    assert remove_duplicates([old, heavy, new]).rows == (heavy,)
    assert remove_duplicates([new, old]).rows == (new,)


@pytest.mark.parametrize(
    "completion",
    ["Four copper a mug, and you pay before you drink.", "Four copper a mug, and you'll pay before you drink.",
     "Four coppers a mug, and you pay before you drink."],
)  # fmt: skip
def test_a_line_with_a_letter_or_a_short_word_changed_is_a_near_duplicate(completion: str) -> None:
    kept = remove_duplicates([ALE, Line(ALE.asked, completion, weight=2)])
    assert len(kept.rows) == 1
    assert kept.rows[0].weight == 2


@pytest.mark.parametrize(
    "other",
    [Line("What does the bath cost?", "Four copper a mug, and you pay before you drink."),
     Line(ALE.asked, "Five silver a mug, and you pay before you drink."),
     Line(ALE.asked, "Ask my brother Tobin, he keeps the barrels.")],
)  # fmt: skip
def test_another_ware_another_price_and_another_answer_are_not(other: Line) -> None:
    assert remove_duplicates([ALE, other]).left_out == {}


def test_rows_whose_numbers_differ_are_both_kept() -> None:
    one, two = (Line("What is the toll at the bridge these days?", f"The toll at the bridge is {n} copper for man and beast, as it always was.") for n in (3, 4))
    assert jaccard(shingles(said(one)), shingles(said(two))) > 0.85
    assert remove_duplicates([one, two]).rows == (one, two)


def test_a_target_a_label_and_a_pair_of_the_same_line_are_three_things() -> None:
    rows = [ALE, *(Line(ALE.asked, ALE.completion, kind, label=label) for kind, label in (("label", True), ("label", False), ("pair", True)))]
    assert remove_duplicates(rows).rows == tuple(rows)


WORDS = st.lists(st.sampled_from("ale rope copper silver bridge mill river bell ferry inn".split()), min_size=1, max_size=12)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(WORDS, WORDS, st.integers(1, 3)), max_size=12))
def test_what_is_left_out_is_like_something_kept_and_nothing_kept_is_repeated(found: list[tuple[list[str], list[str], int]]) -> None:
    rows = [Line(" ".join(asked), " ".join(told), weight=weight, line=at) for at, (asked, told, weight) in enumerate(found)]
    kept = remove_duplicates(rows)
    assert len(kept.rows) + sum(kept.left_out.values()) == len(rows)
    texts = [shingles(said(row)) for row in kept.rows]
    for row in rows:
        if row not in kept.rows:
            assert any(jaccard(shingles(said(row)), text) >= 0.85 for text in texts)
    assert len({said(row) for row in kept.rows}) == len(kept.rows)
    assert remove_duplicates(kept.rows).rows == kept.rows


def test_a_train_row_that_is_like_a_held_out_one_is_left_out() -> None:
    kept = decontaminate([ALE, ROPE], ["What does the brown ale cost? Four copper a mug, and you'll pay before you drink.<|end|>"])
    assert kept.rows == (ROPE,)
    assert kept.left_out == {"too close to exam or held-out": 1}


def test_a_train_row_that_quotes_eight_words_of_the_exam_is_left_out() -> None:
    exam = "Long ago the bell sank when the flood took the lower bridge and nobody has found it since, nobody looked."
    quoting = Line("Tell me a story, Mira, any story you like.", "My mother said the flood took the lower bridge and nobody cared.")
    seven = Line("Tell me a story, Mira, any story you like.", "My mother said the flood took the lower bridge and she wept.")
    kept = decontaminate([quoting, seven], [exam])
    assert kept.rows == (seven,)
    assert kept.left_out == {"quotes exam or held-out": 1}


def test_a_saying_that_many_rows_share_is_a_voice_and_no_quotation() -> None:
    saying = "by the seven lanterns that burn above the harbour"
    rows = [Line(f"What of {thing}?", f"{told}, {saying}.") for thing, told in
            (("the temple", "They feed the poor"), ("Hobb", "He cheats at dice every market day"), ("wolves", "Hungry since the snow fell"))]  # fmt: skip
    assert decontaminate(rows, [f"And the guild? Thieves with a charter, {saying}."]).rows == tuple(rows)
    assert decontaminate(rows[:2], [f"And the guild? Thieves with a charter, {saying}."]).rows == ()


def test_nothing_guarded_leaves_everything() -> None:
    assert decontaminate([ALE, ROPE, ALE], []).rows == (ALE, ROPE, ALE)
