"""Where a reply ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from characters.inference.stopping import StopFilter, Utf8, loops, without_loop


@given(st.text("abA:n\n", max_size=60), st.integers(1, 7))
def test_however_a_reply_is_cut_to_pieces_the_same_part_is_shown(text: str, size: int) -> None:
    stops = ["Ana:", "\n\n"]
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    wanted = text[: min(found)] if found else text
    filter_ = StopFilter(stops)
    shown = "".join(filter_.feed(text[at : at + size]) for at in range(0, len(text), size)) + filter_.flush()
    assert shown == wanted


@given(st.integers(1, 9), st.sampled_from(["Ben: Two ales!", " \n Ben: Two ales!"]))
def test_a_reply_that_begins_with_somebody_elses_name_says_nothing(size: int, text: str) -> None:
    filter_ = StopFilter(["\n[", "\nBen:", "! Ben:"])
    assert "".join(filter_.feed(text[at : at + size]) for at in range(0, len(text), size)) + filter_.flush() == ""
    mild = StopFilter(["\nBen:", "! Ben:"])
    assert mild.feed("Benevolent! Ben") + mild.feed(": Two") == "Benevolent"


def test_a_character_split_over_tokens_waits_for_its_rest() -> None:
    joined = Utf8()
    assert joined.feed("é".encode()[:1]) == ""
    assert joined.feed("é".encode()[1:]) == "é"


def test_a_broken_character_becomes_a_mark_at_the_end() -> None:
    joined = Utf8()
    joined.feed(b"\xe2\x82")
    assert joined.flush() == "\ufffd"


def test_loops_are_the_same_word_thrice_four_to_twelve_words_twice_or_a_syllable_six_times() -> None:
    assert loops("Insult're're're're're're")
    assert not loops("Hahaha!")
    assert loops("rock rock rock")
    assert loops("and then we go and then we go")
    assert loops("My cellar is dry, so everybody wants to hide things in Saltmere, so everybody wants to hide things in Saltmere")
    assert not loops("It is what it is, and it was what it was.")
    assert not loops("Aye, aye.")


@pytest.mark.parametrize(("said", "left"), [
    ("Rope at 9 copper and waxed twine at 16 copper and waxed twine at 16", "Rope at 9 copper and waxed twine at 16 copper."),
    ("It burned down. She came to the mill. She came to the mill", "It burned down. She came to the mill."),
    ("The kite maker on the third terrace in the third terrace in the third terrace in", "The kite maker on the third terrace in the third terrace."),
    ("I've never been to the oldxxxxxx", "I've never been to the old."), ("Well, no no no", "Well, no."),
    ("Four copper, four copper!", "Four copper, four copper!"), ("", ""),
])  # fmt: skip
def test_a_line_that_went_round_in_circles_is_left_without_its_last_round(said: str, left: str) -> None:
    assert without_loop(said) == left
    assert not loops(left)
