"""Half a fact glued to a no tells nothing; a fact behind a no does."""

import pytest

from learning.exam.reading import says
from learning.exam.telling import runs_on, told


@pytest.mark.parametrize(("reply", "kept", "lost"), [
    ("I never learnt to make someone who never saw of bells that ring.", "", "bells"),
    ("I don't know who did it, but I saw three oars.", "three oars", "did it"),
    ("What is a choir are smugglers who sing at night.", "", "smugglers"),
    ("The temple burns a lamp. I know nothing more.", "burns a lamp", "xyz"),
    ("Climb the ninety steps behind the ninety steps behind the ninety steps behind", "ninety steps behind", "behind the ninety steps behind the"),
    ("They say the choir pays? I couldn't tell you.", "", "choir"),
])  # fmt: skip
def test_what_is_glued_to_a_no_is_not_told(reply: str, kept: str, lost: str) -> None:
    found = told(reply, "")
    assert kept in found.casefold()
    assert lost not in found.casefold()


def test_a_no_that_is_the_sheets_own_is_told() -> None:
    assert "do not know" in told("I know that I do not know.", "I know that I do not know, and that is a small beginning.")
    assert told("Is it courage to stand?", "Is it courage to stand, or to run?") == "Is it courage to stand?"


@pytest.mark.parametrize(("sentence", "apart"), [
    ("I don't know what a bored standing is open from Swallows to Fog.", True),
    ("I don't know what a smartphone is, my friend.", False), ("I don't know what a phone is supposed to do.", False),
    ("I don't know any man who is called that.", False),
])  # fmt: skip
def test_a_no_that_runs_on_is_known_by_its_second_verb(sentence: str, apart: bool) -> None:
    assert runs_on(sentence) is apart


def test_a_short_word_is_not_said_by_another_of_its_stem() -> None:
    assert not says("a cup of red wine", "win")
    assert says("who wins", "win")
    assert says("he bites", "bite")
