"""What an NPC is called by: never by a bare title, and every shipped one by a name of its own."""

import re
from pathlib import Path

import pytest

from characters.library import Library
from characters.sheet import Sheet
from characters.world import World
from tests.fakes.people import make_sheet

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sheets.md"


@pytest.mark.parametrize(("name", "called"), [
    ("Mira Dunmore", "Mira"), ("Sergeant Bram", "Bram"), ("Grandfather Oak", "Oak"), ("Mother Ysolde", "Ysolde"),
    ("Captain Brannoc Thule", "Brannoc"), ("Sister Anne-Marie of the Well", "Anne-Marie"), ("Old Tam", "Tam"),
    ("Old Mother Hollis", "Hollis"), ("Dr. Corvin", "Corvin"), ("The Hermit", "Hermit"), ("Nettle", "Nettle"),
    ("Captain", "Captain"), ("Old Mother", "Old Mother"), ("Captain of the Watch", "Captain of the Watch"),
    ("The Mother of Pearls", "The Mother of Pearls"), ("Tam, the younger", "Tam"),
])  # fmt: skip
def test_a_title_is_no_name(name: str, called: str) -> None:
    assert make_sheet(name=name).first_name == called


def test_every_shipped_npc_is_called_by_a_name_of_its_own() -> None:
    library = Library(None)
    called = {slug: library.get(slug).first_name for slug in library.slugs()}
    assert called == {
        "anselm": "Anselm", "brug": "Brug", "eel": "Eel", "hedda": "Hedda", "ilse": "Ilse", "mira": "Mira", "nettle": "Nettle",
        "odo": "Odo", "socrates": "Socrates", "sorrel": "Sorrel", "thule": "Brannoc", "wick": "Wick",
    }  # fmt: skip


def test_the_examples_of_the_page_on_sheets_can_be_played_and_name_every_field(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    for where, text in re.findall(r"<!-- example: (\S+) -->\n```yaml\n(.*?)```", page, re.DOTALL):
        (tmp_path / where).parent.mkdir(exist_ok=True)
        (tmp_path / where).write_text(text, "utf-8")
    library = Library(tmp_path)
    assert library.get("pell").first_name == "Pell"
    assert library.world("mine").calendar.date == "the third of Dust"
    assert {field for field in (*Sheet.model_fields, *World.model_fields) if not re.search(rf"\b{field}\b", page)} == set()
