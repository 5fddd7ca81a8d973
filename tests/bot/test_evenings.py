"""Evenings begin, end, and go on where they stopped; campaigns share nothing."""

import shutil
from pathlib import Path

import pytest

from bot.errors import TableError
from characters.library import SHIPPED
from db.models import NightRequest, PlaySession, Presence, Take
from db.queries import lines
from db.values import StoredTurn, TakeMade
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import rows, said, transcript, typed


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
