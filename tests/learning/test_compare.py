"""Two voices side by side: heard blind, in an order that is drawn, and every vote once; or an evening spoken again."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from characters.inference.llama_cpp_engine import file_id
from characters.messages import Scene
from db.home import Home
from db.provenance import Policy
from db.queries import adapters, harvest, lines, play
from db.queries.adapters import Version
from db.store import Store
from db.values import StoredTurn, TakeMade
from learning.commands.adapters import list_adapters
from learning.commands.compare import compare
from learning.commands.replay import replay
from learning.gate import Measure
from learning.gate.measures import conclude
from learning.harvest import Candidate
from learning.harvest import harvest as to_candidates
from tests.fakes.tiny_lora import write_random_adapter
from tests.fakes.tiny_model import write_tiny_model

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
QUESTIONS = ("What does the ale cost?", "Who is Hobb?", "Any rumours?", "What does the ale cost?")


@pytest.fixture
def played(home: Path, tiny_model: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An evening of questions, and a candidate that was trained on the first of them."""
    house = Home(home)
    house.folder("")
    (home / "db.sqlite").write_bytes(migrated.read_bytes())
    for name, value in (("MODEL", str(tiny_model)), ("THREADS", "1"), ("EXTRA_BUFFERS", "false")):
        monkeypatch.setenv(f"UNDERSTUDY_ENGINE_{name}", value)
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_MAX_TOKENS", "8")
    asyncio.run(_play(house, tiny_model))
    return house


async def _play(house: Home, model: Path) -> None:
    store = await Store.open(house.database_url)
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        evening = await play.start_session(session, campaign, NOW)
        scene = await play.start_scene(session, evening, Scene(), NOW)
        ana = await play.person(session, campaign, "local:ana", "Ana", "player")
        spoken = []
        for question in QUESTIONS:
            said = StoredTurn(0, "Ana", question, None, "local")
            asked = await lines.add_turn(session, scene, said, NOW, participant=ana.id)
            line = await lines.add_turn(session, scene, StoredTurn(0, "Mira Dunmore", "", "mira", "npc", asked), NOW)
            take = await lines.add_take(session, line, TakeMade(), NOW, text="Hm.", state="complete")
            await lines.keep_take(session, line, take)
            spoken.append(line)
        file = write_random_adapter(house.folder(f"adapters/{campaign}/mira") / "mira-1.gguf")
        better = conclude([Measure("log-probability", -1.0, -2.0, 40, target=True)])
        report = {**better.as_json(), "dataset": "dataset-0000000000000001"}
        version = Version("mira-1", "mira", str(file), file_id(model), "candidate", report, NOW)
        await adapters.add_version(session, campaign, version)
    await store.close()
    folder = house.folder("datasets/dataset-0000000000000001/sft")
    (folder / "train.jsonl").write_text(json.dumps({"line": spoken[0]}) + "\n", "utf-8")
    (folder.parent / "manifest.json").write_text(json.dumps({"npc": "mira", "hash": folder.parent.name}), "utf-8")


def run(*arguments: str, votes: str = "") -> Result:
    return CliRunner().invoke(compare, ["mira", *arguments], input=votes)


def events(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def pairs(house: Home) -> list[Candidate]:
    async def heard() -> list[Candidate]:
        store = await Store.open(house.database_url)
        async with store.session() as session:
            found = await harvest.heard_lines(session, 1, "mira")
        await store.close()
        return to_candidates(found, Policy())

    return asyncio.run(heard())


def test_votes_for_what_was_heard_first_are_counted_for_whoever_spoke_first(played: Home) -> None:
    *asked, result = events(run("--json", "--seed", "5", votes="1\n1\n1\n"))
    assert [event["asked"] for event in asked] == list(QUESTIONS[1:]), "not the one it was trained on"
    assert all("mira-1" not in json.dumps(event) for event in asked), "nobody is told who is who"
    assert (result["voices"], result["asked"], result["seen"]) == (["mira-1", "base"], 3, False)
    assert sum(result["votes"]) == 3
    found = pairs(played)
    assert [(c.kind, c.signal, c.trainable) for c in found] == [("pair", "vote", True)] * 3
    assert [(c.completion, c.rejected) for c in found] == [(event["first"], event["second"]) for event in asked]


def test_the_order_is_drawn_by_the_seed(played: Home) -> None:
    one, again, other = [events(run("--json", "--seed", seed))[0] for seed in ("1", "1", "2")]
    assert (one["first"], one["second"]) == (again["first"], again["second"]) == (other["second"], other["first"])


def test_the_end_of_the_input_ends_it_and_what_was_voted_stays_and_is_not_asked_again(played: Home) -> None:
    *asked, result = events(run("--json", votes="0\nperhaps\n2\n"))
    assert [event["event"] for event in asked] == ["question", "question", "error", "question"]
    assert (result["asked"], result["equal"], sum(result["votes"])) == (2, 1, 1)
    *asked, result = events(run("--json", votes="1\n1\n1\n"))
    assert [event["asked"] for event in asked] == [QUESTIONS[3]]
    assert (result["asked"], result["n"], result["left"]) == (1, 2, 0)
    assert result["verdict"] == {"adapter": "mira-1", "passed": True, "reason": result["verdict"]["reason"]}


def test_a_person_votes_at_the_prompt_and_the_list_of_adapters_shows_it(played: Home) -> None:
    done = run("--count", "2", votes="9\n1\nq\n")
    assert done.exit_code == 0, done.output
    assert "1/2  Who is Hobb?" in done.stdout
    assert "1 votes now" in done.stdout
    [row] = json.loads(CliRunner().invoke(list_adapters, ["--json"]).stdout)["adapters"]
    assert row["votes"] in {"blind votes: 1 of 1 for it", "blind votes: 0 of 1 for it"}
    assert row["state"] == "candidate", "one vote informs"


def test_a_voice_nobody_trained_is_refused_in_a_sentence(played: Home) -> None:
    assert "There is no adapter 'mira-9'" in str(run("--adapter", "mira-9").exception)
    assert run("--adapter", "base", "--adapter", "base").exit_code == 2


def test_an_evening_is_spoken_again_with_both_voices_and_what_differs_is_shown(played: Home) -> None:
    done = CliRunner().invoke(replay, ["last", "--adapter", "base", "--adapter", "mira-1", "--json"])
    rows = json.loads(done.stdout)["lines"]
    assert [(row["asked"], row["heard"]) for row in rows] == [(question, "Hm.") for question in QUESTIONS]
    assert all(set(row["said"]) == {"base", "mira-1"} for row in rows)
    assert any(row["said"]["base"] != row["said"]["mira-1"] for row in rows)
    refused = CliRunner().invoke(replay, ["last", "--adapter", "mira-9"])
    assert "There is no adapter 'mira-9'" in str(refused.exception)


def test_a_voice_of_another_base_model_is_refused_in_a_sentence(played: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(write_tiny_model(tmp_path / "other.gguf", seed=2)))
    assert "mira-1 was trained on another base model" in str(run("--json").exception)
