"""Training reads what serving read: memories and secrets stand in a row's prompt, or the row is not trained on."""

from dataclasses import replace
from typing import Any

import pytest

from bot.table.table import Seat
from characters.conditions import key_of
from characters.messages import Fact, Scene, Turn
from characters.prompt import Budget, Part
from db.provenance import Policy
from db.queries import harvest as heard_queries
from db.values import HeardMemory, Origin
from learning.datasets.building import _tells_withheld
from learning.datasets.rows import Renderer
from learning.harvest import Candidate, harvest
from learning.recalling import NOTHING, Recalled
from learning.starter.tokens import TEMPLATE
from tests.bot.conftest import OpenTable, open_table  # noqa: F401  (a fixture)
from tests.fakes.hearing import said, typed
from tests.fakes.people import make_sheet, make_world
from tests.learning.test_harvest import line, reaction, turn

KEY = Fact("memory.3", "Bela said: The key of the mill is under the anvil.", "memory")
RENDERER = Renderer(TEMPLATE, Budget(4096, 40, 700))
PART = Part("mira", make_sheet(), make_world())


def remembering(completion: str, *origins: Origin, gone: bool = False) -> list[Candidate]:
    memories = {} if gone else {KEY.key: HeardMemory(KEY, origins)}
    return harvest([line(reaction("thumbs_up"), before=(turn("Where is the key?"),), takes=(completion,), recalled=(KEY,),
                         memories=memories)], Policy())  # fmt: skip


def test_a_row_has_the_memory_its_prompt_had_without_anybodys_name() -> None:
    [row, _] = remembering("Under the anvil, friend.", Origin("local", "given", "local:bela", "Bela"))
    assert row.trainable
    assert row.people == ("local:ana", "local:bela")
    prompt = RENDERER.row(row, PART).prompt
    assert "said: The key of the mill is under the anvil.]" in prompt
    assert "Bela" not in prompt


@pytest.mark.parametrize("barred", [Origin("channel", "given", "d:1", "Bela"), Origin("interaction", "refused", "d:1", "Bela")])
def test_a_memory_of_words_that_may_not_be_learnt_from_is_in_no_row(barred: Origin) -> None:
    rows = remembering("Under the anvil, friend.", Origin("local", "given"), barred)
    assert [row.reason for row in rows if not row.trainable] == ["it rests on a memory that is gone or may not be learnt from"] * 2
    [row, _] = remembering("Ask somebody else.", barred)
    assert (row.trainable, row.recalled) == (True, NOTHING)
    assert "anvil" not in RENDERER.row(row, PART).prompt


def test_a_memory_that_was_taken_back_takes_the_lines_with_it_that_rest_on_it() -> None:
    assert not any(row.trainable for row in remembering("Under the anvil.", gone=True))


def test_what_was_at_hand_for_an_earlier_line_follows_the_same_rule() -> None:
    before = (turn("Where is it?"), turn("Under the anvil.", npc="mira"), turn("And then?"))
    earlier = replace(before[1], said=replace(before[1].said, at_hand=(KEY, Fact("wares", "You sell: ale.", "sheet"))))
    [row, _] = harvest([line(reaction("thumbs_up"), before=(before[0], earlier, before[2]))], Policy())
    assert [fact.key for turn in row.turns for fact in turn.at_hand] == ["wares"]


def candidate(completion: str, **changes: Any) -> Candidate:
    return Candidate("sft", "gm_line", "gm", 1, "1/mira", Scene(), (Turn("GM", "What is in the cellar?"),), (), completion, **changes)


def test_a_line_that_tells_a_secret_trains_only_with_the_secret_in_its_prompt() -> None:
    told = RENDERER.row(candidate("Fine: she hides a deserter in the cellar, that is all."), PART)
    assert "[You know: She hides a deserter in the cellar.]" in told.prompt
    kept = RENDERER.row(candidate("Barrels and dust."), PART)
    assert "deserter" not in kept.prompt
    secret = Fact(key_of(PART.sheet.secrets[0]), PART.sheet.secrets[0].text, "secret")
    once = RENDERER.row(candidate("She hides a deserter in the cellar.", recalled=Recalled((secret,))), PART)
    assert once.prompt.count("You know: She hides a deserter") == 1


def test_a_line_that_tells_what_others_know_is_left_out() -> None:
    withheld = ["The abbot poisoned the old duke."]
    assert _tells_withheld(RENDERER.row(candidate("The abbot poisoned the old duke, I say!"), PART), withheld)
    assert not _tells_withheld(RENDERER.row(candidate("I know nothing of any duke."), PART), withheld)


async def test_a_row_of_play_reads_what_was_read_at_the_table(open_table: OpenTable) -> None:  # noqa: F811
    table = await open_table("Aye.", "Noted.", "Under the third stone.", "Under the third stone, I said.", seat=Seat(), npc=None)
    await table.summon("mira")
    await said(table, "Old Bram hid the mill key under the third stone.")
    await said(table, "You owe me two silver, and I'll pay the toll tomorrow.")
    await typed(table, "/npc tell mira The mill burnt down last night.")
    await table.set_scene({"place": "the cellar", "mood": "tense"})
    await said(table, "Where did Bram hide the key to the mill?")
    answer = await said(table, "Are you sure of the key? What became of the mill?")
    read = table.state.engine.history[-1].prompt
    assert "third stone.]" in read
    await typed(table, f"/react 👍 {answer.line_id}")
    async with table.state.store.session() as session:
        [heard] = await heard_queries.heard_lines(session, table.state.campaign, "mira")
    row = next(row for row in harvest([heard], Policy()) if row.kind == "sft")
    sheet = table.sheet("mira")
    part = Part("mira", sheet, table.state.library.world(sheet.world))
    assert RENDERER.row(row, part).prompt == read
