"""A judge reasons, then says −1, 0 or +1; it decides nothing before people agreed with it."""

from pathlib import Path

import pytest

from characters.library import Library
from characters.messages import Scene, Turn
from characters.prompt import Part
from db.store import Store
from learning.harvest import Candidate
from learning.judges.agreement import Standing, Vote, among, kappa, keep, known, standing
from learning.judges.criteria import CRITERIA, named
from learning.judges.judging import Judge, like_length
from learning.judges.looking import hold_against, seen_line
from learning.judges.ranking import pair_of
from learning.teachers.offline.teacher import OfflineTeacher
from tests.fakes.desks import ListTeacher, desk_of

LIBRARY = Library(None)
SHEET = LIBRARY.get("brug")
BRUG = Part("brug", SHEET, LIBRARY.world(SHEET.world))
ASKED = (Turn("Ana", "How much is the silk rope?"),)


@pytest.fixture
async def file_store(tmp_path: Path) -> Store:
    return await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")


async def test_the_rules_see_machines_invented_numbers_and_talk_past_the_question(file_store: Store) -> None:
    judge = Judge(await desk_of(file_store, OfflineTeacher()))

    async def scores(line: str) -> dict[str, int]:
        judged = await judge.score(seen_line(BRUG, ASKED, Scene(), line))
        assert all(opinion.reason for opinion in judged.opinions)
        return {opinion.criterion: opinion.score for opinion in judged.opinions}

    assert await scores("Silk rope? 3 gold, and the price stays.") == {"in character": 0, "grounded": 1, "answers": 1, "world": 0, "style": 1}
    assert (await scores("As an AI, I sell nothing."))["in character"] == -1
    assert (await scores("The silk rope is 99 gold."))["grounded"] == -1
    assert (await scores("Good evening to you."))["answers"] == 0
    assert (await scores("Pay by smartphone, friend."))["world"] == -1
    await file_store.close()


async def test_reason_and_verdict_of_a_model_are_read_and_what_has_none_is_asked_again(file_store: Store) -> None:
    teacher = ListTeacher("No verdict here.", "It keeps the price. VERDICT: +1", "Off. **Verdict:** −1")
    judge = Judge(await desk_of(file_store, teacher), CRITERIA[:2])
    judged = await judge.score(seen_line(BRUG, ASKED, Scene(), "3 gold."))
    assert [(opinion.criterion, opinion.score) for opinion in judged.opinions] == [("in character", 1), ("grounded", -1)]
    assert (judged.score, judged.opinions[0].reason) == (0.0, "It keeps the price.")
    await file_store.close()


async def test_what_changes_sides_with_the_order_is_a_tie(file_store: Store) -> None:
    one, other = [seen_line(BRUG, ASKED, Scene(), line) for line in ("3 gold.", "Three gold, friend.")]
    swayed = Judge(await desk_of(file_store, ListTeacher("VERDICT: first", "VERDICT: first")), CRITERIA[:1])
    assert await swayed.prefer(one, other) == 0.0
    firm = Judge(await desk_of(file_store, ListTeacher("VERDICT: first", "VERDICT: second"), run="other"), CRITERIA[1:2])
    assert await firm.prefer(one, other) == 1.0
    await file_store.close()


def test_a_judge_decides_from_thirty_votes_seventy_percent_and_kappa_of_four_tenths(tmp_path: Path) -> None:
    good, bad = Vote("good", "good"), Vote("bad", "bad")
    wrong, vain = Vote("good", "bad"), Vote("good", "good", matched=False)
    assert standing("j", "brug", [good, bad] * 15).decides
    assert not standing("j", "brug", [good, bad] * 14).decides
    assert not standing("j", "brug", [good, bad] * 10 + [vain] * 100).decides
    assert not standing("j", "brug", [*[good] * 30, *[wrong] * 20]).decides
    yes_man = standing("j", "brug", [*[good] * 40, *[Vote("bad", "good")] * 10])
    assert (yes_man.agreement, round(yes_man.kappa, 2), yes_man.decides) == (0.8, 0.0, False)
    assert "only advises" in str(yes_man)


def test_a_judge_that_one_campaigns_people_agreed_with_is_unknown_to_another(tmp_path: Path) -> None:
    trusted = standing("j", "brug", [Vote("good", "good"), Vote("bad", "bad")] * 15)
    keep(tmp_path, 1, trusted)
    assert known(tmp_path, 1, "j", "brug") == trusted
    assert known(tmp_path, 2, "j", "brug") == Standing("j", "brug", 0, 0.0, 0.0)
    assert known(tmp_path, 1, "another", "brug") == Standing("another", "brug", 0, 0.0, 0.0)


def test_kappa_and_agreement_among_evaluators() -> None:
    votes = [*[Vote("good", "good")] * 20, *[Vote("good", "bad")] * 5, *[Vote("bad", "good")] * 10, *[Vote("bad", "bad")] * 15]
    assert kappa(votes) == pytest.approx(0.4)
    assert among([[1, 1, -1], [0, None, 0]]) == pytest.approx(2 / 4)
    assert among([[1], [0]]) is None


def test_lines_are_compared_at_like_length_and_criteria_by_name() -> None:
    assert like_length("one two three", "one two")
    assert not like_length("one two three four", "one two")
    assert [criterion.name for criterion in named("style, world")] == ["style", "world"]
    with pytest.raises(KeyError):
        named("beauty")


async def test_held_against_people_it_sees_only_what_may_be_learnt_from(file_store: Store) -> None:
    def row(line: str, label: bool, trainable: bool = True) -> Candidate:
        return Candidate("label", "thumbs_up", "npc", 1, "1/brug", Scene(), ASKED, (), line, label=label, trainable=trainable)

    rows = [row("Silk rope? 3 gold, knots free.", True), row("As an AI I know 99 ropes called Zed.", False)] * 16
    judge = Judge(await desk_of(file_store, OfflineTeacher()))
    found = await hold_against(judge, BRUG, [*rows, row("I am an AI.", True, trainable=False)])
    assert (found.n, found.agreement, found.decides) == (32, 1.0, True)
    await file_store.close()


async def test_best_and_worst_of_like_length_make_a_pair_by_margin(file_store: Store) -> None:
    judge = Judge(await desk_of(file_store, OfflineTeacher()))
    answers = ["The silk rope is 3 gold, friend.", "As an AI I say 99 gold.", "Aye."]
    made = await pair_of(judge, BRUG, ASKED, Scene(), answers, margin=0.5, of="run/1.0", decides=False)
    assert made is not None
    assert (made.completion, made.rejected, made.kind) == (answers[0], answers[1], "pair")
    assert (made.trainable, made.reason) == (False, "the judge only advises")
    assert await pair_of(judge, BRUG, ASKED, Scene(), answers[:1], margin=0.5, of="run/1.0", decides=True) is None
    await file_store.close()
