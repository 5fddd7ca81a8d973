"""`understudy play`: open the local table."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bot.errors import TableError
from bot.wiring import House, find_house, open_table
from db.settings import TABLES

if TYPE_CHECKING:
    from bot.table.table import Seat, Table


@dataclass(frozen=True)
class _Face:
    """Through what the table is played."""

    terminal: bool
    as_json: bool
    host: str | None
    port: int | None
    browser: bool
    nights: bool


@click.command()
@click.option("--terminal", is_flag=True, help="Play in the terminal instead of the browser.")
@click.option("--npc", metavar="SLUG", help="Who is there when the table opens.")
@click.option("--as", "as_name", metavar="NAME", help="Play as a player of this name instead of the GM.")
@click.option("--campaign", metavar="NAME", help="Which campaign to go on with.")
@click.option("--model", metavar="FILE", help="A GGUF to speak from instead of the starter.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines in and out (with --terminal).")
@click.option("--no-nights", is_flag=True, help="Do not run the nightly service beside the table.")
@click.option("--host", metavar="ADDRESS", help="Serve the studio there; any but 127.0.0.1 asks for a password.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="The first port the studio tries.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser; the address is printed all the same.")
@click.option("--api", is_flag=True, default=None, help="Serve the NPC API beside the table (docs/api.md).")
def play(  # noqa: PLR0913  (click hands over one argument an option)
    terminal: bool, npc: str | None, as_name: str | None, campaign: str | None, model: str | None,
    as_json: bool, no_nights: bool, host: str | None, port: int | None, no_browser: bool, api: bool | None,
) -> None:  # fmt: skip
    """Open the table: talk to an NPC, in the browser or with --terminal.

    What is typed here stays on this machine; your NPCs may learn from it.
    """
    house = find_house({"table.campaign": campaign, "engine.model": model, "api.beside": api})
    if as_name is not None and not as_name.strip():
        raise TableError("--as needs a name, such as `--as Ana`.")
    if as_json and not terminal:
        raise TableError("--json is the terminal's; write `understudy play --terminal --json`.")
    from bot.table.table import Seat

    name = house.settings.table.name
    seat = Seat(as_name.strip(), f"local:{as_name.strip().casefold()}", "player") if as_name else Seat(name)
    asyncio.run(_play(house, seat, npc, _Face(terminal, as_json, host, port, not no_browser, not no_nights)))


async def _play(house: House, seat: "Seat", npc: str | None, face: _Face) -> None:
    from bot.commands.beside import nights_beside
    from bot.commands.observing import observed
    from db.errors import StoreError

    api = house.settings.api.beside
    async with open_table(house, seat, npc, TABLES if api or not face.terminal else 1) as table:
        beside = nights_beside(house, table) if face.nights else contextlib.nullcontext()
        async with beside, observed(house, table.state.store, served_elsewhere=api), _api(house, table):
            await _through(house, table, face)()
        with contextlib.suppress(StoreError):  # all that was said is stored; who left is told by the silence too
            await table.leave()


@contextlib.asynccontextmanager
async def _api(house: House, table: "Table") -> AsyncIterator[None]:
    """The NPC API, where the settings want it."""
    if not house.settings.api.beside:
        yield
        return
    from bot.api.host import Host
    from bot.commands.serve import api_beside

    async with api_beside(house, await Host.beside(table, house.settings.api)) as address:
        click.echo(f"Every NPC answers at {address}/v1 ({address}/docs says how).", err=True)
        yield


def _through(house: House, table: "Table", face: _Face) -> Callable[[], Awaitable[None]]:
    if face.as_json:
        from bot.terminal.json_lines import play_json

        return lambda: play_json(table)
    if face.terminal:
        from bot.terminal.screen import Screen

        return Screen(table, house.home.folder("logs") / "history").play
    return lambda: _studio(house, table, face)


async def _studio(house: House, table: "Table", face: _Face) -> None:
    """Serve the page until the program is told to end."""
    from bot.commands.studio import address_of, make_studio, opened, show_in_browser
    from bot.studio.studio import OpenTable

    address = address_of(house, face.host, face.port)
    here = OpenTable("home", house.settings.table.campaign, table, gm=table.state.person.role == "gm")
    studio = make_studio(house, table.state.store, table.state.engine, lambda: [here])
    studio.on_night = table.on_night
    over = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(name, over.set)
    async with opened(studio, address):
        if not (face.browser and show_in_browser(address)):
            click.echo("Open it in a browser; Ctrl-C ends it, and `understudy play --terminal` plays right here.")
        await over.wait()
        click.echo("Farewell.")
