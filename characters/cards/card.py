"""A character card as it came: its JSON untouched, and views on the fields everybody knows.

V1 is flat; V2 and V3 keep their fields under `data`. Whatever is in the JSON stays in it, known or not,
so that a card which is exported again is the card that was imported.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from characters.loose import dict_of, plain, text_of, texts_of
from characters.macros import Names

Container = Literal["png", "json", "charx", "yaml"]

# How older programs named the six fields of V1.
_OTHER_NAMES = {
    "name": ("char_name",),
    "description": ("char_persona", "context", "persona"),
    "first_mes": ("char_greeting", "greeting"),
    "mes_example": ("example_dialogue",),
    "scenario": ("world_scenario",),
    "personality": (),
}
FIELDS = tuple(_OTHER_NAMES)


@dataclass(frozen=True)
class Card:
    """One character card.

    Attributes:
        raw: the JSON as it was.
        version: the specification it follows: 1, 2 or 3.
        container: what it came in.
        picture: the PNG file it came in, or the icon out of its archive.
        source: the whole file, for whoever keeps it.
        beside: the JSON of the `chara` chunk where `ccv3` won.
        notes: what a person should know about it, one sentence each.
    """

    raw: dict[str, Any]
    version: Literal[1, 2, 3]
    container: Container
    picture: bytes | None = field(default=None, repr=False)
    source: bytes = field(default=b"", repr=False)
    beside: dict[str, Any] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """Where the fields are."""
        data = self.raw.get("data")
        return data if isinstance(data, dict) and self.version > 1 else self.raw

    def text(self, name: str) -> str:
        """A text field, by any of the names it has had; "" where there is none."""
        for key in (name, *_OTHER_NAMES.get(name, ())):
            found = text_of(self.data.get(key)).strip()
            if found:
                return found
        return ""

    @property
    def name(self) -> str:
        """The character's name."""
        return plain(self.text("name"))[:200].strip()

    @property
    def names(self) -> Names:
        """Who the macros mean: the nickname where there is one."""
        return Names(plain(self.text("nickname"))[:200] or self.name or "Somebody")

    @property
    def greetings(self) -> tuple[str, ...]:
        """The first message, then its alternatives."""
        first = self.text("first_mes")
        others = self.data.get("alternate_greetings")
        return tuple(g for g in (first, *(texts_of(others) if isinstance(others, list) else ())) if g)

    @property
    def book(self) -> dict[str, Any] | None:
        """The embedded lorebook, if it has entries."""
        book = self.data.get("character_book")
        return book if isinstance(book, dict) and book.get("entries") else None

    @property
    def extensions(self) -> dict[str, Any]:
        """What programs keep for themselves."""
        return dict_of(self.data.get("extensions"))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        return texts_of(self.data.get("tags"))
