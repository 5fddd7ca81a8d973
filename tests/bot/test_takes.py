"""Another take, a hush in mid line, and the GM's own voice."""


import asyncio

import pytest

from bot.errors import TableError
from bot.table.events import Line, Piece
from bot.table.speaking import _Shown
from bot.table.table import Seat
from characters.inference.engine import Capabilities
from characters.inference.errors import EngineError, WorkerFailed
from db.models import Take, TurnRow
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import heard, rows, said, transcript

BEN = Seat("Ben", "local:ben", "player")


async def test_another_take_answers_the_same_prompt_and_either_can_be_kept(open_table: OpenTable) -> None:
    table = await open_table("Four copper.", "Four, and not a chip less.")
    first = await said(table, "How much is the ale?")
    second = (await heard(table.another_take()))[-1]
    assert (second.line_id, second.take, second.text) == (first.line_id, 2, "Four, and not a chip less.")
    assert await transcript(table) == ["How much is the ale?", "Four, and not a chip less."]
    one, two = table.state.engine.history
    assert one.prompt == two.prompt
    assert one.sampling.seed != two.sampling.seed
    kept = await table.keep(1)
    assert (kept.text, kept.take) == ("Four copper.", 1)
    assert await transcript(table) == ["How much is the ale?", "Four copper."]


async def test_a_take_that_does_not_exist_is_refused_with_those_that_do(open_table: OpenTable) -> None:
    table = await open_table("One.", "Two.")
    line = await said(table, "Well?")
    await heard(table.another_take())
    with pytest.raises(TableError, match=f"Line {line.line_id} has no take 3; it has 1, 2"):
        await table.keep(3)


async def test_when_another_take_fails_the_line_stays_as_it_was(open_table: OpenTable) -> None:
    table = await open_table("Four copper.", WorkerFailed("It died."))
    line = await said(table, "How much is the ale?")
    with pytest.raises(EngineError):
        await heard(table.another_take(line.line_id))
    assert (await transcript(table))[-1] == "Four copper."


async def test_a_line_that_failed_can_be_asked_for_again_by_its_number(open_table: OpenTable) -> None:
    table = await open_table(WorkerFailed("It died."), "Four copper.")
    with pytest.raises(EngineError):
        await heard(table.say("How much is the ale?"))
    failed = (await rows(table, TurnRow))[-1].id
    assert (await heard(table.another_take(failed)))[-1].text == "Four copper."
    assert await transcript(table) == ["How much is the ale?", "Four copper."]


async def test_what_the_gm_wants_of_a_line_waits_for_the_next_try_when_the_line_fails(open_table: OpenTable) -> None:
    table = await open_table(WorkerFailed("It died."), "Four.", "Four, I said.")
    table.backstage.direct("mira", "weary")
    table.state.loosened["mira"] = {"secret.1"}
    with pytest.raises(EngineError):
        await said(table, "How much is the ale?")
    for text in ("Well?", "And now?"):
        await said(table, text)
    assert ["weary" in request.messages[-1].content for request in table.state.engine.history] == [True, True, False]
    assert (table.state.directions, table.state.loosened["mira"]) == ({}, set())


async def test_what_the_gm_asks_for_while_a_line_is_spoken_is_for_the_next_one(open_table: OpenTable) -> None:
    table = await open_table("Four copper.", "Five copper.")
    table.backstage.direct("mira", "weary")
    async for event in table.say("How much is the ale?"):
        if isinstance(event, Piece):
            table.backstage.direct("mira", "merry")
            table.state.loosened["mira"] = {"secret.2"}
    assert (table.state.directions, table.state.loosened["mira"]) == ({"mira": "merry"}, {"secret.2"})
    await said(table, "Well?")
    first, second = (request.messages[-1].content for request in table.state.engine.history)
    assert "weary" in first
    assert "merry" in second
    assert "weary" not in second


async def test_another_take_is_refused_where_the_question_is_not_in_the_scene(open_table: OpenTable) -> None:
    table = await open_table("Four copper.")
    line = await said(table, "How much is the ale?")
    spoken = await table.speak_as("Welcome!")
    await table.set_scene({"place": "the cellar"})
    with pytest.raises(TableError, match="earlier scene"):
        await heard(table.another_take(line.line_id))
    alone = await table.speak_as("It is dark.")
    for number in (spoken.line_id, alone.line_id):
        with pytest.raises(TableError, match="answers nothing"):
            await heard(table.another_take(number))


async def test_a_hush_in_mid_line_stores_what_was_heard_as_a_cut_line(open_table: OpenTable) -> None:
    table = await open_table("Once upon a time there was a very long story about eels.", "Yes?", pace=0.02)
    pieces = []
    async for event in table.say("Tell me a story."):
        if isinstance(event, Piece):
            pieces.append(event.text)
            if len(pieces) == 3:
                table.hush()
    assert isinstance(event, Line)
    assert event.cut
    assert event.text == "".join(pieces)
    assert len(event.text.split()) < 6
    assert [(take.state, take.text) for take in await rows(table, Take)] == [("cut", event.text)]
    assert (await transcript(table))[-1] == event.text
    assert not (await said(table, "Thank you.")).cut


async def test_a_hush_while_nobody_speaks_cuts_no_later_line(open_table: OpenTable) -> None:
    table = await open_table("A whole line, please.")
    table.hush()
    assert (await said(table, "Well?")).text == "A whole line, please."


async def test_a_hush_while_the_line_is_still_being_prepared_cuts_it(open_table: OpenTable) -> None:
    table = await open_table("A whole line, please.")
    engine, ready = table.state.engine, asyncio.Event()
    answers = engine.capabilities

    async def slow() -> Capabilities:
        await ready.wait()
        return await answers()

    engine.capabilities = slow  # type: ignore[method-assign]
    speaking = asyncio.create_task(said(table, "Well?"))
    await asyncio.sleep(0.1)
    table.hush()
    ready.set()
    cut = await speaking
    assert (cut.cut, cut.text) == (True, "")
    assert engine.history == [], "the model was not even asked"  # type: ignore[attr-defined]
    assert (await said(table, "Well?")).text == "A whole line, please."


async def test_the_gm_speaks_as_the_npc_and_it_stands_as_the_npcs_line(open_table: OpenTable) -> None:
    table = await open_table("As I said.")
    await heard(table.say("// she is thinking"))
    line = await table.speak_as("  Boots off!  ")
    assert (line.npc, line.name, line.text) == ("mira", "Mira Dunmore", "Boots off!")
    [take] = await rows(table, Take)
    assert (take.state, take.origin, take.text) == ("complete", "gm", "Boots off!")
    await said(table, "What did you say?")
    assert "<|assistant|>Boots off!<|end|>" in table.state.engine.history[-1].prompt
    with pytest.raises(TableError, match="Say what the NPC says"):
        await table.speak_as("  ")


async def test_a_player_cannot_speak_as_the_npc(open_table: OpenTable) -> None:
    table = await open_table(seat=BEN)
    with pytest.raises(TableError, match="Only the GM"):
        await table.speak_as("I give everything away!")
    assert await rows(table, TurnRow) == []


def test_a_line_that_ended_in_a_loop_is_not_shown_a_second_time_for_being_shorter() -> None:
    shown = _Shown()
    assert shown.more("Rope at 9 copper and twine at 16 copper and twine") == shown.text
    assert shown.rest("Rope at 9 copper and twine at 16 copper.") == ""
    assert shown.text == "Rope at 9 copper and twine at 16 copper."
    fresh = _Shown()
    fresh.more("Rope at 9")
    assert fresh.rest("Rope at 9 copper.") == " copper."
