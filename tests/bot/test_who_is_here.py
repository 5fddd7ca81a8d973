"""At a table: who is there, who has the word, and where the story is."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.events import Heard
from characters.errors import SheetError
from characters.messages import Scene
from db.models import Presence, TurnRow
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import heard, rows, said, transcript, typed


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


@pytest.mark.parametrize(
    ("text", "npc"),
    [("How much is the ale here?", "mira"), ("What does an iron ladle cost?", "brug"), ("Hm.", "brug"), ("Did you bring the crisps?", "brug")],
)  # fmt: skip
async def test_where_nobody_is_called_the_one_whom_it_concerns_answers(open_table: OpenTable, text: str, npc: str) -> None:
    table = await open_table()
    await table.summon("brug")
    assert (await said(table, text)).npc == npc
    assert table.state.speaker == npc


async def test_whom_the_gm_gave_the_word_by_name_keeps_it_until_another_one_is_called(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    table.switch("brug")
    assert (await said(table, "How much is the ale here?")).npc == "brug"
    assert (await said(table, "Mira, a word?")).npc == "mira"
    assert (await said(table, "What does a ladle cost?")).npc == "brug"


async def test_a_talk_between_people_does_not_give_anybody_the_word(open_table: OpenTable) -> None:
    table = await open_table()
    await table.summon("brug")
    table.switch("mira")
    await heard(table.say("(( Brug, that liar, is my favourite ))"))
    assert table.state.speaker == "mira"


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


@pytest.mark.parametrize(("typed_text", "scene"), [
    ("place=the cellar mood=tense", Scene("the cellar", mood="tense")), ("mood=tense place=the  old cellar ", Scene("the  old cellar", mood="tense")),
    ("place=Mira's inn mood=quiet", Scene("Mira's inn", mood="quiet")), ("""place="x=1, y=2" mood='half asleep'""", Scene("x=1, y=2", mood="half asleep")),
    (r'place="the \"old\" mill"', Scene('the "old" mill')), ('"place=the mill" mood=calm', Scene("the mill", mood="calm")),
    ("place=cellar mood=", Scene("cellar")),
])  # fmt: skip
async def test_a_field_of_a_scene_goes_on_to_the_next_with_quotes_or_without(open_table: OpenTable, typed_text: str, scene: Scene) -> None:
    table = await open_table()
    await typed(table, f"/scene set {typed_text}")
    assert table.state.scene == scene


async def test_who_is_not_known_at_the_table_is_looked_up_at_the_table(open_table: OpenTable) -> None:
    table = await open_table()
    for text in ("/npc summon nobody", "/npc xyzzy", "/npc switch nobody", "/npc dismiss nobody", "/session recap nobody"):
        with pytest.raises(SheetError, match="; `/npc list` shows who there is"):
            await typed(table, text)
    with pytest.raises(TableError, match="Say who gets the word"):
        await typed(table, "/npc switch")


async def test_who_leaves_is_called_by_name_and_by_its_slug_where_the_sheet_broke_meanwhile(open_table: OpenTable, home: Path) -> None:
    table = await open_table()
    await table.summon("brug")
    left = await typed(table, "/npc dismiss brug")
    assert (left.text, left.data["npc"]) == (f"{table.sheet('brug').name} leaves.", "brug")
    (home / "sheets").mkdir()
    (home / "sheets" / "mira.yaml").write_text("name: [", "utf-8")
    assert (await typed(table, "/npc dismiss")).text == "mira leaves."


async def test_a_later_change_of_scene_keeps_the_fields_it_does_not_name(open_table: OpenTable) -> None:
    table = await open_table()
    await table.set_scene({"place": "the cellar", "mood": "calm"})
    assert await table.set_scene({"mood": "tense"}) == Scene(place="the cellar", mood="tense")


async def test_a_scene_that_is_not_understood_changes_nothing(open_table: OpenTable) -> None:
    table = await open_table()
    scene = table.state.scene_id
    for text in ("/scene set", "/scene set weather=rain", "/scene set place=mill the weather=rain", "/scene set the place=mill", "/scene set place the mill", "/scene set place='the mill", "/scene ring"):
        with pytest.raises(TableError):
            await typed(table, text)
    assert (table.state.scene_id, table.state.scene) == (scene, Scene())


async def test_a_question_that_waited_while_a_new_scene_began_is_answered(open_table: OpenTable) -> None:
    table = await open_table("By the well.", "Nobody knows.")
    waiting = await table.hear("Where did you bury the lantern?")
    await table.set_scene({"place": "the old mill"})
    await heard(table.speaking.answer("mira", waiting.turn))
    read = table.state.engine.history[-1].messages
    assert "Where did you bury the lantern?" in read[-1].content
    assert await transcript(table) == ["By the well."]


async def test_a_question_that_was_taken_back_before_a_new_scene_began_is_not_read(open_table: OpenTable) -> None:
    table = await open_table("Hm?")
    waiting = await table.hear("Where did you bury the lantern?")
    await table.retcon(waiting.turn.id)
    await table.set_scene({"place": "the old mill"})
    await heard(table.speaking.answer("mira", waiting.turn))
    assert "lantern" not in table.state.engine.history[-1].prompt
