"""Playing at a table: who is there, what is said, what is stored, and what survives a fault."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.events import Heard, Line, Piece
from bot.table.table import MAX_TEXT, Seat, out_of_character
from characters.errors import SheetError
from characters.inference.errors import EngineError, WorkerFailed
from characters.library import SHIPPED
from characters.messages import Scene
from db.models import AdapterVersion, NightRequest, PlaySession, Presence, Take, TurnRow
from db.queries import adapters, lines
from db.values import StoredTurn, TakeMade
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import heard, rows, said, transcript, typed

BEN = Seat("Ben", "local:ben", "player")


# --- who is here -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [("brug", "brug"), ("Brug", "brug"), ("brug copperkettle", "brug"), ("  Captain Brannoc Thule ", "thule"), ("Brannoc", "thule")],
)
async def test_an_npc_comes_by_slug_first_name_or_full_name_and_has_the_word(open_table: OpenTable, name: str, slug: str) -> None:
    table = await open_table("A bargain!")
    sheet = await table.summon(name)
    assert (table.state.present, table.state.speaker) == (["mira", slug], slug)
    line = await said(table, "Good evening.")
    assert (line.npc, line.name) == (slug, sheet.name)


async def test_an_unknown_name_brings_nobody_and_says_who_may_be_meant(open_table: OpenTable) -> None:
    table = await open_table()
    with pytest.raises(SheetError, match="no NPC called 'brugg'; did you mean 'brug'"):
        await table.summon("Brugg")
    assert table.state.present == ["mira"]


async def test_whatever_is_typed_as_a_name_is_refused_in_one_sentence(open_table: OpenTable) -> None:
    table = await open_table()
    for name in ("", "../mira", "a/b", "mira\0", "x" * 5000, "💀"):
        with pytest.raises(SheetError, match="There is no NPC called"):
            await table.summon(name)


async def test_a_broken_sheet_keeps_nobody_else_away(open_table: OpenTable, home: Path) -> None:
    (home / "sheets").mkdir()
    (home / "sheets" / "aaron.yaml").write_text("name: [", "utf-8")
    table = await open_table()
    assert (await table.summon("Brannoc")).first_name == "Brannoc"
    with pytest.raises(SheetError, match=r"aaron\.yaml"):
        await table.summon("aaron")


async def test_summoning_twice_is_the_same_as_once(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("mira")
    assert table.state.present == ["mira"]
    assert [row.who for row in await rows(table, Presence) if row.kind == "npc"] == ["mira"]


async def test_whoever_comes_in_is_read_ahead(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=5)
    read = {request.cache_key: request.prompt for request in table.state.engine.ahead}
    assert len(read) == 2
    await said(table, "What do you sell?")
    [asked] = table.state.engine.history
    sheet = asked.prompt.split("<|end|>")[0]
    assert sheet.startswith("<|system|>You are Brug Copperkettle")
    assert read[asked.cache_key].startswith(sheet)


async def test_dismissing_the_speaker_gives_the_word_to_whoever_came_before(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    assert await table.dismiss() == "brug"
    assert (table.state.present, table.state.speaker) == (["mira"], "mira")
    gone = next(row for row in await rows(table, Presence) if row.who == "brug")
    assert gone.left_at == NOW


async def test_with_nobody_here_a_word_is_refused_and_a_talk_between_people_is_not(open_table: OpenTable) -> None:
    table = await open_table()
    await table.dismiss("mira")
    with pytest.raises(TableError, match="summon someone"):
        await heard(table.say("Anybody?"))
    assert [type(event) for event in await heard(table.say("// pizza is here"))] == [Heard]
    assert [row.text for row in await rows(table, TurnRow)] == ["// pizza is here"]


async def test_the_word_goes_to_whoever_it_is_switched_to(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    assert table.switch("mira") == "mira"
    assert (await said(table, "And you?")).npc == "mira"
    with pytest.raises(TableError, match=r"hedda is not here; .*/npc summon hedda"):
        table.switch("hedda")


@pytest.mark.parametrize(
    ("text", "npc"),
    [("Brug, hello!", "brug"), ("Well, Brug", "mira"), ("Brug sells ladles.", "mira"), ("Hedda, hello!", "mira"), ("Mira, where is Brug?", "mira")],
)
async def test_whoever_is_addressed_by_name_answers(open_table: OpenTable, text: str, npc: str) -> None:
    table = await open_table()
    await table.summon("brug")
    table.switch("mira")
    assert (await said(table, text)).npc == npc
    assert (await said(table, "Go on.")).npc == npc


@pytest.mark.parametrize(
    ("text", "npc"),
    [("Eel, hello!", "eel"), ("Hey there Eel, a word?", "eel"), ("Good evening Grandfather Eel, a word?", "eel"),
     ("The eel stew for me, please.", "mira"), ("Ask Eel about the flood, innkeeper.", "mira")],
)  # fmt: skip
async def test_a_name_that_is_a_word_calls_nobody_in_the_middle_of_a_clause(open_table: OpenTable, text: str, npc: str) -> None:
    table = await open_table()
    await table.summon("eel")
    table.switch("mira")
    assert (await said(table, text)).npc == npc


async def test_a_talk_between_people_does_not_give_anybody_the_word(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    table.switch("mira")
    await heard(table.say("(( Brug, that liar, is my favourite ))"))
    assert table.state.speaker == "mira"


# --- scene -----------------------------------------------------------------------------------


async def test_a_new_scene_keeps_whoever_is_here_and_forgets_what_was_said(open_table: OpenTable) -> None:
    table = await open_table("The ale is good.", "Dark in here.")
    await said(table, "How is the ale?")
    first = table.state.scene_id
    await typed(table, '/scene set place="the old cellar" mood=tense')
    assert table.state.scene_id != first
    assert table.state.present == ["mira"]
    await said(table, "Who is there?")
    read = table.state.engine.history[-1].prompt
    assert "Place: the old cellar. Mood: tense." in read
    assert "How is the ale?" not in read
    shown = await typed(table, "/scene show")
    assert shown.data["scene"] == {"place": "the old cellar", "reason": "", "mood": "tense", "familiarity": "", "date": ""}
    assert (shown.text, table.state.scene) == ("place: the old cellar, mood: tense", Scene("the old cellar", mood="tense"))


async def test_a_later_change_of_scene_keeps_the_fields_it_does_not_name(open_table: OpenTable) -> None:
    table = await open_table()
    await table.set_scene({"place": "the cellar", "mood": "calm"})
    assert await table.set_scene({"mood": "tense"}) == Scene(place="the cellar", mood="tense")


async def test_a_scene_that_is_not_understood_changes_nothing(open_table: OpenTable) -> None:
    table = await open_table()
    scene = table.state.scene_id
    for text in ("/scene set", "/scene set weather=rain", "/scene set place the mill", "/scene set place='the mill", "/scene ring"):
        with pytest.raises(TableError):
            await typed(table, text)
    assert (table.state.scene_id, table.state.scene) == (scene, Scene())


# --- saying and storing ----------------------------------------------------------------------


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
    prompt, part = await table.speaking.prompt("mira", before=line.line_id)
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


# --- another take, silence, the GM's voice ---------------------------------------------------


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


# --- evenings --------------------------------------------------------------------------------


async def test_stopping_ends_the_evening_and_the_next_line_belongs_to_a_new_one(open_table: OpenTable) -> None:
    table = await open_table("Evening.", "Morning.")
    await said(table, "Good evening.")
    first, scene = table.state.evening, table.state.scene_id
    await table.stop_session()
    await said(table, "Good morning.")
    evenings = {row.id: row.stopped_at for row in await rows(table, PlaySession)}
    assert evenings[first] == NOW
    assert evenings[table.state.evening] is None
    assert table.state.evening != first
    assert table.state.scene_id != scene
    assert "Good evening." not in table.state.engine.history[-1].prompt
    here = {row.who for row in await rows(table, Presence) if row.scene_id == table.state.scene_id}
    assert here == {"mira", table.state.person.key}
    assert await rows(table, NightRequest) == []


async def test_stopping_to_learn_asks_for_a_night(open_table: OpenTable) -> None:
    table = await open_table()
    assert (await typed(table, "/session stop learn")).data == {"learn": True}
    [night] = await rows(table, NightRequest)
    assert (night.campaign_id, night.npc, night.state, night.asked_at) == (table.state.campaign, None, "waiting", NOW)


async def test_a_table_that_is_opened_again_goes_on_where_it_stopped(open_table: OpenTable) -> None:
    before = await open_table("A bargain!")
    await before.summon("brug")
    await before.set_scene({"place": "the Long Bridge"})
    await before.dismiss("mira")
    await said(before, "What do you sell?")
    after = await open_table("Forty ladles.")
    for name in ("campaign", "evening", "scene_id", "scene", "present", "speaker", "person"):
        assert getattr(after.state, name) == getattr(before.state, name), name
    await said(after, "And how many?")
    assert await transcript(after) == ["What do you sell?", "A bargain!", "And how many?", "Forty ladles."]
    read = after.state.engine.history[0].prompt
    assert "A bargain!" in read
    assert "Place: the Long Bridge." in read


async def test_an_npc_whose_sheet_is_gone_is_not_here_any_more(open_table: OpenTable, home: Path) -> None:
    (home / "sheets").mkdir()
    own = home / "sheets" / "tobin.yaml"
    shutil.copy(SHIPPED / "sheets" / "brug.yaml", own)
    await (await open_table()).summon("tobin")
    own.unlink()
    again = await open_table()
    assert (again.state.present, again.state.speaker) == (["mira"], "mira")


async def test_a_take_that_a_killed_process_left_open_is_marked_at_the_next_opening(open_table: OpenTable) -> None:
    killed = await open_table()
    async with killed.state.store.session() as session:
        asked = await lines.add_turn(session, killed.state.scene_id, StoredTurn(0, "Ana", "How much?", None, "local"), NOW)
        slot = StoredTurn(0, "Mira Dunmore", "", "mira", "npc", asked)
        await lines.add_take(session, await lines.add_turn(session, killed.state.scene_id, slot, NOW), TakeMade(), NOW)
    again = await open_table("Four copper.")
    assert [take.state for take in await rows(again, Take)] == ["interrupted"]
    assert await transcript(again) == ["How much?"]
    assert (await said(again, "Hello?")).text == "Four copper."


async def test_campaigns_share_nothing(open_table: OpenTable) -> None:
    home = await open_table("At home.")
    line = await said(home, "Where are we?")
    away = await open_table(campaign="away", npc="mira")
    assert await transcript(away) == []
    for looking_back in (away.why(line.line_id), away.react("👍", line.line_id), away.edit("Mine now.", line.line_id)):
        with pytest.raises(TableError, match=f"no line {line.line_id} at this table"):
            await looking_back
    assert (await transcript(home))[-1] == "At home."


# --- what changes under a running table ------------------------------------------------------


async def test_a_promoted_adapter_speaks_the_next_line_until_it_is_rolled_back(open_table: OpenTable) -> None:
    table = await open_table("Bare.", "Trained.", "Bare again.")
    campaign = table.state.campaign
    async with table.state.store.session() as session:
        session.add(AdapterVersion(campaign_id=campaign, npc="mira", adapter="a1", path="/a1.gguf", base_id="b", state="candidate",
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
