"""The morning report tells the series of nights, and sounds the alarm where it drifts."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from characters.inference.llama_cpp_engine import file_id
from db.home import Home
from db.queries import adapters, play
from db.queries.adapters import Version
from db.store import Store
from learning.gate import GateVerdict
from learning.nightly import Outcome
from learning.nightly.series import perplexity_of, series
from learning.nightly.values import Point
from learning.recipes.run import Evaluation, Trained
from learning.recipes.series import alarm
from learning.report import as_json, markdown
from tests.fakes.tiny_lora import write_random_adapter

NOW = datetime(2026, 5, 6, 4, 0, tzinfo=UTC)


def outcome(*values: float | None) -> Outcome:
    points = tuple(Point(f"2026-05-0{day}T04:00:00+00:00", f"mira-{day}", value) for day, value in enumerate(values, 1))
    counts = {"sft": 9, "pair": 0, "label": 0, "left_out": 0}
    return Outcome("mira", counts, (), "nothing", f"mira-{len(values)}", verdict=GateVerdict(True, "not worse anywhere", ()),
                   nights=points, alarm=alarm(values))  # fmt: skip


def test_the_nights_stand_in_a_row_and_one_that_had_nothing_to_validate_on_is_left_out() -> None:
    text = markdown(outcome(12.345, None, 11.9), "Mira")
    assert "night by night: 12.3 (2026-05-01), 11.9 (2026-05-03)." in text
    assert "look at what was learnt" not in text


def test_a_night_far_above_the_others_is_told_in_bold_and_in_json() -> None:
    drifted = outcome(10.0, 11.0, 10.5, 16.0)
    assert "**Validation perplexity is 16, 1.5 times that of the last 3 nights (10.5)" in markdown(drifted, "Mira")
    found = json.loads(json.dumps(as_json(drifted)))
    assert found["alarm"].startswith("Validation perplexity is 16")
    assert [point["perplexity"] for point in found["perplexity"]] == [10.0, 11.0, 10.5, 16.0]


def test_the_first_night_is_no_series() -> None:
    assert "night by night" not in markdown(outcome(12.0), "Mira")


def test_a_training_that_ran_out_of_time_says_so_and_what_to_do() -> None:
    cut = Trained(Path("runs/one"), (2.0, 1.0), 40, 0, 240.0, stopped="time")
    assert "time box ended before all passes" in markdown(replace(outcome(12.0), trained=cut), "Mira")
    assert "time box" not in markdown(replace(outcome(12.0), trained=replace(cut, stopped="")), "Mira")


def night(home: Path, base: Path, store: Store | None = None, campaign: int = 1) -> Any:
    return SimpleNamespace(home=Home(home), base=base, store=store, campaign=campaign, npc="mira", now=NOW)


def test_perplexity_is_read_from_the_training_or_from_what_an_earlier_attempt_wrote(
    home: Path, tiny_model: Path, tmp_path: Path
) -> None:
    evaluations = (Evaluation(0, 3.0), Evaluation(4, 1.0), Evaluation(8, 2.0))
    trained = Trained(tmp_path, (), 9, 0, 1.0, evaluations=evaluations)
    adapter = write_random_adapter(tmp_path / "one.gguf")
    assert perplexity_of(night(home, tiny_model), adapter, trained) == pytest.approx(2.71828, abs=1e-4)
    assert perplexity_of(night(home, tiny_model), adapter, Trained(tmp_path, (), 9, 0, 1.0)) is None
    assert perplexity_of(night(home, tiny_model), adapter, None) is None, "it names no dataset"
    adapter = write_random_adapter(tmp_path / "one.gguf", dataset="dataset-1")
    folder = Home(home).folder("runs/run-1")
    told = [{"step": 0, "validation_perplexity": 1.0}, {"step": 1, "loss": 3.0}, {"step": 4, "validation_perplexity": 7.5}]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, told)), "utf-8")
    assert perplexity_of(night(home, tiny_model), adapter, None) is None, "nobody knows what that run learnt from"
    (folder / "dataset.json").write_text('{"dataset": "dataset-1"}', "utf-8")
    assert perplexity_of(night(home, tiny_model), adapter, None) == 7.5


def test_the_series_is_one_npcs_on_one_base_and_tonight_stands_once(home: Path, tiny_model: Path, migrated: Path) -> None:
    async def told() -> tuple[Point, ...]:
        home.mkdir()
        (home / "db.sqlite").write_bytes(migrated.read_bytes())
        store = await Store.open(Home(home).database_url)
        async with store.session() as session:
            campaign = await play.campaign_id(session, "home", NOW)
            for adapter, npc, base, value in (("m-1", "mira", file_id(tiny_model), 9.0), ("m-2", "mira", "other", 5.0),
                                              ("o-1", "odo", file_id(tiny_model), 7.0), ("m-3", "mira", file_id(tiny_model), 8.0)):  # fmt: skip
                await adapters.add_version(session, campaign, Version(adapter, npc, "", base, "held", {"perplexity": value}, NOW))
        found = await series(night(home, tiny_model, store, campaign), "m-3", 8.0)
        await store.close()
        return found

    points = asyncio.run(told())
    assert [(point.adapter, point.perplexity) for point in points] == [("m-1", 9.0), ("m-3", 8.0)]
