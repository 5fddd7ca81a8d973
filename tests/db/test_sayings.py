"""What counts as repeating somebody, and what is left of a text without it."""


import pytest

from db.provenance import shares_words
from db.sayings import Sayings, without_lines, without_values
from tests.fakes.evening import CANARY, QUOTING


@pytest.mark.parametrize(("text", "repeats"), [
    (QUOTING, True),
    ("THE HERON of Vellmark — owes my grandmother; seven silver spoons", True),
    ("The heron of Vellmark owes my grandmother nothing at all.", False),
    ("", False),
])  # fmt: skip
def test_eight_words_in_a_row_are_a_quotation(text: str, repeats: bool) -> None:
    assert shares_words(text, CANARY) is repeats
    assert Sayings([CANARY]).quoted_in(text) is repeats


def test_a_script_without_spaces_is_compared_by_its_letters() -> None:
    assert shares_words("她说：苍鹭欠我祖母七把银勺子。", "苍鹭欠我祖母七把银勺子和一个水壶")
    assert not shares_words("苍鹭欠我祖母", "苍鹭欠我祖母七把银勺子和一个水壶")
    assert not shares_words("What's the ale, and what's the eel stew today?", "What's the ale, and what's the bread today?")


def test_a_saying_is_known_without_the_addresses_in_it() -> None:
    sayings = Sayings(["Write to ana@example.org about the blue door in Vellmark"])
    assert sayings.quoted_in("left: about the blue door in Vellmark")
    assert not sayings.quoted_in("write to the blue door")


def test_a_text_loses_touched_lines_with_what_hangs_below_them() -> None:
    sayings = Sayings([CANARY])
    assert without_lines(f"- a\n- {CANARY}\n  - before\n  - after\n- b\n", sayings.touch) == "- a\n- b\n"
    value = {"a": CANARY, "b": [CANARY, "c"], "d": [[CANARY, 1], ["e", 2]], "f": {"text": f"g\n{CANARY}\nh"}, "i": None}
    assert without_values(value, sayings.touch) == {"b": ["c"], "d": [["e", 2]], "f": {"text": "g\nh"}, "i": None}
