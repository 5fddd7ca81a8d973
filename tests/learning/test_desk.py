"""What a person decides at the review desk is what the night does, and no more than consent allows."""

from pathlib import Path

import pytest

from bot.table.events import Line
from bot.table.reviewing import Desk, Entry
from bot.table.state import Hand
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from db.provenance import Policy
from db.tonight import ACCEPTED, REJECTED
from learning.harvest import counts
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
