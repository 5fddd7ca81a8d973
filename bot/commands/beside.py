"""The nightly service beside a table: started when there is something to do, and not before.

A night never meets a session, so while people play the service could only wait, and it would take
memory from the model for that. It is started when a night is asked for, or when the table rests
and the NPCs have something to learn; it ends by itself when somebody plays again. It outlives the
table only to end what was asked for.
"""

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Protocol

from bot.table.table import Table
from bot.wiring import House
from characters.errors import UnderstudyError
from db.queries import nights
from db.store import Store

_LOOK = 60.0  # seconds between two looks at whether the table rests
_NEEDED = ("apscheduler", "torch")


class Service(Protocol):
    """A nightly service in a process of its own."""

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...


class NightsBeside:
    """Starts the nightly service when it is wanted.

    Args:
        idle: silence after which the table rests.
        start: starts the service; None where learning is not installed.
        campaign: whose NPCs learn; everybody's of the database if None.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], idle: timedelta, start: Callable[[], Service | None],
        campaign: int | None = None,
    ) -> None:  # fmt: skip
        self.store, self.clock, self.campaign = store, clock, campaign
        self.idle = idle
        self._start = start
        self._service: Service | None = None

    def wake(self) -> bool:
        """Start the service for a night that is wanted now; whether it could be started.

        Also where one was started before: that one may be about to leave, because people played a
        moment ago. Where it stays, the new one sees it and leaves.
        """
        self._service = self._start()
        return self._service is not None

    async def look(self) -> None:
        """Wake the service if nobody plays and there is something to learn."""
        async with self.store.session() as session:
            now = self.clock()
            if await nights.sessions_open(session, now - self.idle, now=now):
                return
            wanted = bool(await nights.requests(session, state="waiting"))
            campaigns = await nights.campaigns(session) if self.campaign is None else [self.campaign]
            for campaign in campaigns:
                wanted = wanted or bool(await nights.npcs_with_news(session, campaign, now=now))
        if wanted and (self._service is None or self._service.poll() is not None):
            self.wake()

    async def watch(self) -> None:
        """Look every minute, for as long as the table is open."""
        while True:
            await asyncio.sleep(_LOOK)
            with contextlib.suppress(UnderstudyError):  # a database that is busy now is not a minute later
                await self.look()


@contextlib.asynccontextmanager
async def nights_beside(house: House, table: Table) -> AsyncIterator[None]:
    """Let NPCs learn whenever this table rests, until it closes."""
    state, idle = table.state, timedelta(minutes=house.settings.nights.idle_minutes)
    beside = NightsBeside(state.store, state.clock, idle, lambda: start_service(house), state.campaign)
    table.on_night = beside.wake
    async with watched(beside):
        yield


@contextlib.asynccontextmanager
async def watched(beside: NightsBeside) -> AsyncIterator[None]:
    """Look every minute, until the end."""
    watching = asyncio.create_task(beside.watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def learning_is_installed() -> bool:
    """Whether nights can run here; nothing is imported to find out."""
    registered = importlib.metadata.entry_points(group="understudy.commands", name="nights")
    return bool(registered) and all(importlib.util.find_spec(name) for name in _NEEDED)


def start_service(house: House) -> Service | None:
    """Start `understudy nights` for this table, in a session of its own so that it may outlive a terminal."""
    if not learning_is_installed():
        return None
    environment = dict(os.environ)
    if house.settings.engine.model:  # the night trains for the model that serves, also one of the command line
        environment["UNDERSTUDY_ENGINE_MODEL"] = house.settings.engine.model
    command = [sys.executable, "-c", "from bot.cli import main; main()", "nights", "--beside", str(os.getpid())]
    with (house.home.folder("logs") / "nights.log").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            start_new_session=sys.platform != "win32",
        )  # fmt: skip
