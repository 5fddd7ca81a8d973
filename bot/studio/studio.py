"""What all pages share: the tables that are open, and what they stand on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.studio.feed import Feed
from bot.table.events import Line
from bot.table.table import Table
from characters.inference.engine import Engine
from characters.library import Library
from db.home import Home
from db.settings import Settings
from db.store import Store


class Stage(Protocol):
    """Where a table's lines are seen besides this page, such as a Discord channel; it is told what changed here."""

    async def say(self, table: Table, text: str, npc: str | None) -> None: ...

    async def shown(self, table: Table, line: Line) -> None: ...

    async def struck(self, table: Table, line: int) -> None: ...


@dataclass(frozen=True)
class OpenTable:
    """A table the studio shows.

    Attributes:
        stage: where else its lines are seen; None for this page alone.
        gm: whether whoever opens the page here is the GM.
    """

    key: str
    name: str
    table: Table
    stage: Stage | None = None
    gm: bool = True


Tables = Callable[[], Iterable[OpenTable]]


@dataclass
class Studio:
    """Everything a page may touch.

    Attributes:
        tables: those that are open now, the one to show first at the front.
        on_night: told when a night is asked for; returns whether one begins by itself now.
        learns: whether nights can run here.
    """

    store: Store
    engine: Engine
    library: Library
    settings: Settings
    home: Home
    model: Path
    clock: Callable[[], datetime]
    tables: Tables
    on_night: Callable[[], bool] = lambda: False
    learns: Callable[[], bool] = lambda: False
    _feeds: dict[str, tuple[Table, Feed]] = field(default_factory=dict)

    def table(self, key: str = "") -> OpenTable | None:
        """The table of a key, else the first."""
        known = list(self.tables())
        return next((one for one in known if one.key == key), known[0] if known else None)

    def feed(self, opened: OpenTable) -> Feed:
        """The feed of a table, begun when first asked for."""
        known = self._feeds.get(opened.key)
        if known is None or known[0] is not opened.table:
            if known is not None:
                known[1].close()
            known = (opened.table, Feed(opened.table.state))
            self._feeds[opened.key] = known
        return known[1]

    def close(self) -> None:
        """Watch no table any longer."""
        for _, feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
