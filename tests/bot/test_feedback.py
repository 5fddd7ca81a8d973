"""Looking back at a line: reactions, corrections, undoing, explaining, and what each teaches at once."""

import pytest

from bot.errors import TableError
from bot.table.events import Line
from bot.table.outputs import Ack
from bot.table.table import Seat, Table
from characters.inference.errors import EngineError, WorkerFailed
from db.models import Feedback, StyleExampleRow, Take, TurnRow
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import heard, rows, said, transcript, typed

BEN = Seat("Ben", "local:ben", "player")
QUESTION = "What do you think of dragons?"


async def standing(table: Table) -> list[tuple[int, str, str, str]]:
    """The reactions that stand: line, kind, what was asked, what was said."""
    return [(row.turn_id, row.kind, row.asked, row.text) for row in await rows(table, Feedback) if row.withdrawn_at is None]


async def taught(table: Table) -> list[tuple[str, str, str]]:
    """What the NPC is taught now: kind, what was asked, the line."""
    return [(row.kind, row.asked, row.line) for row in await rows(table, StyleExampleRow) if row.active]


async def shown(table: Table) -> str | None:
    """Ask the question in a new scene; the earlier line of its own that the NPC is shown for it."""
    await table.set_scene({"place": "elsewhere"})
    line = await said(table, QUESTION)
    facts = (await table.why(line.line_id)).facts
    return next((fact.text for fact in facts if fact.source == "style"), None)


# --- reactions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("emoji", "kind"), [("👍", "thumbs_up"), ("+1", "thumbs_up"), ("👎", "thumbs_down"), ("✖", "safety_x"), ("✖\ufe0f", "safety_x"), ("❌", "safety_x")]
)
async def test_a_reaction_is_kept_with_what_was_asked_and_said(open_table: OpenTable, emoji: str, kind: str) -> None:
    table = await open_table("Dragons tip badly.")
    line = await said(table, QUESTION)
    acknowledged = await typed(table, f"/react {emoji}")
    assert acknowledged == Ack("react", f"{emoji} on line {line.line_id}.", {"line_id": line.line_id})
    assert await standing(table) == [(line.line_id, kind, QUESTION, "Dragons tip badly.")]
    [row] = await rows(table, Feedback)
    assert (row.participant_id, row.given_at) == (table.state.person.id, NOW)


async def test_a_reaction_reaches_the_line_it_names_and_else_the_newest(open_table: OpenTable) -> None:
    table = await open_table("One.", "Two.")
    first, second = await said(table, "First?"), await said(table, "Second?")
    await typed(table, f"/react 👎 {first.line_id}")
    await typed(table, "/react 👍")
    assert [(line, kind) for line, kind, _, _ in await standing(table)] == [(first.line_id, "thumbs_down"), (second.line_id, "thumbs_up")]


async def test_a_reaction_that_is_not_understood_is_refused(open_table: OpenTable) -> None:
    table = await open_table()
    await said(table, QUESTION)
    for text in ("/react", "/react 🍕", "/react good", "/react remove", "/react 👍 first"):
        with pytest.raises(TableError):
            await typed(table, text)
    assert await rows(table, Feedback) == []


async def test_a_vote_replaces_the_earlier_one_and_can_be_taken_back(open_table: OpenTable) -> None:
    table = await open_table()
    line = await said(table, QUESTION)
    await typed(table, "/react 👎")
    await typed(table, "/react 👍")
    assert [kind for _, kind, _, _ in await standing(table)] == ["thumbs_up"]
    await typed(table, f"/react remove 👍 {line.line_id}")
    assert await standing(table) == []
    assert await taught(table) == []


async def test_a_players_cross_takes_the_line_out_of_the_story_at_once(open_table: OpenTable) -> None:
    table = await open_table("Something vile.", "Forgive me.", seat=BEN)
    await said(table, QUESTION)
    await typed(table, "/react ✖")
    assert await transcript(table) == [QUESTION]
    await said(table, "Anew, please.")
    assert "Something vile." not in table.state.engine.history[-1].prompt


