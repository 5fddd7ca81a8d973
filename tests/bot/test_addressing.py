"""Who answers where people talk among themselves, and what a table does not want to hear."""

from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.addressing import in_character, named, who_answers
from bot.table.dice import roll
from bot.table.limits import Limits
from characters.library import Library

HERE = {"mira": "Mira", "brug": "Brug"}


@pytest.mark.parametrize(("text", "who"), [
    ("Brug, ask Mira.", "brug"), ("Has anybody seen Mira?", "mira"), ("I admire miracles.", None), ("", None),
])  # fmt: skip
def test_the_first_who_is_named_answers(text: str, who: str | None) -> None:
    assert named(text, HERE) == who


def test_who_knows_nothing_of_a_matter_keeps_quiet() -> None:
    library = Library()
    assert who_answers("Did you bring the crisps, Bo", ["mira", "brug"], library, None) is None
    assert who_answers("Did you bring the crisps, Bo", ["mira"], library, "mira") is None


def test_who_was_just_spoken_to_and_knows_of_it_answers() -> None:
    assert who_answers("And how much is the ale here", ["brug", "mira"], Library(), "mira") == "mira"


@pytest.mark.parametrize(("text", "who"), [
    ("How much is the ale here?", "mira"), ("What does an iron ladle cost?", "brug"), ("What do you sell?", "mira"), ("Who are you?", "mira"),
])  # fmt: skip
def test_ones_own_ware_counts_more_than_the_talk_one_is_in_and_what_all_know_of_themselves_less(text: str, who: str) -> None:
    assert who_answers(text, ["brug", "mira"], Library(), "mira") == who


def test_a_ware_of_ones_own_is_reason_enough_to_speak_up() -> None:
    assert who_answers("How much is the ale here?", ["brug", "mira"], Library(), None) == "mira"


def test_a_silent_npc_answers_only_by_name(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    text = Library().path("mira").read_text("utf-8")
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("talkativeness"))
    (tmp_path / "sheets" / "mira.yaml").write_text(f"{kept}\ntalkativeness: 0.0\n", "utf-8")
    library = Library(tmp_path)
    assert who_answers("How much is the ale?", ["mira"], library, "mira") is None
    assert who_answers("Mira, how much is the ale?", ["mira"], library, None) == "mira"


def test_the_mark_before_speech_is_not_speech() -> None:
    assert in_character("> Well met.") == "Well met."
    assert in_character(' "Well met." ') == '"Well met."'


@pytest.mark.parametrize(("text", "crossed"), [
    ("They drowned three dogs.", "drowned dogs"), ("Drowning a dog? Never here.", "drowned dogs"), ("The dogs bark. A man drowned.", None),
    ("Nothing at all.", None), ("They were tortured.", "torture"), ("He spoke of torture.", "torture"),
])  # fmt: skip
def test_a_limit_is_crossed_by_all_its_words_in_one_sentence(text: str, crossed: str | None) -> None:
    found = Limits(lines=("drowned dogs",), veils=("torture",)).crossed_by(text)
    assert found == crossed


def test_what_a_die_on_somebodys_own_table_showed_is_a_roll() -> None:
    assert roll("14 persuasion")[0] == 14
    assert roll("7+3")[0] == 10


def test_dice_are_dice() -> None:
    assert roll("1d1+4")[0] == 5
    assert 1 <= roll("2d6kh1")[0] <= 6
    for nonsense in ("", "lots", "1d", "9" * 200, "10000d10000", "1/0"):
        with pytest.raises(TableError):
            roll(nonsense)


@pytest.mark.parametrize(("expression", "why"), [
    ("2x6", "no die in '2x6'"), ("5 d20", "no die"), ("0d6", "at least one die"), ("1d0", "at least one side"),
    ("1d6+0d6", "at least one die"), ("999d999", "at most 100 dice"), ("60d6 + 41d6", "at most 100 dice"), ("1d1001", "at most 1000 sides"),
])  # fmt: skip
def test_a_roll_without_a_die_or_with_more_than_a_table_reads_is_refused_in_one_sentence(expression: str, why: str) -> None:
    with pytest.raises(TableError, match=why):
        roll(expression)


def test_a_hundred_dice_of_a_thousand_sides_and_a_die_of_tens_are_rolled() -> None:
    assert 100 <= roll("100d1000")[0] <= 100_000
    assert roll("d%")[0] in range(0, 100, 10)
    assert roll("(1d1, 2d1)kh1 + 3 [a blessing] persuasion")[0] == 5
