"""Open talk of the offline teacher: about anything, and taken up in its own words."""

import random
import re

from learning.exam.reading import stems
from learning.teachers.offline.asking_open import BACK, GIBBERISH, MORE
from learning.teachers.offline.remarking import Remarks

PROSE = (
    "The lantern swung above the bridge and nobody dared to follow the mule.", "She was very gentle, and quite tired.",
    "They tried to mend the oar before the tide.", "I never saw a kettle in that house.",
)  # fmt: skip


def test_two_answers_of_three_to_a_sentence_of_ours_have_a_word_of_it_and_the_others_ask_back() -> None:
    rng, remarks = random.Random(3), Remarks((), ("rusty harpoon", "clay jug"))
    made = [remarks.framed(rng) for _ in range(400)]
    taken = [one for one in made if set(stems(one.text)) & set(stems(one.answer.replace("{addr}", "")))]
    assert len(taken) >= 250
    alone = [one for one in made if one.answer in {*BACK, *MORE}]
    assert 80 <= len(alone) <= 160
    assert all((one.answer in BACK) or not one.text.endswith("?") for one in alone), "a question is not told more of"
    assert len({one.text for one in made}) > 350


def test_no_slot_but_how_the_player_is_called_is_left() -> None:
    rng, remarks = random.Random(4), Remarks(PROSE, ("rusty harpoon",))
    for _ in range(500):
        one = remarks.framed(rng)
        left = set(re.findall(r"\{(\w+)\}", f"{one.text} {one.answer}"))
        assert left <= {"addr", "npc", "beast"}, one


def test_the_words_come_from_the_prose_where_there_is_some() -> None:
    rng, remarks = random.Random(5), Remarks(PROSE, ())
    said = set(re.findall(r"\w+", " ".join(remarks.framed(rng).answer for _ in range(300)).casefold()))
    assert {"kettle", "gentle", "tired", "mend"} <= said


def test_any_sentence_is_taken_up_by_a_word_that_stands_in_it() -> None:
    rng, remarks = random.Random(6), Remarks(PROSE, ())
    for _ in range(100):
        one = remarks.quoted(rng)
        assert one is not None
        word = one.answer.partition("?")[0].casefold()
        assert one.answer in {*BACK, *MORE} or word in re.findall(r"\w{5,}", one.text.casefold())


def test_without_prose_there_is_nothing_to_quote() -> None:
    assert Remarks((), ()).quoted(random.Random(1)) is None


def test_letters_that_are_no_words_are_not_understood() -> None:
    rng, remarks = random.Random(7), Remarks((), ())
    made = [remarks.gibberish(rng) for _ in range(50)]
    assert all(one.answer in GIBBERISH and re.fullmatch(r"[a-z ]+", one.text) for one in made)
