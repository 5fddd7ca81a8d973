"""The one test that proves the product: play, correct, night, promote, hear it, and back again."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.inference.starter import STARTER

pytestmark = [pytest.mark.timeout(600), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

HABIT = "by the seven lanterns"
QUESTIONS = (
    "What does the brown ale cost?", "How much is the bath?", "What do you think of the temple?", "Who is Hobb?",
    "What about the Watch?", "What do you charge for lamp oil?", "Tell me about the wolves.", "Who is Nettle?",
    "What do you think of magic?", "How much for the room?", "Any rumours?", "Where is Gull Rock?",
)  # fmt: skip
FRESH = ("What does the eel stew cost?", "What do you think of adventurers?", "Where is the Tide Hall?", "Who is Mother Ysolde?",
         "What do you think of the guild?", "How much is the salt brandy?")  # fmt: skip


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
    path.write_text(yaml.safe_dump({"recipe": "sft", "learning_rate": 0.003, "epochs": 4, "anchors": 20, "minutes": 4}), "utf-8")
    return path


@pytest.mark.prove  # four minutes with the starter, and word for word after a rollback is not so yet: see the changelog
async def test_an_evening_is_learnt_promoted_heard_and_undone_without_a_restart(home: Path, tmp_path: Path) -> None:
    greedy = {"sampling.temperature": 0.0}
    async with open_table(find_house(greedy), Seat("Ana"), "mira") as table:
        for question in QUESTIONS:
            line = await ask(table, question)
            await table.edit(f"{line.text.rstrip('.!? ')}, {HABIT}.", line.line_id)
        await table.stop_session()
        before = [await ask(table, question) for question in FRESH]
        assert {line.adapter for line in before} == {None}

        [report] = (await understudy(home, "night", "--no-control", "--recipe", str(recipe(tmp_path))))["npcs"]
        assert report["counts"]["sft"] == len(QUESTIONS)
        # How far the gate comes depends on how many passes this machine has time for; that it judged does not.
        changed = report["verdict"]["measures"][0]
        assert changed["candidate"] == 1.0, "the adapter changes what is said"
        assert HABIT in report["report"]
        [listed] = (await understudy(home, "adapters"))["adapters"]
        assert listed["state"] == ("candidate" if report["verdict"]["passed"] else "held")

        await understudy(home, "promote", "mira", listed["adapter"])
        await table.stop_session()
        after = [await ask(table, question) for question in FRESH]
        assert {line.adapter for line in after} == {listed["adapter"]}
        # How much of the taste is heard in free speech is measured by `make prove`, with n and a control.
        assert [line.text for line in after] != [line.text for line in before]

        assert (await understudy(home, "rollback", "mira"))["adapter"] is None
        await table.stop_session()
        again = [await ask(table, question) for question in FRESH]
        assert [line.text for line in again] == [line.text for line in before]
        assert (await understudy(home, "adapters"))["adapters"][0]["state"] == "rolled_back"


async def test_a_small_evening_ends_in_a_useful_report(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        line = await ask(table, "What does the brown ale cost?")
        await table.edit("Four, and wipe your feet.", line.line_id)
        await table.react("👍", (await ask(table, "Any rumours?")).line_id)
        again = await ask(table, "What does the brown ale cost?")
        why = await table.why(again.line_id)
        assert "Four, and wipe your feet." in {fact.text for fact in why.facts}
    [report] = (await understudy(home, "night"))["npcs"]
    assert report["adapter"] is None
    assert report["counts"] == {"sft": 2, "pair": 1, "label": 1, "left_out": 0}
    assert "6 more lines" in report["missing"]
    assert "Four, and wipe your feet." in report["report"]


async def test_a_night_nobody_asked_for_says_so(home: Path) -> None:
    program = Path(sys.executable).with_name("understudy")
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}
    done = await asyncio.to_thread(subprocess.run, [program, "night"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert "Nobody has reacted" in done.stderr
    assert "Traceback" not in done.stderr
