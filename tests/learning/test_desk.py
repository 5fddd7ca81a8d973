"""What a person decides at the review desk is what the night does, and no more than consent allows."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.table.events import Line
from bot.table.reviewing import Desk, Entry
from bot.table.state import Hand
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.library import Library
from characters.prompt import Part
from db.provenance import Policy
from db.tonight import ACCEPTED, REJECTED
from learning.commands.dataset import dataset
from learning.commands.teach_judge import judge
from learning.harvest import counts
from learning.nightly.datasets import exam_items
from learning.nightly.run import run
from learning.nightly.values import Night, Outcome
from learning.recipes.config import SHIPPED, load_config


async def said(table: Table, question: str) -> int:
    lines = [event.line_id async for event in table.say(question) if isinstance(event, Line)]
    return lines[-1]


async def harvested(table: Table) -> Outcome:
    """Tonight's first stage, as the night itself plays it."""
    state, config = table.state, load_config(SHIPPED / "sft_starter.yaml")
    return await run(Night(
        state.store, state.engine, state.library, find_house().home, Path("base.gguf"), state.campaign, "mira", config, Policy(),
        state.clock(), lambda _: None, state.clock, until="harvest"))  # fmt: skip


def about(desk: Desk, words: str) -> Entry:
    return next(entry for entry in desk.entries.values() if words in entry.text)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_MAX_TOKENS", "8")


async def test_the_night_leaves_out_what_the_desk_rejected_and_takes_what_it_did_not(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        for text in ("Four copper, and wipe your feet.", "Herons are bad luck."):
            await table.edit(text, await said(table, "How much is the ale?"))
        desk = Desk(table, Policy())
        assert await desk.refresh()
        await desk.decide(about(desk, "Herons").key, REJECTED)
        await desk.decide(about(desk, "Four copper").key, ACCEPTED)
        outcome = await harvested(table)
    assert counts(outcome.candidates)["sft"] == 1
    [left_out] = {c.reason for c in outcome.candidates if c.completion == "Herons are bad luck."}
    assert left_out == "rejected at the review desk"


async def test_a_decision_that_was_taken_back_is_not_obeyed(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        await table.edit("Herons are bad luck.", await said(table, "What of herons?"))
        desk = Desk(table, Policy())
        await desk.refresh()
        await desk.decide(about(desk, "Herons").key, REJECTED)
        await desk.undo()
        outcome = await harvested(table)
    assert counts(outcome.candidates)["sft"] == 1


async def test_nobody_at_the_desk_can_consent_for_a_player(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        me = table.state.hand
        heard = Hand(me.person, source="channel")
        lines = [e.line_id async for e in table.say("My uncle hides silver under the mill.", by=heard) if isinstance(e, Line)]
        await table.react("👍", lines[-1])
        desk = Desk(table, Policy())
        await desk.refresh()
        for key in list(desk.entries):
            await desk.decide(key, ACCEPTED)
        outcome = await harvested(table)
    assert outcome.candidates, "the row is there"
    assert not any(candidate.trainable for candidate in outcome.candidates)


async def understudy(command: Any, *arguments: str) -> Any:
    """A command's answer, in a thread, for it begins a loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, command, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def test_a_dataset_built_by_hand_leaves_out_what_a_night_leaves_out(home: Path) -> None:
    library = Library(None)
    mira = Part("mira", library.get("mira"), library.world("saltmere"))
    exams = next(item.question for item in exam_items(mira) if item.category == "grounding" and len(item.question.split()) > 6)
    told = {"How much is the ale?": "Four copper, and wipe your feet.", "What of herons?": "Herons are bad luck.", exams: "Ask me that sober.",
            "Who closed it?": library.get("thule").secrets[0].text}  # fmt: skip
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        for asked, text in told.items():
            await table.edit(text, await said(table, asked))
        desk = Desk(table, Policy())
        await desk.refresh()
        await desk.decide(about(desk, "Herons").key, REJECTED)
    [built] = (await understudy(dataset, "build", "--npc", "mira"))["datasets"]
    rows = "".join(path.read_text("utf-8") for path in (Path(built["folder"]) / "sft").glob("*.jsonl"))
    assert [text for text in told.values() if text in rows] == ["Four copper, and wipe your feet."]
    assert built["left_out"].keys() >= {
        "not trainable: rejected at the review desk", "tells what the NPC may not know", "too close to exam or held-out",
    }  # fmt: skip


async def test_a_judge_is_not_held_against_a_vote_that_was_rejected_at_the_desk(home: Path) -> None:
    async with open_table(find_house(), Seat("Ana"), "mira") as table:
        for asked in ("How much is the ale?", "What of herons?"):
            await said(table, asked)
            await table.react("👍")
        desk = Desk(table, Policy())
        await desk.refresh()
        before = await understudy(judge, "mira", "--dry-run")
        await desk.decide(next(iter(desk.entries)), REJECTED)
    after = await understudy(judge, "mira", "--dry-run")
    assert "2 votes" in before["summary"]
    assert "1 votes" in after["summary"]
