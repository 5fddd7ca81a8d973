"""What a judge may do at night once people agree with it: a stage of the gate, and rewards."""

import contextlib
import json
import math
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from characters.library import Library
from characters.messages import Turn
from characters.prompt import Part
from db.home import Home
from db.provenance import Policy
from db.store import Store
from learning.datasets.snapshot import Snapshot, write_snapshot
from learning.errors import RecipeInvalid
from learning.exam.items import make_items
from learning.exam.matching import Mark, mark
from learning.gate import Measure
from learning.judges.agreement import Standing
from learning.judges.criteria import CRITERIA, named
from learning.judges.judging import Judge
from learning.judges.seat import OpenSeat, Seat
from learning.nightly.judged import MEASURE, judged, preferred
from learning.nightly.reinforcing import reinforce
from learning.nightly.values import Night
from learning.recipes.config import SftConfig
from learning.recipes.evaluating import rewarding, seen_answer
from learning.recipes.rewards import Said
from learning.recipes.sft import train_sft
from learning.starter.tokens import TEMPLATE
from learning.teachers.errors import BudgetReached, TeacherUnavailable
from learning.teachers.offline.teacher import OfflineTeacher
from learning.teachers.protocol import Teacher
from tests.fakes.candidates import RENDERER, heard
from tests.fakes.desks import ListTeacher, desk_of
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)
LIBRARY = Library(None)
BRUG = Part("brug", LIBRARY.get("brug"), LIBRARY.world(LIBRARY.get("brug").world))
TRUSTED = Standing("a judge", "brug", 40, 0.8, 0.6)
ADVISER = Standing("a judge", "brug", 12, 0.9, 0.8)
PROMPT = "<|system|>You are Brug.<|end|><|user|>Ana: How much is the silk rope?\n[You know: Silk rope costs 3 gold.]<|end|><|assistant|>"
ROWS = [{"prompt": PROMPT, "completion": f"3 gold.{TEMPLATE.eos}", "asked": "How much is the silk rope?"}]


def seats(path: Path, teacher: Teacher, standing: Standing = TRUSTED) -> OpenSeat:
    """Opens a judge over a database of its own, as a command does."""

    @contextlib.asynccontextmanager
    async def open_seat(criteria: str) -> AsyncIterator[Seat]:
        store = await Store.open(f"sqlite:///{path / 'judge.sqlite'}")
        try:
            yield Seat(Judge(await desk_of(store, teacher), named(criteria or None)), standing, BRUG)
        finally:
            await store.close()

    return open_seat


@pytest.fixture
def told() -> list[str]:
    """What the night said."""
    return []


@pytest.fixture
async def night(told: list[str], tmp_path: Path, tiny_model: Path) -> AsyncIterator[Night]:
    home = tmp_path / "home"
    home.mkdir()
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    config = SftConfig(learning_rate=1e-3, epochs=1, minutes=1, threads=1, max_length=256)
    yield Night(store, ScriptedEngine(), LIBRARY, Home(home), tiny_model, 1, "brug", config, Policy(), NOW, told.append, lambda: NOW,
                minutes=0.1)  # fmt: skip
    await store.close()


def marks(line: str, count: int = 40) -> list[Mark]:
    items = [item for item in make_items(BRUG.sheet, BRUG.world, 1, knower="brug") if item.category == "grounding" and not item.before]
    return [mark(item, line, finished=True) for item in items[:count]]


async def stage(night: Night, new: list[Mark], old: list[Mark], deadline: float = float("inf")) -> list[Measure]:
    async def candidate() -> list[Mark]:
        return new

    async def incumbent() -> list[Mark]:
        return old

    name, compare = judged(night, candidate, incumbent, deadline)
    assert name == "judged"
    return await compare()


