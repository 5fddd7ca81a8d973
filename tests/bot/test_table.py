"""Playing at a table: what is said, what is stored, and what changes or breaks while it runs."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.events import Heard, Line, Piece
from bot.table.table import MAX_TEXT, out_of_character
from characters.errors import SheetError
from characters.inference.errors import EngineError, WorkerFailed
from characters.library import SHIPPED
from characters.messages import Turn
from db.models import AdapterVersion, Take, TurnRow
from db.queries import adapters
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import heard, rows, said, transcript, typed


async def test_a_line_is_stored_before_it_is_shown(open_table: OpenTable) -> None:
    table = await open_table("Four copper, and pay first.")
    seen = []
    async for event in table.say("What does the ale cost?"):
        turns, takes = await rows(table, TurnRow), await rows(table, Take)
        seen.append((type(event), [turn.text for turn in turns], [(take.state, take.text) for take in takes]))
    asked = "What does the ale cost?"
    assert seen[0] == (Heard, [asked], [])
    assert seen[1] == (Piece, [asked, ""], [("streaming", "")])
    assert seen[-1] == (Line, [asked, "Four copper, and pay first."], [("complete", "Four copper, and pay first.")])


async def test_everything_that_made_a_line_is_stored_with_it(open_table: OpenTable) -> None:
    table = await open_table("Four copper.")
    line = await said(table, "How much is the brown ale?")
    asked, answer = await rows(table, TurnRow)
    [take] = await rows(table, Take)
    [request] = table.state.engine.history
    assert (asked.source, asked.speaker, asked.participant_id) == ("local", "Ana", table.state.person.id)
    assert (answer.id, answer.npc, answer.source, answer.answers_id) == (line.line_id, "mira", "npc", asked.id)
    assert (answer.kept_take_id, take.number, take.origin, take.made_at) == (take.id, 1, "npc", NOW)
    prompt, part, _ = await table.speaking.prompt("mira", before=line.line_id)
    assert (prompt.text, prompt.hash, part.sheet.version) == (request.prompt, take.prompt_hash, take.sheet_version)
    capabilities = await table.state.engine.capabilities()
    assert (take.base_id, take.template_hash, take.adapter) == ("sha256-scripted", capabilities.template.hash, None)
    assert take.sampling["seed"] == request.sampling.seed
    assert take.sampling["max_tokens"] == 40
    assert {"key": "wares.brown ale", "text": "brown ale: 4 copper. Strong and cloudy.", "source": "sheet"} in take.at_hand
    assert (take.timings["tokens"], line.timings) == (2, take.timings)


async def test_pieces_join_to_exactly_the_line_that_is_stored(open_table: OpenTable) -> None:
    table = await open_table("  Four   copper, \n friend.  ")
    events = await heard(table.say("How much?"))
    assert "".join(event.text for event in events if isinstance(event, Piece)) == events[-1].text
    assert events[-1].text == (await transcript(table))[-1] == "Four   copper, \n friend."


@pytest.mark.parametrize("text", ["(( back in five ))", "// who brings pizza?", "  //hm"])
async def test_talk_between_people_is_kept_but_neither_answered_nor_read(open_table: OpenTable, text: str) -> None:
    table = await open_table()
    assert [type(event) for event in await heard(table.say(text))] == [Heard]
    assert table.state.engine.history == []
    await said(table, "Good evening.")
    assert text.strip() not in table.state.engine.history[0].prompt
    aside = (await rows(table, TurnRow))[0]
    assert (aside.out_of_character, aside.text) == (True, text.strip())


@pytest.mark.parametrize("text", ["/ /", "(hm)", "((a", "a ))", "http://x"])
def test_only_whole_asides_are_out_of_character(text: str) -> None:
    assert not out_of_character(text)


async def test_a_text_that_is_empty_or_too_long_is_refused_and_not_stored(open_table: OpenTable) -> None:
    table = await open_table()
    for text, sentence in (("", "nothing to say"), ("   \n", "nothing to say"), ("x" * (MAX_TEXT + 1), f"one turn holds {MAX_TEXT}")):
        with pytest.raises(TableError, match=sentence):
            await heard(table.say(text))
    assert await rows(table, TurnRow) == []


async def test_the_longest_text_that_fits_is_answered(open_table: OpenTable) -> None:
    table = await open_table("A mouthful.")
    assert (await said(table, "x" * MAX_TEXT)).text == "A mouthful."


async def test_after_an_engine_fault_the_players_words_stand_and_the_next_line_works(open_table: OpenTable) -> None:
    table = await open_table(WorkerFailed("The model process failed 3 times."), "Still four copper.")
    with pytest.raises(EngineError, match="failed 3 times"):
        await heard(table.say("How much is the ale?"))
    assert await transcript(table) == ["How much is the ale?"]
    assert [take.state for take in await rows(table, Take)] == ["failed"]
    await said(table, "I asked you something.")
    assert await transcript(table) == ["How much is the ale?", "I asked you something.", "Still four copper."]
    assert "Ana: How much is the ale?\nAna: I asked you something." in table.state.engine.history[-1].prompt


async def test_people_who_speak_at_once_are_answered_one_after_the_other(open_table: OpenTable) -> None:
    table = await open_table("One two three.", "Four five six.", pace=0.001)
    found = await asyncio.gather(*(heard(table.say(text)) for text in ("First?", "Second?")))
    assert sorted(events[-1].text for events in found) == ["Four five six.", "One two three."]
    for events in found:
        assert "".join(event.text for event in events if isinstance(event, Piece)) == events[-1].text


async def test_a_listener_who_leaves_in_mid_line_does_not_block_the_table(open_table: OpenTable) -> None:
    table = await open_table("A very long story about eels.", "Next, please.", pace=0.01)
    async for event in table.say("Tell me a story."):
        if isinstance(event, Piece):
            break
    assert (await asyncio.wait_for(said(table, "Hello?"), 5)).text == "Next, please."
    assert [take.state for take in await rows(table, Take)] != ["streaming", "complete"]


async def test_a_listener_who_is_cancelled_in_mid_line_does_not_block_the_table(open_table: OpenTable) -> None:
    table = await open_table("A very long story about eels.", "Next, please.", pace=0.05)
    begun = asyncio.Event()

    async def listen() -> None:
        async for event in table.say("Tell me a story."):
            if isinstance(event, Piece):
                begun.set()

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(begun.wait(), 5)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert [take.state for take in await rows(table, Take)] == ["failed"]
    assert (await asyncio.wait_for(said(table, "Hello?"), 5)).text == "Next, please."


async def test_a_promoted_adapter_speaks_the_next_line_until_it_is_rolled_back(open_table: OpenTable) -> None:
    table = await open_table("Bare.", "Trained.", "Bare again.")
    campaign = table.state.campaign
    async with table.state.store.session() as session:
        session.add(AdapterVersion(campaign_id=campaign, npc="mira", adapter="a1", path="/a1.gguf", base_id="sha256-scripted", state="candidate",
                                   report={}, made_at=NOW))  # fmt: skip
    spoken = []
    for active in (None, "a1", None):
        async with table.state.store.session() as session:
            await adapters.set_active(session, campaign, "mira", active, NOW)
        spoken.append((await said(table, "Well?")).adapter)
    assert spoken == [None, "a1", None]
    assert [request.adapter for request in table.state.engine.history] == spoken
    assert [take.adapter for take in await rows(table, Take)] == spoken
    assert table.state.engine.adapters == {"a1": Path("/a1.gguf")}


async def test_a_sheet_that_is_edited_is_followed_by_the_next_line(open_table: OpenTable, home: Path) -> None:
    table = await open_table("Four copper.", "Nine copper.")
    await said(table, "How much is the brown ale?")
    (home / "sheets").mkdir()
    text = (SHIPPED / "sheets" / "mira.yaml").read_text("utf-8")
    assert "price: 4 copper" in text
    (home / "sheets" / "mira.yaml").write_text(text.replace("price: 4 copper", "price: 9 copper"), "utf-8")
    await said(table, "How much is the brown ale now?")
    assert "[You know: brown ale: 9 copper." in table.state.engine.history[-1].prompt
    first, second = await rows(table, Take)
    assert first.sheet_version != second.sheet_version


async def test_a_broken_sheet_is_named_in_the_list_and_takes_nobody_else_off_it(open_table: OpenTable, home: Path) -> None:
    table = await open_table()
    (home / "sheets").mkdir()
    (home / "sheets" / "aldo.yaml").write_text("name: Aldo\nnmae: twice\n", "utf-8")
    listed = await typed(table, "/npc list")
    assert {"mira", "odo"} <= {npc["slug"] for npc in listed.data["npcs"]}
    [broken] = listed.data["broken"]
    assert (broken["slug"], "aldo.yaml" in broken["message"]) == ("aldo", True)
    assert listed.text.splitlines()[0].startswith("  aldo       (broken) aldo.yaml: ")


async def test_a_sheet_that_breaks_in_mid_evening_costs_one_line_and_says_where(open_table: OpenTable, home: Path) -> None:
    table = await open_table("Back again.")
    (home / "sheets").mkdir()
    own = home / "sheets" / "mira.yaml"
    own.write_text("name: Mira\nnmae: twice\n", "utf-8")
    with pytest.raises(SheetError, match=r"mira\.yaml"):
        await heard(table.say("Hello?"))
    own.unlink()
    await said(table, "Are you there?")
    assert await transcript(table) == ["Hello?", "Are you there?", "Back again."]


async def test_who_asks_while_another_is_answered_gets_an_answer_of_his_own(open_table: OpenTable) -> None:
    table = await open_table()
    ana, ben = [await table.hear(text) for text in ("Two brown ales, please.", "How much is a bath?")]
    first, _, _ = await table.speaking.prompt("mira", answers=ana.turn.id)
    assert "brown ale" in first.messages[-1].content
    assert "bath?" not in first.messages[-1].content
    await heard(table.speaking.answer("mira", ana.turn))
    second, _, _ = await table.speaking.prompt("mira", answers=ben.turn.id)
    assert [message.role for message in second.messages[-3:]] == ["user", "assistant", "user"]
    assert "How much is a bath?" in second.messages[-1].content
    assert [fact.key for fact in second.at_hand] == ["wares.bath"]
    line = (await heard(table.speaking.answer("mira", ben.turn)))[-1]
    assert (await transcript(table))[2:] == ["How much is a bath?", line.text]
    bill, _, _ = await table.speaking.prompt("mira", also=(Turn("Ana", "What do we owe you?"),))
    assert bill.at_hand[0].text == "bill: 8 copper. For 2 brown ale."
