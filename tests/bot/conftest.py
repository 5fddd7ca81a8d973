"""A table to play at, everything real but the engine, which says what it is told to; and the command line."""

import random
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import cli
from bot.table.table import Seat, Table
from characters.inference.engine import Sampling
from characters.inference.errors import EngineError
from characters.library import Library
from db.store import Store
from tests.fakes.browser import MISSING, Browser
from tests.fakes.program import Done
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
ANA = Seat("Ana")
Command = Callable[..., Done]


class OpenTable:
    """Sits down at the home's database, as often as a test likes; every time with a fresh engine."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.stores: list[Store] = []
        self.tables: list[Table] = []

    async def __call__(
        self, *script: str | EngineError, seat: Seat = ANA, campaign: str = "home", npc: str | None = "mira", pace: float = 0.0
    ) -> Table:
        store = await Store.open(f"sqlite:///{self.home / 'db.sqlite'}")
        self.stores.append(store)
        table = await Table.open(
            store, ScriptedEngine(*script, pace=pace), Library(self.home), campaign=campaign, seat=seat,
            clock=lambda: NOW, rng=random.Random(7), sampling=Sampling(max_tokens=40),
        )  # fmt: skip
        self.tables.append(table)
        if npc is not None and table.state.speaker is None:
            await table.summon(npc)
        return table


@pytest.fixture
async def open_table(home: Path, migrated: Path) -> AsyncIterator[OpenTable]:
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    opener = OpenTable(home)
    yield opener
    for table in opener.tables:
        await table.speaking.close()
    for store in opener.stores:
        await store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if MISSING:
        pytest.skip(MISSING)
    made = Browser()
    yield made
    made.close()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process, through the same `main` as the program."""

    def run(*arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["understudy", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Done(end.value.code, captured.out, captured.err)

    return run