async def test_only_the_gm_decides_what_an_npc_is_shown_as_its_own(open_table: OpenTable) -> None:
    gm = await open_table("Dragons tip badly.")
    line = await said(gm, QUESTION)
    player = await open_table(seat=BEN)
    await player.react("👍", line.line_id)
    assert await taught(player) == []
    await gm.react("👍", line.line_id)
    await player.react("👎", line.line_id)
    await player.react("👎", line.line_id, remove=True)
    assert await taught(gm) == [("approved", QUESTION, "Dragons tip badly.")]


# --- corrections -----------------------------------------------------------------------------


async def test_an_edit_replaces_the_newest_line_and_keeps_what_was_said(open_table: OpenTable) -> None:
    table = await open_table("I know not.", "Later.")
    line = await said(table, QUESTION)
    edited = await typed(table, "/edit  They drink the cellar dry. ")
    assert edited == Line(line.line_id, "mira", "Mira Dunmore", "They drink the cellar dry.", 2, None)
    assert await transcript(table) == [QUESTION, "They drink the cellar dry."]
    assert [(take.text, take.origin) for take in await rows(table, Take)] == [("I know not.", "npc"), ("They drink the cellar dry.", "gm")]
    assert await standing(table) == [(line.line_id, "edit", "", "I know not.")], "the question is not the GM's"
    assert await taught(table) == [("edited", QUESTION, "They drink the cellar dry.")]


async def test_an_edit_with_a_number_in_front_reaches_that_line(open_table: OpenTable) -> None:
    table = await open_table("One.", "Two.")
    first = await said(table, "First?")
    await said(table, "Second?")
    await typed(table, f"/edit {first.line_id} The very first.")
    assert await transcript(table) == ["First?", "The very first.", "Second?", "Two."]
    with pytest.raises(TableError, match="no line 40 at this table"):
        await typed(table, "/edit 40 geese, and no dog.")
    await typed(table, "/edit 8 copper, and no haggling.")
    assert (await transcript(table))[-1] == "8 copper, and no haggling.", "a price names no line"
    with pytest.raises(TableError, match="needs the new words"):
        await typed(table, "/edit")


async def test_an_edit_can_put_the_question_anew(open_table: OpenTable) -> None:
    table = await open_table("I know not.")
    line = await said(table, "hm what of them drakes")
    await table.edit("They drink the cellar dry.", line.line_id, asked=QUESTION)
    assert await taught(table) == [("edited", QUESTION, "They drink the cellar dry.")]


async def test_a_players_edit_is_the_players_and_teaches_nothing_by_itself(open_table: OpenTable) -> None:
    table = await open_table("I know not.", seat=BEN)
    await said(table, QUESTION)
    await table.edit("Dragons? Ben slew three.")
    assert [take.origin for take in await rows(table, Take)] == ["npc", "local"]
    assert await taught(table) == []


async def test_an_edited_line_is_shown_as_the_npcs_own_on_the_next_fitting_prompt(open_table: OpenTable) -> None:
    table = await open_table("I know not.")
    line = await said(table, QUESTION)
    assert await shown(table) is None
    await table.edit("They drink the cellar dry.", line.line_id)
    assert await shown(table) == "They drink the cellar dry."
    assert '[You once said: "They drink the cellar dry."]' in table.state.engine.history[-1].prompt
    await said(table, "Where is the market?")
    assert table.state.engine.history[-1].prompt.count("[You once said") == 1


@pytest.mark.parametrize("undo", ["/react 👎 {}", "/react ✖ {}", "/retcon {}", "/keep 1 {}"])
async def test_whatever_undoes_an_edited_line_stops_it_from_being_shown(open_table: OpenTable, undo: str) -> None:
    table = await open_table("I know not.")
    line = await said(table, QUESTION)
    await table.edit("They drink the cellar dry.")
    assert await shown(table) == "They drink the cellar dry."
    await typed(table, undo.format(line.line_id))
    assert await shown(table) is None


