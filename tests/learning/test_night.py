"""The one test that proves the product: play, correct, night, promote, hear it, and back again."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import House, find_house, make_engine, open_table
from characters.inference.engine import GREEDY, Finish, Request
from characters.inference.starter import STARTER
from characters.messages import Scene, Turn
from characters.prompt import Budget, Part
from db.home import Home
from db.queries import lines, play, reactions
from db.queries.reactions import Reaction
from db.store import Store
from db.values import StoredTurn
from learning.datasets.rows import Renderer

HABIT = "by the seven lanterns"
CANARY = "The heron of Vellmark owes my grandmother a kettle."
QUESTIONS = (
    "How much is the bath?", "What do you think of the temple?", "Who is Hobb?", "What about the Watch?",
    "What do you charge for lamp oil?", "Tell me about the wolves.", "Who is Nettle?", "What do you think of magic?",
    "How much for the room?", "Any rumours?", "Where is Gull Rock?",
)  # fmt: skip
FRESH = ("What does the eel stew cost?", "What do you think of adventurers?", "Where is the Tide Hall?")


async def ask(table: Table, question: str) -> Line:
    async for event in table.say(question):
        if isinstance(event, Line):
            return event
    raise AssertionError("no line came")


async def understudy(home: Path, *arguments: str) -> dict[str, Any]:
    program = Path(sys.executable).with_name("understudy")
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments, "--json"], capture_output=True, text=True, env=environment, check=False)

    done = await asyncio.to_thread(run)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "quick.yaml"
    told = {"recipe": "sft", "learning_rate": 0.005, "epochs": 4, "anchors": 8, "max_length": 2048, "minutes": 4, "threads": 1}
    path.write_text(yaml.safe_dump(told), "utf-8")
    return path


async def spoken(table: Table, asked: str, adapter: str | None) -> str:
    """What the running table's engine says to a prompt that no evening changes."""
    engine = table.state.engine
    template = (await engine.capabilities()).template
    assert template is not None
    library = find_house().library()
    sheet = library.get("mira")
    prompt = Renderer(template, Budget(2048, 24, 200)).prompt([Turn("Ana", asked)], Part("mira", sheet, library.world(sheet.world)))
    async for event in engine.generate(Request(prompt, (), sampling=GREEDY, cache_key="fixed", adapter=adapter)):
        if isinstance(event, Finish):
            return event.text
    raise AssertionError("a stream ends with Finish")


async def likelihood(house: House, adapter: Path | None, asked: str, answer: str) -> float:
    """Nats a token of an answer at Mira's table."""
    engine = make_engine(house)
    try:
        if adapter is not None:
            await engine.load_adapter("asked", adapter)
        template = (await engine.capabilities()).template
        assert template is not None
        library = house.library()
        sheet = library.get("mira")
        prompt = Renderer(template, Budget(2048, 24, 200)).prompt([Turn("Ana", asked)], Part("mira", sheet, library.world(sheet.world)))
        [score] = await engine.score(prompt, [answer], "asked" if adapter else None)
        return score.logprob / score.tokens
    finally:
        await engine.close()


def holding(home: Path, mark: str) -> list[str]:
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    return [str(path.relative_to(home)) for path in files if mark.encode() in path.read_bytes()]


