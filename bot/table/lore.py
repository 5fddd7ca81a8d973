"""Looking lore up: what was told to everybody, and the entries of lorebooks.

A player reads what everybody knows by now: told lore, and the entries that words call in the books of
everybody and of the worlds that are played. What has owners, is one NPC's own or has not come yet is
the GM's to read, and so are entries that are written to the model rather than to people.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from bot.table.state import State
from characters.errors import SheetError
from characters.knowing import has_come
from characters.lorebook.entry import Entry, Lorebook
from characters.macros import Names, expand
from characters.remembering import stems
from characters.world import Calendar
from db.queries import memories
from db.queries.memories import Remembered

_LONGEST = 400  # characters of an entry
_NAMES = Names("the NPC")


@dataclass(frozen=True)
class Written:
    """An entry of a lorebook, as it is shown to whoever looks it up.

    Attributes:
        marks: what the GM should know of it: whose it is, since when, that it is switched off.
    """

    book: str
    title: str
    text: str
    marks: tuple[str, ...] = ()

    def line(self) -> str:
        """The entry on one line."""
        marks = f", {', '.join(self.marks)}" if self.marks else ""
        title = f"{self.title}: " if self.title and self.title.casefold() not in self.text.casefold() else ""
        return f"{title}{self.text}  (lorebook {self.book}{marks})"


async def look_up(state: State, about: str, *, gm: bool, limit: int = 40) -> tuple[list[Remembered], list[Written]]:
    """Lore that shares a word with what is asked: what was told, newest first, and what is written, likeliest first.

    Args:
        gm: whether the asker may read what not everybody knows.
    """
    async with state.store.session() as session:
        told = await memories.shown(session, state.campaign, None, about)
    today = next(iter(_calendars(state).values()), None)
    told = [one for one in told if gm or has_come(one.known_since, state.story, today)]
    return told[:limit], (await asyncio.to_thread(_look_through, state, set(stems(about)), gm))[:limit]


def _look_through(state: State, wanted: set[str], gm: bool) -> list[Written]:
    """The entries that have any of the words, those with the most first."""
    calendars = _calendars(state)
    found = [
        (len(wanted & _words(entry)), book, entry) for book in state.library.books() for entry in book.entries
        if gm or (_is_open(book, entry) and _has_come(state, book, entry, calendars))
    ]  # fmt: skip
    best = sorted((one for one in found if one[0] and one[2].content.strip()), key=lambda one: -one[0])
    return [_written(book, entry) for _, book, entry in best]


def _words(entry: Entry) -> set[str]:
    return set(stems(" ".join((entry.title, *entry.keys, expand(entry.content, _NAMES)))))


def _calendars(state: State) -> dict[str, Calendar]:
    """The calendars of the worlds that are played here, by the world's slug; a broken file has none."""
    found: dict[str, Calendar] = {}
    for npc in state.present:
        with contextlib.suppress(SheetError):
            world = state.library.get(npc).world
            found[world] = state.library.world(world).calendar
    return found


def _is_open(book: Lorebook, entry: Entry) -> bool:
    """Whether an entry is knowledge, and everybody's."""
    private = book.npcs or entry.known_by or entry.only_for
    to_the_model = entry.constant or entry.place in {"depth", "nowhere"} or not entry.keys or entry.forced is not None
    return entry.enabled and not private and not to_the_model


def _has_come(state: State, book: Lorebook, entry: Entry, calendars: dict[str, Calendar]) -> bool:
    """Whether the story has come to it, in a world that is played here."""
    if book.worlds and not set(book.worlds) & set(calendars):
        return False
    of = next((calendars[world] for world in book.worlds if world in calendars), next(iter(calendars.values()), None))
    return has_come(entry.known_since, state.story, of)


def _written(book: Lorebook, entry: Entry) -> Written:
    text = " ".join(expand(entry.content, _NAMES).split())
    return Written(book.name, entry.title, text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…",
                   tuple(_marks(book, entry)))  # fmt: skip


def _marks(book: Lorebook, entry: Entry) -> Iterator[str]:
    if owners := entry.known_by or book.npcs:
        yield f"known by {', '.join(owners)}"
    if entry.known_since:
        yield f"since {entry.known_since}"
    if not entry.enabled:
        yield "switched off"