async def test_a_judge_people_agree_with_holds_a_voice_that_falls_out_of_its_part(night: Night, tmp_path: Path) -> None:
    night.seat, night.judges = seats(tmp_path, OfflineTeacher()), True
    good, bad = marks("Brug sells what Brug has."), marks("As an AI I sell nothing here.")
    [worse] = await stage(night, bad, good)
    assert (worse.name, worse.candidate, worse.n, worse.decides, worse.passed) == (MEASURE, 0.0, 40, True, False)
    [better] = await stage(night, good, bad)
    assert (better.candidate, better.passed, better.target) == (1.0, True, True)
    [same] = await stage(night, good, good)
    assert (same.candidate, same.passed, same.target) == (0.5, True, False)


async def test_a_judge_that_only_advises_or_is_not_wanted_or_not_there_has_no_say(night: Night, told: list[str], tmp_path: Path) -> None:
    good, bad = marks("Brug sells what Brug has."), marks("As an AI I sell nothing here.")
    assert await stage(night, bad, good) == []
    night.judges = True
    night.seat = seats(tmp_path, OfflineTeacher(), ADVISER)
    assert await stage(night, bad, good) == []

    class Silent(ListTeacher):
        async def complete(self, request: Any, afford: Any = None) -> Any:
            raise TeacherUnavailable("The teacher does not answer.")

    night.seat = seats(tmp_path, Silent())
    assert await stage(night, bad, good) == []
    assert told[-1] == "gate: the judge has no say tonight; The teacher does not answer."


async def test_when_time_is_over_nothing_more_is_compared(night: Night, tmp_path: Path) -> None:
    night.seat, night.judges = seats(tmp_path, OfflineTeacher()), True
    assert await stage(night, marks("One thing."), marks("Another thing."), deadline=0) == []


def verdict(won: int, lost: int) -> Measure:
    found = preferred([1.0] * won + [-1.0] * lost)
    assert found is not None
    return found


def test_a_voice_is_held_when_it_loses_more_than_chance_between_equals_would() -> None:
    assert preferred([]) is None
    assert [verdict(won, 30 - won).passed for won in (10, 11, 15)] == [False, True, True]
    assert [verdict(won, 120 - won).passed for won in (50, 51, 60)] == [False, True, True]
    assert (verdict(0, 29).decides, verdict(0, 30).decides) == (False, True), "few comparisons inform"
    assert [verdict(won, 120 - won).target for won in (66, 67)] == [False, True]


@pytest.mark.parametrize("n", [30, 60, 106, 120])
def test_an_equal_voice_passes_in_nineteen_nights_of_twenty(n: int) -> None:
    passing = [won for won in range(n + 1) if verdict(won, n - won).passed]
    assert 0.95 <= sum(math.comb(n, won) for won in passing) / 2**n < 0.97


def test_the_mean_of_all_evaluators_rewards_an_answer(tmp_path: Path) -> None:
    answers = [Said(PROMPT, text, True) for text in ("Silk rope? 3 gold.", "As an AI, I say 99.")]
    with rewarding(seats(tmp_path, OfflineTeacher()), {"form": 1.0, "judge": 1.0}, ROWS) as found:
        assert list(found) == ["judge"]
        good, bad = found["judge"](answers)
    assert good is not None
    assert bad is not None
    assert good > 0 > bad


def test_a_model_that_judges_is_asked_beside_the_training_and_what_has_no_verdict_is_no_reward(tmp_path: Path) -> None:
    teacher = ListTeacher("It does. VERDICT: 1", *["Who knows."] * 3)
    with rewarding(seats(tmp_path, teacher), {"grounded": 1.0}, ROWS) as found:
        assert list(found["grounded"]([Said(PROMPT, "3 gold.", True), Said(PROMPT, "Hm.", True)])) == [1.0, None]
    assert "Silk rope costs 3 gold." in teacher.asked[0].messages[1].content