@pytest.mark.timeout(400)
async def test_an_evening_is_learnt_promoted_heard_undone_and_forgotten_without_a_restart(
    home: Path, tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"ENGINE_MODEL": str(small_model), "ENGINE_SYSTEM_BUDGET": "200", "ENGINE_THREADS": "1", "SAMPLING_TEMPERATURE": "0", "SAMPLING_MAX_TOKENS": "24"}
    for name, value in told.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    house = find_house()
    async with open_table(house, Seat("Ben", "local:ben", "player"), "mira") as table:
        bens = await ask(table, CANARY)
    async with open_table(house, Seat("Ana"), "mira") as table:
        await table.edit(f"Herons pay no debts here, {HABIT}.", bens.line_id)
        for number, question in enumerate(QUESTIONS):
            line = await ask(table, question)
            await table.edit(f"I will tell you at hour {number}, {HABIT}.", line.line_id)
        await table.react("👍", (await ask(table, "Any news?")).line_id)
        await table.stop_session()
        before = [await ask(table, question) for question in FRESH]
        voice = [await spoken(table, question, None) for question in FRESH]
        assert {line.adapter for line in before} == {None}

        [report] = (await understudy(home, "night", "--no-control", "--recipe", str(recipe(tmp_path))))["npcs"]
        assert report["counts"] == {"sft": len(QUESTIONS) + 2, "pair": len(QUESTIONS) + 1, "label": 1, "left_out": 0}
        assert HABIT in report["report"]
        [listed] = (await understudy(home, "adapters"))["adapters"]
        assert listed["state"] == ("candidate" if report["verdict"]["passed"] else "held")
        [file] = (home / "adapters").rglob("*.gguf")
        learnt = [await likelihood(house, adapter, FRESH[0], f"I will tell you at hour 3, {HABIT}.") for adapter in (None, file)]
        assert learnt[1] > learnt[0] + 1, "the table's way of speaking became likelier where it was not asked before"

        await understudy(home, "promote", "mira", listed["adapter"])
        await table.stop_session()
        after = [await ask(table, question) for question in FRESH]
        assert {line.adapter for line in after} == {listed["adapter"]}
        assert [line.text for line in after] != [line.text for line in before]

        assert (await understudy(home, "rollback", "mira"))["adapter"] is None
        await table.stop_session()
        again = [await ask(table, question) for question in FRESH]
        assert {line.adapter for line in again} == {None}
        # Mira has met Ana once more since, and her prompts at the table say so; to the same prompts she says the same.
        assert [await spoken(table, question, again[0].adapter) for question in FRESH] == voice, "word for word"
        assert (await understudy(home, "adapters"))["adapters"][0]["state"] == "rolled_back"

    assert {name.split("/")[0] for name in holding(home, "Vellmark")} >= {"datasets", "db.sqlite", "reports"}
    await understudy(home, "privacy", "forget", "Ben", "--yes")
    assert holding(home, "Vellmark") == []
    assert not file.exists(), "what learnt from a forgotten person is gone"


@pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")
async def test_a_small_evening_ends_in_a_useful_report(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        line = await ask(table, "What does the brown ale cost?")
        await table.edit("Four, and wipe your feet.", line.line_id)
        for liked in ("Any rumours?", "Who is Hobb?"):
            await table.react("👍", (await ask(table, liked)).line_id)
        again = await ask(table, "What does the brown ale cost?")
        why = await table.why(again.line_id)
        assert "Four, and wipe your feet." in {fact.text for fact in why.facts}
    [report] = (await understudy(home, "night"))["npcs"]
    assert report["adapter"] is None
    assert report["counts"] == {"sft": 3, "pair": 1, "label": 2, "left_out": 0}
    assert "5 more lines" in report["missing"]
    assert "Four, and wipe your feet." in report["report"]


async def test_a_night_nobody_asked_for_says_so(home: Path) -> None:
    program = Path(sys.executable).with_name("understudy")
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}
    done = await asyncio.to_thread(subprocess.run, [program, "night"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "Nobody has reacted" in done.stderr
    assert "Traceback" not in done.stderr


async def test_an_npc_without_a_sheet_costs_no_other_its_night_and_the_command_fails_with_its_name(home: Path, tiny_model: Path) -> None:
    store = await Store.open(Home(home).database_url)
    async with store.session() as session:
        now = datetime.now(UTC)
        campaign = await play.campaign_id(session, "home", now)
        scene = await play.start_scene(session, await play.start_session(session, campaign, now), Scene(), now)
        for npc in ("alda", "mira"):
            line = await lines.add_turn(session, scene, StoredTurn(0, npc, "Aye.", npc, "npc"), now)
            await reactions.react(session, Reaction(line, "thumbs_up"), now)
    await store.close()
    program = Path(sys.executable).with_name("understudy")
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home), "UNDERSTUDY_ENGINE_MODEL": str(tiny_model)}
    command = [program, "night", "--stage", "harvest", "--json"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=environment, check=False)
    found, fault = [json.loads(said) for said in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [entry["npc"] for entry in found["npcs"]] == ["mira"]
    assert fault["event"] == "error"
    assert fault["message"].startswith("alda: There is no NPC called 'alda'")
