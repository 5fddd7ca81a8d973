"""Watching a table: whatever happens at it, through whichever face, everybody who watches hears it.

Faces that only answer the person in front of them need none of this; the studio shows tables that
others play at, and every open page shows the same evening.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.table.events import Again, Line, Piece
from db.values import StoredTurn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """A person said something; `aside` where it was out of character."""

    turn: StoredTurn
    aside: bool = False


@dataclass(frozen=True)
class Begun:
    """An NPC begins a line, or another take of one."""

    line_id: int
    npc: str
    name: str


@dataclass(frozen=True)
class Changed:
    """A line is not what it was: its text, its takes, its reactions, or whether it stands."""

    line_id: int


@dataclass(frozen=True)
class Moved:
    """The scene, who is there, who has the word, or the evening changed."""


Seen = Said | Begun | Piece | Again | Line | Changed | Moved
Watch = Callable[[Seen], None]


class Watchers:
    """Who watches a table."""

    def __init__(self) -> None:
        self._all: list[Watch] = []

    def add(self, watch: Watch) -> Callable[[], None]:
        """Let somebody watch; returns how to stop."""
        self._all.append(watch)

        def stop() -> None:
            if watch in self._all:
                self._all.remove(watch)

        return stop

    def tell(self, seen: Seen) -> None:
        """Tell everybody; a watcher that fails keeps nobody from playing."""
        for watch in list(self._all):
            try:
                watch(seen)
            except Exception:
                log.exception("Somebody who watches a table failed.")
