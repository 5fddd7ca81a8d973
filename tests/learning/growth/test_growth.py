"""Growth: the published mix and filters, a gate between rounds, and a run that goes on where it was."""

import pytest

from characters.library import Library
from characters.messages import Scene, Turn
from characters.prompt import Budget, Part
from db.provenance import Policy
from db.queries import teaching
from db.store import Store
from learning.errors import NothingToLearn
from learning.growth.answers import Answers
from learning.growth.gate import Round, diversity, reason_to_stop
from learning.growth.questions import SAMPLING, draw, fault_of, read_questions
from learning.growth.running import Growth, GrowthStopped
from learning.taught import Lesson, lesson_candidates
from learning.teachers.errors import Rejected
from learning.teachers.growth_prompts import SHOWN, listed
from learning.teachers.protocol import Answer
from tests.fakes.desks import ListTeacher, desk_of, now

LIBRARY = Library(None)
MIRA = Part("mira", LIBRARY.get("mira"), LIBRARY.world("saltmere"))
SEEDS = [f"Where can I find the {thing} of {place}?" for thing in ("bell", "gate", "well", "forge", "market", "mill")
         for place in ("old king Aldric", "the drowned nuns", "my brother's wedding")]  # fmt: skip
NEW = ["How much is a room for four nights?", "Who taught you to fight with a spear?", "Does the brown ale keep till spring?"]


def test_a_prompt_shows_six_seeds_and_two_grown_questions_once_there_are_any() -> None:
    first = draw(0, 1, MIRA, SEEDS, [])
    assert len(first.shown) == SHOWN
    assert set(first.shown) <= set(SEEDS)
    later = draw(7, 1, MIRA, SEEDS, NEW)
    assert len(set(later.shown) & set(NEW)) == 2
    assert later == draw(7, 1, MIRA, SEEDS, NEW) != draw(8, 1, MIRA, SEEDS, NEW)


def test_the_sampling_is_the_published_one() -> None:
    assert (SAMPLING.temperature, SAMPLING.top_p, SAMPLING.presence_penalty, SAMPLING.max_tokens) == (0.7, 0.5, 2.0, 1024)
    assert SAMPLING.stop == ("\n\n", "\n17", "17.", "17 .")


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("Who are you?", "question too short"),
        (" ".join(["why"] * 151), "question too long"),
        ("?what is it you sell", "begins with punctuation"),
        ("“How much is the rope?", "begins with punctuation"),
        ("Are you an AI or a person?", "breaks the world"),
        ("I never heard of that, stranger.", "asks for nothing"),
        ("how much for the old rope", ""),
    ],
)
def test_what_the_published_filters_drop_is_dropped_with_its_reason(question: str, fault: str) -> None:
    assert fault_of(question) == fault


def test_a_list_cut_off_by_its_length_is_dropped_whole() -> None:
    assert read_questions(Answer(listed(NEW, first=9))) == NEW
    with pytest.raises(Rejected, match="cut off"):
        read_questions(Answer(listed(NEW, first=9), "length"))


def test_answers_to_the_same_thing_must_differ_and_prices_must_stand_somewhere() -> None:
    answers = Answers(MIRA, Budget())
    question = "How much is the brown ale tonight?"
    prompt = answers.prompt("You", question)
    price = MIRA.sheet.wares[0].price
    line = f"The brown ale? That is {price}, friend, and not a coin less."
    assert answers.read(Answer(line), question, prompt) == line
    answers.add(question, line)
    with pytest.raises(Rejected, match="like another one"):
        answers.read(Answer(line.replace("friend", "stranger")), "What does the brown ale cost?", prompt)
    with pytest.raises(Rejected, match="stands nowhere"):
        answers.read(Answer("The ale? Ninety-nine thoughts of 77 gold."), question, prompt)
    with pytest.raises(Rejected, match="repeats the question"):
        answers.read(Answer(question), question, prompt)


def round_of(number: int, accepted: int, score: float = 0.5, variety: float = 0.8) -> Round:
    return Round(number, 100, accepted, score, variety, 0.1)


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (round_of(2, 45), ""),
        (round_of(2, 3), "of 100 questions only 3 were accepted"),
        (round_of(2, 20), "acceptance fell from 50% to 20%"),
        (round_of(2, 45, score=0.2), "score fell from +0.50 to +0.20"),
        (round_of(2, 45, variety=0.6), "diversity fell from 0.80 to 0.60"),
    ],
)
def test_growth_stops_where_acceptance_score_or_diversity_falls(last: Round, reason: str) -> None:
    found = reason_to_stop([round_of(1, 50), last])
    assert (reason in found) if reason else found == ""