def test_rules_alone_open_no_judge_and_one_that_only_advises_may_not_reward(tmp_path: Path) -> None:
    adviser = seats(tmp_path, OfflineTeacher(), ADVISER)
    with rewarding(adviser, {"form": 1.0}, ROWS) as found:
        assert found == {}
    with pytest.raises(RecipeInvalid, match=r'may not reward .*teach judge brug --criteria "grounded"'), rewarding(adviser, {"grounded": 1.0}, ROWS):
        pass
    with pytest.raises(RecipeInvalid, match="not both"), rewarding(adviser, {"grounded": 1.0, "judge": 1.0}, ROWS):
        pass


async def test_an_answer_is_shown_without_the_templates_tokens(tmp_path: Path) -> None:
    async with seats(tmp_path, OfflineTeacher())("") as seat:
        seen = seen_answer(seat, Said(PROMPT, "3 gold.", True), "How much is the silk rope?")
    assert "<|" not in seen.told
    assert (seen.hand, seen.dialogue) == ("Silk rope costs 3 gold.", ("Player: How much is the silk rope?",))
    assert [criterion.rule(seen)[1] for criterion in CRITERIA] == [0, 1, 1, 0, 0]


def snapshot(folder: Path, rows: Sequence[dict[str, Any]]) -> Snapshot:
    (folder / "sft").mkdir(parents=True)
    (folder / "sft" / "train.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return Snapshot(folder, {"hash": "dataset-1"})


async def test_a_night_ends_its_training_by_rewards_once_and_notes_what_it_learnt_from(night: Night, told: list[str], tmp_path: Path) -> None:
    rows = [{"prompt": f"Ana: The rope, number {at}?\n", "completion": f"Aye.{TEMPLATE.eos}", "asked": ""} for at in range(4)]
    made = snapshot(tmp_path / "dataset", rows)
    start = tmp_path / "start"
    train_sft(night.base, rows, night.config, start, lambda *_: None)
    night.seat, night.reinforce = seats(tmp_path, OfflineTeacher()), "judge"
    folder, trained = reinforce(night, made, start)
    assert trained is not None
    assert trained.rewards
    assert json.loads((folder / "dataset.json").read_text("utf-8")) == {"dataset": "dataset-1"}
    assert reinforce(night, made, start) == (folder, None)
    night.seat = seats(tmp_path, OfflineTeacher(), ADVISER)
    other, _ = reinforce(night, made, start)
    assert other != folder, "with the judge or without, it is another training"
    assert any("by rules alone" in line for line in told)


async def test_when_the_judges_budget_ends_in_mid_training_rules_reward_alone_and_the_night_goes_on(night: Night, told: list[str], tmp_path: Path) -> None:
    class Spent(ListTeacher):
        async def complete(self, request: Any, afford: Any = None) -> Any:
            if len(self.asked) >= 5:
                raise BudgetReached("The budget is spent.")
            return await super().complete(request, afford)

    rows = [{"prompt": f"Ana: The rope, number {at}?\n", "completion": f"Aye.{TEMPLATE.eos}", "asked": ""} for at in range(8)]
    start = tmp_path / "start"
    train_sft(night.base, rows, night.config, start, lambda *_: None)
    teacher = Spent(*["It does. VERDICT: 1"] * 5)
    night.seat, night.reinforce = seats(tmp_path, teacher), "judge"
    _, trained = reinforce(night, snapshot(tmp_path / "dataset", rows), start)
    assert trained is not None
    assert [line for line in told if "by rules alone" in line] == ["rewards: by rules alone from here on; The budget is spent."]


def test_an_answer_of_a_dataset_is_judged_by_what_was_asked_and_not_by_the_sheet(tmp_path: Path) -> None:
    row = RENDERER.row(heard(1, "x", turns=(Turn("Ana", "How is your brother?"),), completion="Well, thank you."), BRUG)
    rows = write_snapshot(tmp_path / "datasets", {"train": [row]}, {}).rows("sft", "train")
    teacher = ListTeacher("It does. VERDICT: 1")
    with rewarding(seats(tmp_path, teacher), {"answers": 1.0}, rows) as found:
        found["answers"]([Said(row.prompt, "He is well.", True)])
    assert "Player: How is your brother?\n" in teacher.asked[0].messages[1].content
