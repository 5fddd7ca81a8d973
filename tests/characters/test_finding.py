"""What was told in a scene is found again by the words of a question, as the database finds it."""

import pytest

from characters.finding import find_among
from characters.remembering import choose, note_heard

TOLD = [
    "Our boat is the Marigold, two masts and a leak.", "I left my good hat on the ferry.",
    "The miller's daughter sings in the choir.", "We sold the mare at the fair in Holm.",
]  # fmt: skip
NOTED = [noted.text for text in TOLD if (noted := note_heard("Ana", text))]


@pytest.mark.parametrize(("question", "place"), [
    ("what was our boat called?", 0), ("where did I leave that hat of mine?", 1), ("who sings in the choir again?", 2),
    ("who bought the mare?", 3),
])  # fmt: skip
def test_the_question_s_words_find_what_was_told(question: str, place: int) -> None:
    assert choose(find_among(NOTED, question), ())[0].text == NOTED[place]


@pytest.mark.parametrize("question", ["how much is the ale?", "", "and?"])
def test_a_question_about_something_else_finds_nothing(question: str) -> None:
    assert choose(find_among(NOTED, question), ()) == ()


def test_nothing_is_found_where_nothing_was_told() -> None:
    assert find_among([], "what was our boat called?") == []


def test_the_memory_that_meets_more_of_the_question_comes_first() -> None:
    found = find_among(["Ana said: The boat leaks.", "Ana said: The boat is green."], "is the boat green or not?")
    assert [one.fact.key for one in found] == ["memory.1", "memory.0"]
