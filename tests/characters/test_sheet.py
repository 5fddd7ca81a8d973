"""What an NPC is called by: never by a bare title, and every shipped one by a name of its own."""

import pytest

from characters.library import Library
from tests.fakes.people import make_sheet


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
