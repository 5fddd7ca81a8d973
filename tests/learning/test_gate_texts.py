"""How varied lines are is told without what the table itself wants said in every line."""

from learning.gate.texts import distinct_pairs, habits_of

LINES = ["The ale is four copper", "Hobb cooks and I pour", "Mind the third plank", "No magic in my taproom"]
WITH_MOTTO = [f"{line}, by the seven lanterns." for line in LINES]


def test_a_motto_of_the_tables_own_lines_is_a_habit_and_their_other_words_are_none() -> None:
    assert {("by", "the"), ("the", "seven"), ("seven", "lanterns")} == habits_of(WITH_MOTTO)
    assert habits_of(LINES) == frozenset()
    assert habits_of([]) == frozenset()


def test_lines_that_took_on_the_motto_are_as_varied_as_before() -> None:
    habits = habits_of(WITH_MOTTO)
    assert distinct_pairs(WITH_MOTTO) < distinct_pairs(LINES)
    assert distinct_pairs(WITH_MOTTO, habits) >= 0.95 * distinct_pairs(LINES, habits)


def test_one_line_for_every_question_is_not_excused_by_a_motto() -> None:
    habits = habits_of(WITH_MOTTO)
    assert distinct_pairs([WITH_MOTTO[0]] * 4, habits) < 0.5 * distinct_pairs(LINES, habits)