async def test_what_the_gm_approves_or_says_is_shown_too(open_table: OpenTable) -> None:
    table = await open_table("Dragons tip badly.")
    line = await said(table, QUESTION)
    await table.react("👍")
    assert await shown(table) == "Dragons tip badly."
    await table.react("👍", line.line_id, remove=True)
    assert await shown(table) is None
    with_words = await typed(table, "/say Big lizards, small purses.")
    assert (await standing(table))[-1] == (with_words.line_id, "gm_line", "", "Big lizards, small purses.")
    await heard(table.say(QUESTION))
    await table.retcon()
    await table.speak_as("Big lizards, small purses.")
    assert await shown(table) == "Big lizards, small purses."


async def test_keeping_a_take_is_recorded_with_the_take(open_table: OpenTable) -> None:
    table = await open_table("One.", "Two.")
    line = await said(table, QUESTION)
    await heard(table.another_take())
    kept = await typed(table, f"/keep 1 {line.line_id}")
    assert (kept.text, kept.take) == ("One.", 1)
    first = (await rows(table, Take))[0]
    keep = (await rows(table, Feedback))[-1]
    assert (keep.kind, keep.take_id, keep.asked, keep.text) == ("keep", first.id, QUESTION, "One.")
    assert [kind for _, kind, _, _ in await standing(table)] == ["regen", "keep"]
    with pytest.raises(TableError, match="which take"):
        await typed(table, "/keep")


async def test_a_retcon_takes_a_line_out_of_the_story_but_not_out_of_the_record(open_table: OpenTable) -> None:
    table = await open_table("The king is dead.", "Long live the king.")
    line = await said(table, "What news?")
    gone = await typed(table, "/retcon")
    assert gone == Ack("retcon", f"Line {line.line_id} is not canon.", {"line_id": line.line_id})
    assert await transcript(table) == ["What news?"]
    assert await standing(table) == [(line.line_id, "retcon", "What news?", "The king is dead.")]
    assert [row.text for row in await rows(table, TurnRow)] == ["What news?", "The king is dead."]
    await said(table, "And now?")
    assert "The king is dead." not in table.state.engine.history[-1].prompt


# --- explaining ------------------------------------------------------------------------------


async def test_why_shows_everything_that_made_a_line(open_table: OpenTable) -> None:
    table = await open_table("Four copper.")
    line = await said(table, "How much is the brown ale?")
    [take] = await rows(table, Take)
    why = await table.why()
    assert (why.line_id, why.npc, why.text, why.origin, why.takes) == (line.line_id, "mira", "Four copper.", "npc", ("Four copper.",))
    assert (why.prompt_hash, why.template_hash, why.sheet_version) == (take.prompt_hash, take.template_hash, take.sheet_version)
    assert (why.adapter, why.base_id, why.sampling, why.timings) == (None, "sha256-scripted", take.sampling, take.timings)
    told = await typed(table, f"/why {line.line_id}")
    assert "at hand (sheet): brown ale: 4 copper. Strong and cloudy." in told.text
    assert why.prompt_hash in told.text
    assert told.data["at_hand"][0] == {"key": "wares.brown ale", "text": "brown ale: 4 copper. Strong and cloudy.", "source": "sheet"}


