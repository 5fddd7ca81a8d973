"""`understudy nights`: the nightly service, in the foreground or beside a table.

It stays small: nothing that trains is imported here, nights are processes of their own.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from characters.library import Library
from db.home import Home
from db.night_lock import NightHeld, NightLock, night_lock
from db.settings import Settings, load_settings
from learning.night_child import start_night

if TYPE_CHECKING:
    from learning.scheduler import Plan

_HANDOVER = 5.0  # seconds
_LOOK = 0.2  # seconds

_log = logging.getLogger("understudy.nights")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines on standard output.")
@click.option("--beside", type=int, hidden=True, metavar="PID", help="Run for the table with this process id.")
def nights(as_json: bool, beside: int | None) -> None:
    """Run the nightly service: NPCs learn at the hour, or when asked, and never while somebody plays."""
    from learning.scheduler import Plan

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    environment = dict(os.environ)
    home = Home.find(environment)
    settings = load_settings(home.settings_file, environment).settings
    plan = Plan.of(settings.nights)
    service_lock = NightLock(home.folder("") / "nights.lock", _now, "The nightly service of this home")
    with contextlib.ExitStack() as held:
        try:
            _take(service_lock, held, 0.0 if beside is None else _HANDOVER)
        except NightHeld:
            if beside is None:
                raise
            _log.info("another service serves this home; nothing to do")
            return
        asyncio.run(_serve(home, settings, plan, _host(beside), as_json))


def _take(lock: NightLock, held: contextlib.ExitStack, patience: float) -> None:
    """Take a lock; the service before this one may be about to leave, so wait these seconds for it."""
    deadline = time.monotonic() + patience
    while True:
        try:
            held.enter_context(lock)
        except NightHeld:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK)
        else:
            return


def _now() -> datetime:
    return datetime.now(UTC)


def _host(beside: int | None) -> Callable[[], bool] | None:
    """Whether the table still lives: while it does, it is the parent of this process."""
    return None if beside is None else lambda: os.getppid() == beside


async def _serve(
    home: Home, settings: Settings, plan: "Plan", host: Callable[[], bool] | None, as_json: bool
) -> None:
    """Serve until told to end."""
    from db.store import Store
    from learning.scheduler import Hands, NightService

    lock = night_lock(home, _now)

    def tell(event: dict[str, Any]) -> None:
        _log.info("%s", event["message"])
        if as_json:
            click.echo(json.dumps(event, ensure_ascii=False))
            sys.stdout.flush()

    hands = Hands(_now, start_night, lambda: lock.holder() is not None, tell, _sheets(home))
    store = await Store.open(settings.database.url or home.database_url)
    try:
        service = NightService(store, plan, hands, f"{socket.gethostname()}:{os.getpid()}", host)
        _end_on_signals(service.over)
        await service.begin()
        scheduler = service.schedule()
        scheduler.start()
        due = plan.next_due(_now())
        when = f"{due:%Y-%m-%d %H:%M %Z}" if due else "never"
        tell({"event": "ready", "next": due.isoformat() if due else None,
              "message": f"The nightly service runs; the next night is due {when}."})  # fmt: skip
        await service.over.wait()
        await service.stop()
        scheduler.shutdown(wait=False)
        tell({"event": "stopped", "message": "The nightly service has ended."})
    finally:
        await store.close()


def _sheets(home: Home) -> Callable[[str], bool]:
    """Whether an NPC has a sheet, as the files stand when it is asked."""
    library = Library(home.root)
    return lambda npc: npc in library.slugs()


def _end_on_signals(over: asyncio.Event) -> None:
    """Let SIGTERM, Ctrl-C and a closed terminal end the service in order."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, over.set)
        except NotImplementedError:  # Windows
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(over.set))
