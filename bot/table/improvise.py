"""NPCs made up on the spot: a name, a few words, a kind's template and the world's names.

An improvised NPC can be played at once. It lives at its table until somebody keeps it; keeping
writes a draft sheet into the home, for the author to fill.
"""

import json
import random
import re
from pathlib import Path
from typing import Any

import yaml

from bot.errors import TableError
from characters.files import write_whole
from characters.library import LISTED, Library
from characters.lorebook.entry import Lorebook
from characters.sheet import Relation, Sheet, Speech
from characters.world import World

_KINDS = {
    "shopkeeper": ("shop", "merchant", "seller", "keeper", "smith", "baker", "trader", "vendor"),
    "quest giver": ("noble", "lord", "lady", "captain", "priest", "mayor"),
    "lore keeper": ("sage", "scholar", "librarian", "monk", "bard"),
}
_VOICES = {
    "nervous": ("Hurried and halting; looks over the shoulder.", "I saw nothing, I said nothing."),
    "gruff": ("Gruff and short; wastes no words.", "Say it or go."),
    "cheerful": ("Bright and quick; laughs easily.", "Nobody ever died of a smile."),
    "old": ("Slow and dry; remembers too much.", "I was old when this was new."),
    "proud": ("Clipped and lofty.", "I do not repeat myself."),
    "drunk": ("Slurred and warm; loses the thread.", "One more, and then I talk."),
    "sly": ("Soft and sideways; answers with questions.", "Everything has a price, friend."),
}
_PLAIN = ("Plain and short, in the manner of working people.", "A day's work is a day's work.")
_LONGEST = 120


class Ensemble(Library):
    """A library with NPCs that were made up at one table.

    Attributes:
        improvised: their sheets by slug.
    """

    def __init__(self, library: Library, improvised: dict[str, Sheet] | None = None) -> None:
        super().__init__()
        self._library = library
        self.improvised = improvised or {}

    def slugs(self) -> list[str]:
        """Everybody's slug, sorted."""
        return sorted({*self._library.slugs(), *self.improvised})

    def path(self, slug: str, kind: str = "sheets", *, listed: str = LISTED) -> Path:
        """The file a slug stands for; improvised NPCs have none."""
        return self._library.path(slug, kind, listed=listed)

    def get(self, slug: str) -> Sheet:
        """An NPC's sheet; a file wins over what was made up."""
        if slug in self.improvised and slug not in self._library.slugs():
            return self.improvised[slug]
        return self._library.get(slug)

    def world(self, slug: str) -> World:
        """A world as its file stands now."""
        return self._library.world(slug)

    def books(self) -> tuple[Lorebook, ...]:
        """Every lorebook of the library this one stands on."""
        return self._library.books()


def improvise(text: str, world_slug: str, library: Library, rng: random.Random) -> tuple[str, Sheet]:
    """Make an NPC up.

    Args:
        text: "Pell, nervous dockhand", or without a name "nervous dockhand".

    Raises:
        TableError: there is nothing to make one of.
    """
    text = " ".join(text.split())[:_LONGEST]
    world = library.world(world_slug)
    name, comma, about = (part.strip() for part in text.partition(","))
    if not comma:
        known = {library.get(slug).first_name for slug in library.slugs()}
        free = [candidate for candidate in world.names if candidate not in known] or list(world.names) or ["Pell"]
        name, about = rng.choice(free), text
    if not name or not about:
        raise TableError("Say who it is: a name, a comma and a few words, such as `Pell, nervous dockhand`.")
    words = about.casefold().split()
    voice, motto = next((_VOICES[word] for word in words if word in _VOICES), _PLAIN)
    kind = next((kind for kind, signs in _KINDS.items() if any(s in about.casefold() for s in signs)), "conversational")
    others = [other for other in world.names if other != name]
    friends = rng.sample(others, min(2, len(others)))
    sheet = Sheet.model_validate({
        "name": name[:1].upper() + name[1:], "kind": kind, "description": about, "world": world_slug,
        "backstory": f"Has lived in {world.name} for years and knows its streets.",
        "objectives": ("get through the day without trouble",),
        "speech": Speech(voice=voice, mottos=(motto,)),
        "relations": tuple(Relation(name=friend, about="somebody I see most days") for friend in friends),
    })  # fmt: skip
    return _slug(sheet.name, library), sheet


def _slug(name: str, library: Library) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "npc"
    slug, number = plain, 2
    while slug in library.slugs():
        slug, number = f"{plain}-{number}", number + 1
    return slug


def keep(sheet: Sheet, slug: str, folder: Path) -> Path:
    """Write an improvised NPC's draft sheet.

    Raises:
        TableError: there is such a sheet already.
    """
    path = folder / f"{slug}.yaml"
    if path.exists():
        raise TableError(f"{path.name} is there already; take it away, or give the NPC another name.")
    folder.mkdir(parents=True, exist_ok=True)
    fields: dict[str, Any] = {name: value for name, value in as_json(sheet).items() if value not in ("", [], None)}
    head = "# A draft, made up at the table; `understudy sheet check` says what is missing.\n"
    write_whole(path, head + yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))
    return path


def as_json(sheet: Sheet) -> dict[str, Any]:
    """A sheet as plain values."""
    values: dict[str, Any] = json.loads(sheet.model_dump_json())
    return values
