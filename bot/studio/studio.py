"""What all pages share: the tables that are open, and what they stand on."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.studio.feed import Feed
from bot.table.events import Line
from bot.table.practice import open_practice
from bot.table.state import Hand
from bot.table.table import Table
from characters.inference.engine import Engine
from characters.library import Library
from db.errors import StoreError
from db.home import Home
from db.settings import Settings
from db.store import Store


class Stage(Protocol):
    """Where a table's lines are seen besides this page, such as a Discord channel; it is told what changed here."""

    async def say(self, table: Table, text: str, by: Hand) -> None: ...

    async def another_take(self, table: Table, line: int, by: Hand) -> None: ...

    async def hush(self, table: Table) -> None: ...

    async def shown(self, table: Table, line: Line) -> None: ...

    async def struck(self, table: Table, line: int) -> None: ...

    async def stopped(self, table: Table, line: int) -> None: ...

    async def told(self, table: Table, text: str) -> None: ...


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


@dataclass(frozen=True)
class Machine:
    """What the program knows of the machine, told by whoever opened the studio.

    Attributes:
        looked_at: the doctor's findings; takes some seconds.
        models: the model files.
        settings: every setting with where it came from; secrets only as set or not.
        not_reached: what forgetting somebody does not reach.
    """

    looked_at: Callable[[], list[dict[str, Any]]] = list
    models: Callable[[], list[dict[str, Any]]] = list
    settings: Callable[[], list[dict[str, Any]]] = list
    not_reached: str = ""


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
    machine: Machine = field(default_factory=Machine)
    _feeds: dict[str, tuple[Table, Feed]] = field(default_factory=dict)
    _practice: dict[str, Table] = field(default_factory=dict)
    _door: asyncio.Lock = field(default_factory=asyncio.Lock)

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
            known = (opened.table, Feed(opened.table.state, self.home.root))
            self._feeds[opened.key] = known
        return known[1]

    async def hand(self, opened: OpenTable) -> Hand:
        """Whose hand plays here: the GM's, whoever opened the table; without a stage whoever opened it."""
        if opened.stage is None:
            return opened.table.state.hand
        return await opened.table.backstage.gm(self.settings.table.name)

    async def practice(self, opened: OpenTable) -> Table:
        """The table beside a table, for questions nobody in the story hears."""
        async with self._door:
            known = self._practice.get(opened.key)
            if known is None or known.state.campaign != opened.table.state.campaign:
                known = self._practice[opened.key] = await open_practice(opened.table, await self.hand(opened))
            return known

    async def rest(self) -> None:
        """Get up from the tables beside the story, so that nights need not wait for them."""
        for table in self._practice.values():
            await table.leave()

    async def close(self) -> None:
        """Watch no table any longer, and get up from those beside the story."""
        for _, feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
        for table in self._practice.values():
            await table.speaking.close()
            with contextlib.suppress(StoreError):
                await table.leave()
        self._practice.clear()