@pytest.mark.parametrize(("seat", "origin", "words"), [(Seat("Ana"), "gm", "the GM's words"), (BEN, "local", "a player's words")])
async def test_why_after_an_edit_shows_how_the_npc_came_to_its_own_line_and_whose_words_are_kept(
    open_table: OpenTable, seat: Seat, origin: str, words: str
) -> None:
    table = await open_table("Five copper.", "Four coppers.", seat=seat)
    await said(table, "How much is the brown ale?")
    await heard(table.another_take())
    before = await table.why()
    await table.edit("Four copper, and pay first.")
    after = await table.why()
    assert (after.text, after.origin) == ("Four copper, and pay first.", origin)
    assert after.takes == ("Five copper.", "Four coppers.", "Four copper, and pay first.")
    for name in ("facts", "adapter", "base_id", "sampling", "prompt_hash", "template_hash", "sheet_version", "timings"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.prompt_hash
    assert after.timings["tokens"] == 2
    told = await typed(table, "/why")
    assert words in told.text.splitlines()[0]
    assert (told.data["origin"], told.data["prompt_hash"]) == (origin, before.prompt_hash)


async def test_why_tells_of_the_take_that_is_kept_even_if_another_reads_the_same(open_table: OpenTable) -> None:
    table = await open_table("Aye.", "Aye.")
    await said(table, QUESTION)
    seeds = [request.sampling.seed for request in table.state.engine.history]
    await heard(table.another_take())
    await table.keep(1)
    assert [(await table.why()).sampling["seed"]] == seeds


async def test_why_of_a_line_the_gm_spoke_says_so(open_table: OpenTable) -> None:
    table = await open_table()
    await table.speak_as("Welcome!")
    why = await table.why()
    assert (why.text, why.origin, why.prompt_hash, why.base_id) == ("Welcome!", "gm", "", "")
    assert why.sheet_version == table.sheet("mira").version


# --- what cannot be looked back at -----------------------------------------------------------

BACKWARD = ("/react 👍 {}", "/edit {} New words.", "/keep 1 {}", "/retcon {}", "/why {}", "/regen {}")


async def test_before_anybody_has_spoken_there_is_nothing_to_look_back_at(open_table: OpenTable) -> None:
    table = await open_table()
    for text in BACKWARD:
        with pytest.raises(TableError, match="No NPC has said anything"):
            await typed(table, text.format(""))


async def test_a_number_that_is_no_line_is_refused(open_table: OpenTable) -> None:
    table = await open_table()
    asked = (await said(table, QUESTION)).line_id - 1
    before = await transcript(table)
    for text in BACKWARD:
        if text != "/retcon {}":  # the GM may take back what anybody said
            with pytest.raises(TableError, match=f"Turn {asked} is not an NPC's line"):
                await typed(table, text.format(asked))
        with pytest.raises(TableError, match="There is no line 777 at this table"):
            await typed(table, text.format(777))
    assert await transcript(table) == before


async def test_no_number_however_odd_breaks_the_table(open_table: OpenTable) -> None:
    table = await open_table()
    await said(table, QUESTION)
    for command in ("/why", "/retcon", "/regen", "/keep 1", "/react 👍"):
        for number in ("²", "9" * 20, "9" * 5000, "1.5", "0x1", "-1"):
            with pytest.raises(TableError, match="takes the number of a line"):
                await typed(table, f"{command} {number}")


async def test_a_line_that_never_came_to_an_end_can_only_be_asked_for_again(open_table: OpenTable) -> None:
    table = await open_table(WorkerFailed("It died."))
    with pytest.raises(EngineError):
        await heard(table.say(QUESTION))
    failed = (await rows(table, TurnRow))[-1].id
    for text in BACKWARD[:-1]:
        with pytest.raises(TableError, match=f"Line {failed} never came to an end; `/regen {failed}`"):
            await typed(table, text.format(failed))
    assert (await typed(table, f"/regen {failed}")).text == "Aye."


@pytest.mark.parametrize("asked", [None, "", QUESTION, f" {QUESTION} ", QUESTION[:12]])
async def test_a_question_that_the_gm_left_as_it_was_is_not_kept_as_the_gms_own(open_table: OpenTable, asked: str | None) -> None:
    table = await open_table("Dragons tip badly.")
    line = await said(table, QUESTION)
    await table.correcting.edit("Dragons? Bad for the roof.", line.line_id, asked)
    assert await standing(table) == [(line.line_id, "edit", "", "Dragons tip badly.")]
    assert await taught(table) == [("edited", QUESTION, "Dragons? Bad for the roof.")]


async def test_a_question_that_the_gm_rewrote_is_kept_and_taught(open_table: OpenTable) -> None:
    table = await open_table("Dragons tip badly.")
    line = await said(table, QUESTION)
    await table.correcting.edit("Dragons? Bad for the roof.", line.line_id, "Any trouble with dragons?")
    assert await standing(table) == [(line.line_id, "edit", "Any trouble with dragons?", "Dragons tip badly.")]
    assert await taught(table) == [("edited", "Any trouble with dragons?", "Dragons? Bad for the roof.")]
