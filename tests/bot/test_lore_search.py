"""Looking lore up: told or written, by people who may read it."""

import json
from pathlib import Path
from typing import Any

from bot.table.improvise import Ensemble
from bot.table.table import Seat
from characters.library import Library
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import typed

GM, BO = Seat(), Seat("Bo", "local:bo", "player")
MARKED = {"known_by": ["mira"]}


def write_book(home: Path, name: str, *entries: dict[str, Any], **ours: Any) -> None:
    (home / "lore").mkdir(exist_ok=True)
    listed = [{"extensions": {}, "enabled": True, "insertion_order": 5, **entry} for entry in entries]
    data = {"entries": listed, "extensions": {"understudy": ours}}
    (home / "lore" / f"{name}.json").write_text(json.dumps({"spec": "lorebook_v3", "data": data}), "utf-8")


async def found(open_table: OpenTable, words: str, seat: Seat = GM) -> list[str]:
    table = await open_table(seat=seat)
    return [one["text"] for one in (await typed(table, f"/lore search {words}")).data["written"]]


async def test_a_search_reads_what_was_told_and_what_is_written(open_table: OpenTable) -> None:
    write_book(open_table.home, "town", {"keys": ["lighthouse"], "name": "The light", "content": "{{user}} sees it burn at night."})
    table = await open_table(seat=GM)
    await typed(table, "/lore add The lighthouse was built by dwarves.")
    ack = await typed(table, "/lore search lighthouses")
    assert [one["text"] for one in ack.data["lore"]] == ["The lighthouse was built by dwarves."]
    assert ack.data["written"] == [{"book": "town", "title": "The light", "text": "the visitor sees it burn at night.", "marks": ()}]
    assert "The light: the visitor sees it burn at night.  (lorebook town)" in ack.text


async def test_the_entry_with_the_most_of_the_words_comes_first(open_table: OpenTable) -> None:
    write_book(open_table.home, "town", {"keys": ["bell"], "content": "A bell."}, {"keys": ["ferry"], "content": "The ferry has a bell."})
    assert await found(open_table, "ferry bell") == ["The ferry has a bell.", "A bell."]


async def test_a_player_reads_only_what_everybody_knows_by_now(open_table: OpenTable) -> None:
    home = open_table.home
    home_rule = {"keys": ["ferry"], "content": "The ferry leaves at noon."}
    owned = {"keys": ["ferry"], "content": "The ferry smuggles.", "extensions": {"understudy": MARKED}}
    later = {"keys": ["ferry"], "content": "The ferry sank.", "extensions": {"understudy": {"known_since": "the last of Frost"}}}
    order = {"keys": [], "constant": True, "content": "Write about the ferry in the past tense."}
    off = {"keys": ["ferry"], "content": "The ferry is red.", "enabled": False}
    write_book(home, "town", home_rule, owned, later, order, off)
    write_book(home, "hers", {"keys": ["ferry"], "content": "The ferry is hers."}, npcs=["mira"])
    write_book(home, "far", {"keys": ["ferry"], "content": "A ferry of the mountains."}, worlds=["highcairn"])
    assert await found(open_table, "ferry", BO) == ["The ferry leaves at noon."]
    assert len(await found(open_table, "ferry")) == 7


async def test_a_players_search_does_not_show_what_is_known_only_later(open_table: OpenTable) -> None:
    master = await open_table(seat=GM)
    await typed(master, "/lore add since=a day that never comes; The king is dead.")
    player = await open_table(seat=BO)
    assert (await typed(player, "/lore search king")).data["lore"] == []


def test_a_library_with_made_up_npcs_has_the_lorebooks_of_the_one_it_stands_on(home: Path) -> None:
    home.mkdir()
    write_book(home, "town", {"keys": ["ferry"], "content": "The ferry leaves at noon."})
    assert [book.name for book in Ensemble(Library(home)).lorebooks("mira", "saltmere")] == ["town"]