def test_rounds_are_held_against_the_first_with_rows_enough_to_say_something() -> None:
    scrap, full = Round(1, 2, 1, 1.0, 1.0, 0.1), round_of(2, 50)
    assert reason_to_stop([scrap]) == reason_to_stop([scrap, full]) == reason_to_stop([scrap, full, round_of(3, 45)]) == ""
    assert "diversity fell from 0.80 to 0.60" in reason_to_stop([scrap, full, round_of(3, 45, variety=0.6)])


def test_diversity_is_the_share_of_distinct_pairs_of_words() -> None:
    assert diversity(["the old rope", "the old bell"]) == 0.75
    assert diversity([]) == 0.0


async def seeded(store: Store, teacher: ListTeacher) -> Growth:
    desk = await desk_of(store, teacher, run="grow")
    rows = [Lesson(f"seed/{at}", f"seed/{at}", "bootstrap", "offline_teacher", Scene(), [Turn("You", question)],
                   f"By the {at}. pier, they say.", "generator").row() for at, question in enumerate(SEEDS)]  # fmt: skip
    async with store.session() as session:
        await teaching.add_rows(session, desk.campaign, "mira", rows, now())
    return Growth(desk, MIRA, Budget(), seed=1)


async def test_growth_keeps_new_questions_with_their_answers_and_where_they_came_from(store: Store) -> None:
    teacher = ListTeacher(listed([NEW[0], SEEDS[0], NEW[1]], first=9), "A room is a room.", "My mother did, on the pier.")
    growth = await seeded(store, teacher)
    assert await growth.open() == len(SEEDS)
    await growth.to(len(SEEDS) + 2)
    async with store.session() as session:
        rows = await teaching.taught_rows(session, growth.desk.campaign, "mira", "grow/")
    assert [(row.payload["turns"][-1][1], row.payload["completion"]) for row in rows] == [
        (NEW[0], "A room is a room."), (NEW[1], "My mother did, on the pier."),
    ]  # fmt: skip
    assert {row.payload["depth"] for row in rows} == {1}
    assert len(rows[0].payload["most_similar"]) == 10
    assert growth.desk.progress.rejected == {"question like another one": 1}
    assert [(one.proposed, one.accepted) for one in growth.rounds] == [(3, 2)]
    assert "1. " in teacher.asked[0].messages[1].content


async def test_a_line_like_another_one_to_the_same_thing_is_drawn_once_more_with_chance(store: Store) -> None:
    rooms = ["How much is a room for four nights?", "What do you ask for a room, if I may?"]
    teacher = ListTeacher(listed(rooms, first=9), "A room is a room.", "A room is a room!", "Five silver, clean sheets and no questions.")
    growth = await seeded(store, teacher)
    await growth.open()
    await growth.to(len(SEEDS) + 2)
    assert [one["line"] for one in growth.samples] == ["A room is a room.", "Five silver, clean sheets and no questions."]
    assert [request.sampling.temperature for request in teacher.asked] == [SAMPLING.temperature, 0.0, 0.0, 0.7]
    assert growth.desk.progress.rejected == {"answer like another one to the same thing (asked again)": 1}


async def test_an_interrupted_growth_goes_on_behind_what_it_has_and_pays_for_nothing_twice(store: Store) -> None:
    teacher = ListTeacher(listed(NEW[:1], first=9), "A room is a room.")
    growth = await seeded(store, teacher)
    await growth.open()
    await growth.to(len(SEEDS) + 1)
    again = ListTeacher(listed(NEW[1:2], first=9), "My mother did, on the pier.")
    resumed = Growth(await desk_of(store, again, run="grow"), MIRA, Budget(), seed=1)
    assert await resumed.open() == len(SEEDS) + 1
    await resumed.to(len(SEEDS) + 2)
    assert (len(teacher.asked), len(again.asked)) == (2, 2)
    assert resumed.grown == NEW[:2]


async def test_growth_from_nothing_says_what_to_do_and_from_a_hopeless_model_it_ends(store: Store) -> None:
    with pytest.raises(NothingToLearn, match="run `understudy teach bootstrap mira` first"):
        await Growth(await desk_of(store, ListTeacher()), MIRA, Budget(), seed=1).open()
    growth = await seeded(store, ListTeacher())
    await growth.open()
    with pytest.raises(GrowthStopped, match="25 prompts in a row nothing came"):
        await growth.to(400)


def test_at_most_half_of_what_is_trained_on_is_grown() -> None:
    def rows(count: int, depth: int) -> list[teaching.TaughtRow]:
        return [Lesson(f"{depth}/{at}", f"{depth}/{at}", "grow", "teacher", Scene(), [Turn("You", "Why?")], "So.", "list",
                       depth=depth).row() for at in range(count)]  # fmt: skip

    found = lesson_candidates([*rows(4, 0), *rows(9, 1)], MIRA, Policy())
    assert [candidate.trainable for candidate in found[:4]] == [True] * 4
    assert sum(candidate.trainable for candidate in found[4:]) == 4
    assert {candidate.reason for candidate in found if not candidate.trainable} == {"as many rows are grown already as may be"}
