"""A promoted voice is heard on the next line or in the next scene, and a rolled back one never again."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.table import Table
from characters.inference.engine import Capabilities
from characters.inference.errors import AdapterRefused
from db.queries import adapters
from db.queries.adapters import Version
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import said


async def promoted(table: Table, name: str, base: str = "sha256-scripted", npc: str = "mira") -> None:
    """Somebody elsewhere promotes an adapter: rows in the database, nothing else."""
    version = Version(name, npc, f"/adapters/{name}.gguf", base, "candidate", {}, NOW)
    async with table.state.store.session() as session:
        await adapters.add_version(session, table.state.campaign, version)
        await adapters.promote(session, table.state.campaign, version, NOW)


async def rolled_back(table: Table) -> None:
    async with table.state.store.session() as session:
        await adapters.roll_back(session, table.state.campaign, "mira", NOW)


async def voice(table: Table) -> str | None:
    return (await said(table, "And now?")).adapter


async def test_a_promotion_is_heard_on_the_very_next_line_and_a_rollback_too(open_table: OpenTable) -> None:
    table = await open_table()
    assert await voice(table) is None
    await promoted(table, "first")
    assert await voice(table) == "first"
    await promoted(table, "second")
    assert await voice(table) == "second"
    await rolled_back(table)
    assert await voice(table) == "first"
    await rolled_back(table)
    assert await voice(table) is None


async def test_where_voices_change_between_scenes_a_promotion_waits_for_the_next(open_table: OpenTable) -> None:
    table = await open_table()
    table.state.swap = "scene"
    assert await voice(table) is None
    await promoted(table, "first")
    assert await voice(table) is None, "in the middle of a haggle"
    await table.set_scene({"place": "the cellar"})
    assert await voice(table) == "first"


async def test_a_voice_that_is_rolled_back_leaves_the_scene_at_once(open_table: OpenTable) -> None:
    table = await open_table()
    table.state.swap = "scene"
    await promoted(table, "first")
    assert await voice(table) == "first"
    await rolled_back(table)
    assert await voice(table) is None


async def test_the_last_twelve_adapters_stay_at_hand(open_table: OpenTable) -> None:
    table = await open_table()
    names = [f"voice-{number}" for number in range(14)]
    for name in names:
        await promoted(table, name)
        await voice(table)
    assert list(table.state.engine.adapters) == names[2:]  # type: ignore[attr-defined]


async def test_four_tables_of_one_engine_load_the_voice_of_each_of_their_npcs_once(
    open_table: OpenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    npcs = ("mira", "odo", "brug", "wick")
    tables = [await open_table(campaign=npc, npc=npc) for npc in npcs]
    state, loads = tables[0].state, []
    load = state.engine.load_adapter

    async def counted(adapter: str, path: Path) -> None:
        loads.append(adapter)
        await load(adapter, path)

    monkeypatch.setattr(state.engine, "load_adapter", counted)
    for table, npc in zip(tables, npcs, strict=True):
        table.state.engine, table.state.loaded = state.engine, state.loaded  # as the rooms of a server share them
        await promoted(table, f"{npc}-1", npc=npc)
    for _ in range(10):
        for table, npc in zip(tables, npcs, strict=True):
            assert await table.speaking.voices.of(npc) == f"{npc}-1"
    assert loads == [f"{npc}-1" for npc in npcs]


async def test_a_line_is_spoken_by_the_base_when_the_adapters_file_is_gone(
    open_table: OpenTable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = await open_table()

    async def gone(adapter: str, path: Path) -> None:
        raise AdapterRefused(f"There is no adapter at {path}; run `understudy adapters` to see which exist.")

    monkeypatch.setattr(table.state.engine, "load_adapter", gone)  # first: what reads ahead loads, too
    await promoted(table, "lost")
    assert await voice(table) is None
    assert "base speaks without it" in caplog.text


async def test_an_adapter_of_another_base_keeps_silent_until_its_own_is_back(
    open_table: OpenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await open_table()
    await promoted(table, "foreign", "sha256-another")
    assert await voice(table) is None
    assert table.state.engine.adapters == {}  # type: ignore[attr-defined]
    with pytest.raises(TableError, match="one voice only"):
        await table.speaking.voices.other("mira")
    told = replace(await table.state.engine.capabilities(), base_id="sha256-another")

    async def changed_back() -> Capabilities:
        return told

    monkeypatch.setattr(table.state.engine, "capabilities", changed_back)
    assert await voice(table) == "foreign"


def test_whether_an_adapter_fits_a_servers_model_is_left_to_the_server() -> None:
    assert Capabilities("m", "remote-m", 4096, scoring=False, adapters=True).carries("sha256-scripted")
    assert not Capabilities("m", "sha256-m", 4096, scoring=True, adapters=True).carries("sha256-scripted")


async def test_the_voice_of_a_scene_is_loaded_again_when_others_took_its_place(open_table: OpenTable) -> None:
    table = await open_table()
    table.state.swap = "scene"
    await promoted(table, "first")
    assert await voice(table) == "first"
    table.state.loaded.remove("first")
    await table.state.engine.unload_adapter("first")
    assert await voice(table) == "first"
    assert "first" in table.state.engine.adapters  # type: ignore[attr-defined]


async def test_a_voice_that_two_lines_ask_for_at_once_is_counted_once(
    open_table: OpenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await open_table()
    await promoted(table, "first")
    load = table.state.engine.load_adapter

    async def slowly(adapter: str, path: Path) -> None:
        await asyncio.sleep(0.05)
        await load(adapter, path)

    monkeypatch.setattr(table.state.engine, "load_adapter", slowly)
    voices = table.speaking.voices
    assert await asyncio.gather(voices.of("mira"), voices.of("mira", speaks=False)) == ["first", "first"]
    assert table.state.loaded == ["first"]
