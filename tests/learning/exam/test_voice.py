"""Who speaks, told by the voice alone."""

from learning.exam.matching import Mark
from learning.exam.values import Item
from learning.exam.voice import Ear, ceiling, distance, own_lines, recognised, taught_on
from tests.fakes.exams import LIBRARY

PIRATE = ["Arr, hoist the sails, ye scurvy dogs!", "Ye'll walk the plank, arr!", "Arr, me hearties, ye be late."]
SCHOLAR = ["Furthermore, the evidence is inconclusive.", "Consequently one must consider the premise.", "To be precise, indeed."]


def ear() -> Ear:
    return Ear.taught({"pirate": PIRATE, "scholar": SCHOLAR})


def free(reply: str, category: str = "form-only") -> Mark:
    return Mark(Item(category, "smalltalk", "f", "", "q"), reply, (), (), False)  # type: ignore[arg-type]


def test_a_new_line_is_told_by_how_it_sounds() -> None:
    assert ear().who("Arr, be ye hungry, me dogs?") == "pirate"
    assert ear().who("Indeed, one must be precise about evidence.") == "scholar"


def test_a_line_of_its_own_is_nearer_than_one_of_somebody_elses() -> None:
    own, other = distance([free("Arr, ye dogs, be late!")], "pirate", ear()), distance([free("Arr, ye dogs, be late!")], "scholar", ear())
    assert own == 0.0
    assert other is not None
    assert other > 0
    assert distance([free("Aye.")], "pirate", ear()) is None, "too short to tell anything"


def test_only_free_remarks_of_some_length_are_listened_to() -> None:
    heard = recognised([free("Arr, ye be late again."), free("Aye."), free("Arr, ye be late again.", "grounding")], "pirate", ear())
    assert [one.own for one in heard] == [True, None, None]


def test_a_name_in_a_line_gives_nobody_away() -> None:
    named = Ear.taught({"a": ["We met old Zebulon there."], "b": ["We met old Quentin there."]})
    assert named.who("We met old Quentin there.") == named.who("We met old Zebulon there.")


def test_the_authors_own_lines_are_recognised_better_than_by_chance() -> None:
    cast = {slug: LIBRARY.get(slug) for slug in LIBRARY.slugs()}
    assert all(len(own_lines(sheet)) >= 5 for sheet in cast.values())
    assert ceiling(cast) > 3 / len(cast)
    known = taught_on(cast)
    assert all(known.who(line) == slug for slug, sheet in cast.items() for line in own_lines(sheet)[:3])
