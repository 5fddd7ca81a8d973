"""Lore at the table: it comes to hand, stays as long as it should, and a restart forgets nothing."""

import json

from characters.library import Library
from characters.lorebook.timing import Timers
from db.queries import lore


def write_book(home, *entries):
    (home / "lore").mkdir(exist_ok=True)
    listed = [{"extensions": {}, "enabled": True, "insertion_order": 5, **entry} for entry in entries]
    (home / "lore" / "book.json").write_text(json.dumps({"spec": "lorebook_v3", "data": {"entries": listed}}), "utf-8")


async def hear(table, text):
    async for _ in table.say(text):
        pass
    return "\n".join(message.content for message in table.state.engine.history[-1].messages)


async def test_lore_comes_to_hand_and_the_line_remembers_it(open_table):
    write_book(open_table.home, {"keys": ["zeppelin"], "content": "{{user}} asks {{char}} about zeppelins."})
    table = await open_table()
    assert "[You know: Ana asks Mira" in await hear(table, "What is a zeppelin?")
    why = await table.why()
    assert [fact.key for fact in why.facts if fact.source == "lore"] == ["lore.book/0"]


async def test_timed_effects_outlive_the_table_and_another_take_undoes_nothing(open_table):
    entry = {"keys": ["zeppelin"], "content": "Zeppelins are late.", "extensions": {"sticky": 3, "position": 4, "depth": 0}}
    write_book(open_table.home, entry)
    table = await open_table()
    assert "Zeppelins are late." in await hear(table, "A zeppelin!")
    again = await open_table()
    assert "Zeppelins are late." in await hear(again, "Hm.")
    async for _ in again.another_take():
        pass
    assert "Zeppelins are late." in again.state.engine.history[-1].messages[-1].content
    assert "Zeppelins are late." not in await hear(again, "Well then.")
    async with again.state.store.session() as session:
        kept = Timers.from_json(await lore.timers(session, again.state.scene_id, "mira"))
    assert kept.effects == {}


async def test_reading_ahead_starts_no_effect(open_table):
    write_book(open_table.home, {"keys": [], "constant": True, "content": "Always here.", "extensions": {"cooldown": 9}})
    table = await open_table()
    await table.speaking.prompt("mira")
    async with table.state.store.session() as session:
        assert await lore.timers(session, table.state.scene_id, "mira") == {}
    assert "Always here." in await hear(table, "Hello.")


async def test_lore_with_a_date_waits_for_it(open_table):
    entry = {"keys": ["zeppelin"], "content": "Zeppelins burn.", "extensions": {"understudy": {"known_since": "the crash"}}}
    write_book(open_table.home, entry)
    table = await open_table()
    assert "Zeppelins burn." not in await hear(table, "A zeppelin!")
    await table.set_scene({"place": "the crash"})
    assert "Zeppelins burn." in await hear(table, "A zeppelin!")


async def test_long_lore_is_not_said_twice_while_the_transcript_shows_it(open_table):
    write_book(open_table.home, {"keys": ["bell"], "content": "The bell is long. " * 20})
    table = await open_table()
    await hear(table, "the bell")
    assert (await hear(table, "the bell again")).count("The bell is long. The bell is long.") == 10


def test_lore_for_one_npc_or_world_is_nobody_elses_and_broken_files_are_told(tmp_path):
    (tmp_path / "lore").mkdir()
    for name, serves in (("a", {"npcs": ["mira"]}), ("b", {"worlds": ["highcairn"]}), ("c", {})):
        data = {"entries": [], "extensions": {"understudy": serves}}
        (tmp_path / "lore" / f"{name}.json").write_text(json.dumps({"spec": "lorebook_v3", "data": data}), "utf-8")
    (tmp_path / "lore" / "broken.json").write_text("{", "utf-8")
    library = Library(tmp_path)
    assert [book.name for book in library.lorebooks("mira", "saltmere")] == ["a", "c"]
    assert [book.name for book in library.lorebooks("anselm", "highcairn")] == ["b", "c"]
    assert [f.file for f in library.check() if f.level == "fault"] == ["broken.json"]
