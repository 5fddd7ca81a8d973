"""Secrets: in no prompt until the GM, dice or words loosen the tongue, and again in none once they are kept."""

from pathlib import Path

import pytest
import yaml

from bot.errors import TableError
from bot.table.table import Seat, Table
from characters.conditions import by_roll, by_words, is_open, parts, tells
from characters.library import Library
from characters.sheet import Secret
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import said, typed

HIDDEN = {
    "The cellar holds a stolen crown.": "asked about the key",
    "Mira served under the usurper.": "persuasion 15 or trusts the party",
    "The eel pies are horse.": "",
}


@pytest.fixture
async def table(open_table: OpenTable, home: Path) -> Table:
    sheet = Library(None).get("mira").model_dump(mode="json", exclude_defaults=True)
    sheet["secrets"] = [{"text": text, "condition": condition} for text, condition in HIDDEN.items()]
    (home / "sheets").mkdir()
    (home / "sheets" / "mira.yaml").write_text(yaml.safe_dump(sheet), "utf-8")
    return await open_table(seat=Seat())


async def read(table: Table, question: str) -> str:
    await said(table, question)
    return str(table.state.engine.history[-1].prompt)


def open_ones(text: str) -> list[str]:
    return [secret for secret in HIDDEN if secret in text]


async def test_words_open_a_secret_and_a_retcon_of_them_closes_it(table: Table) -> None:
    assert open_ones(await read(table, "Is there a stolen crown in the cellar? Horse pies? Served the usurper?")) == []
    assert open_ones(await read(table, "Whose is that key?")) == ["The cellar holds a stolen crown."]
    why = await typed(table, "/why")
    assert "secret 1, open (asked about the key: what was said, turn 3): The cellar holds a stolen crown." in why.text
    assert [one["open"] for one in why.data["secrets"]] == [True, False, False]
    assert open_ones(await read(table, "A fine evening, is it not?")) == ["The cellar holds a stolen crown."], "its line stands"
    await typed(table, "/retcon 3")
    assert open_ones(await read(table, "And the crown in the cellar?")) == []


async def test_a_roll_opens_a_secret_from_its_number_on_and_only_of_its_skill(table: Table) -> None:
    for dice in ("14 persuasion", "20 stealth", "30"):
        await typed(table, f"/roll {dice}")
    assert open_ones(await read(table, "Well?")) == []
    await typed(table, "/roll 15 persuasion")
    assert open_ones(await read(table, "Well?")) == ["Mira served under the usurper."]
    assert "persuasion 15: a roll" in (await typed(table, "/why")).text


async def test_the_gm_opens_and_keeps_secrets_and_a_new_scene_tells_them_only_when_asked(table: Table) -> None:
    shown = await typed(table, "/secret")
    assert [one["open"] for one in shown.data["secrets"]] == [False] * 3
    await typed(table, "/secret open 2 trusts the party")
    await typed(table, "/secret open 3")
    assert open_ones(await read(table, "Well?")) == ["Mira served under the usurper.", "The eel pies are horse."]
    await table.set_scene({"place": "the yard"})
    assert open_ones(await read(table, "A cold night.")) == []
    assert open_ones(await read(table, "What is in your pies?")) == ["The eel pies are horse."]
    await typed(table, "/secret keep 3")
    assert open_ones(await read(table, "The pies, I said?")) == []
    with pytest.raises(TableError, match="knows no condition 'rich'"):
        await typed(table, "/secret open 2 rich")
    with pytest.raises(TableError, match="mira has 3 secrets"):
        await typed(table, "/secret open 9")


async def test_a_player_neither_sees_nor_opens_what_is_kept(open_table: OpenTable) -> None:
    table = await open_table(seat=Seat("Ben", "local:ben", "player"))
    await said(table, "Hello?")
    shown = await typed(table, "/why")
    assert all(secret.text not in shown.text for secret in table.sheet("mira").secrets)
    for command in ("/secret", "/memory show", "/npc tell mira She is a duck.", "/secret open 1"):
        with pytest.raises(TableError, match="is the GM's"):
            await typed(table, command)


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ("trusts the party", [["gm"]]), ("persuasion 15", [["roll"]]), ("a successful persuasion check of 15 or more", [["roll"]]),
        ("asked about the key", [["words"]]), ("trusts the party and persuasion 12; asked directly about Tobin", [["gm", "roll"], ["words"]]),
        ("", []),
    ],
)  # fmt: skip
def test_conditions_are_read_as_authors_write_them(condition: str, kinds: list[list[str]]) -> None:
    assert [[part.by for part in way] for way in parts(condition)] == kinds


def test_parts_joined_by_and_are_all_needed() -> None:
    secret = Secret(text="X hides Y.", condition="persuasion 12 and asked about Tobin")
    [roll], [words] = by_roll(secret, "Persuasion", 12), by_words(secret, "Where is Tobin?")
    assert by_roll(secret, "persuasion", 11) == by_roll(secret, "", 20) == by_words(secret, "Where is Tom?") == []
    assert not is_open(secret, [roll.text])
    assert is_open(secret, [roll.text, words.text])
    assert is_open(secret, [""])
    assert tells("Aye: x hides y, then.", "X hides Y.")
    assert not tells("Hides? Y?", "X hides Y.")
