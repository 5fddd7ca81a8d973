"""A line that was said before is disfavoured from its beginning until the new one parts from it."""

from characters.inference.varying import Varying

SAID = [[5, 6, 7], [5, 6, 8], [9]]


def test_the_beginnings_of_all_earlier_lines_are_disfavoured() -> None:
    assert sorted(Varying(SAID).again()) == [5, 5, 9]


def test_only_lines_that_began_alike_stay() -> None:
    varying = Varying(SAID)
    varying.take(5)
    assert varying.again() == [6, 6]
    varying.take(6)
    varying.take(8)
    assert varying.again() == []


def test_a_line_of_another_beginning_is_free() -> None:
    varying = Varying(SAID)
    varying.take(4)
    assert varying.again() == []
    varying.take(5)
    assert varying.again() == [], "what stands in the middle of a line is no beginning"


def test_nothing_said_before_disfavours_nothing() -> None:
    assert Varying([]).again() == []
    assert Varying([[]]).again() == []
