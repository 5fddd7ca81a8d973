"""`understudy bot`: the table on Discord."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from bot.errors import TableError
from bot.wiring import House, find_house, make_engine
from db.settings import TABLES

if TYPE_CHECKING:
    from bot.discord_app.client import Understudy

_NO_TOKEN = (
    "DISCORD_TOKEN is not set; make an application at https://discord.com/developers/applications, copy the token of "
    "its page Bot, and set it in the environment (docs/discord.md says it step by step)."
)


@click.command()
@click.option("--check", is_flag=True, help="Sign in, say what is missing, and end.")
@click.option("--no-nights", is_flag=True, help="Do not run the nightly service beside the bot.")
@click.option("--campaign", metavar="NAME", help="The campaign to play, for a bot of one server.")
@click.option("--model", metavar="FILE", help="A GGUF to speak from instead of the starter.")
@click.option("--studio", "with_studio", is_flag=True, help="Open the studio beside it: watch and steer the sessions.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on standard output.")
@click.option("--api", is_flag=True, default=None, help="Serve the NPC API beside the bot (docs/api.md).")
def bot(  # noqa: PLR0913  (click hands over one argument an option)
    check: bool, no_nights: bool, campaign: str | None, model: str | None, with_studio: bool, as_json: bool,
    api: bool | None,
) -> None:  # fmt: skip
    """Bring your NPCs to Discord.

    The token is read from DISCORD_TOKEN alone; docs/discord.md has a check list of ten minutes.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for chatty in ("alembic", "httpx2", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    house = find_house({"discord.campaign": campaign, "engine.model": model, "api.beside": api})
    token = house.loaded.secrets.get("discord.token")
    if token is None:
        raise TableError(_NO_TOKEN)
    if check:
        _tell(asyncio.run(_look(house, token.get_secret_value())), as_json)
    else:
        asyncio.run(_run(house, token.get_secret_value(), _Beside(not no_nights, with_studio), as_json=as_json))


async def _look(house: House, token: str) -> dict[str, object]:
    from bot.discord_app.running import look, point_at

    point_at(house.settings.discord.api_url, house.settings.discord.gateway_url)
    async with _client(house) as client:
        return {"event": "check", **await look(client, token)}


@dataclass(frozen=True)
class _Beside:
    """What runs beside the bot."""

    nights: bool
    studio: bool


async def _run(house: House, token: str, also: _Beside, *, as_json: bool) -> None:
    from bot.commands.observing import observed
    from bot.discord_app.running import point_at, run

    point_at(house.settings.discord.api_url, house.settings.discord.gateway_url)
    async with _client(house) as client, contextlib.AsyncExitStack() as stack:
        rooms = client.stage.desk.rooms
        await rooms.house.engine.start()
        if also.nights:
            from bot.commands.beside import NightsBeside, start_service, watched

            idle = timedelta(minutes=house.settings.nights.idle_minutes)
            beside = NightsBeside(rooms.house.store, rooms.house.clock, idle, lambda: start_service(house))
            rooms.on_night = beside.wake
            await stack.enter_async_context(watched(beside))
        api = house.settings.api.beside
        await stack.enter_async_context(observed(house, rooms.house.store, served_elsewhere=api))
        if api:
            address = await stack.enter_async_context(_api(house, client))
            _tell({"event": "api", "address": f"{address}/v1"}, as_json)
        if also.studio:
            await stack.enter_async_context(_studio(house, client, as_json))
        await run(client, token, lambda: _tell({"event": "ready", "bot": str(client.user)}, as_json))
    _tell({"event": "stopped"}, as_json)


@contextlib.asynccontextmanager
async def _api(house: House, client: "Understudy") -> AsyncIterator[str]:
    """The NPC API over the bot's own store, engine and library; yields its address."""
    from bot.api.host import Host
    from bot.commands.serve import api_beside
    from characters.inference.engine import Sampling

    rooms, settings = client.stage.desk.rooms, house.settings
    shared = rooms.house
    sampling = Sampling(**settings.sampling.model_dump())
    host = Host(
        shared.store, shared.engine, shared.library, shared.clock, shared.rng, sampling, settings.api,
        settings.discord.campaign or settings.table.campaign, settings.engine.system_budget,
        settings.table.swap, rooms.loaded,
    )  # fmt: skip
    async with api_beside(house, host) as address:
        yield address


@contextlib.asynccontextmanager
async def _studio(house: House, client: "Understudy", as_json: bool) -> AsyncIterator[None]:
    """The studio on the bot's own event loop, with a table for every channel NPCs speak in."""
    from bot.commands.studio import address_of, make_studio, opened
    from bot.discord_app.steering import BackRooms, open_channels
    from bot.studio.studio import OpenTable

    rooms = client.stage.desk.rooms
    behind = BackRooms(rooms, client, house.settings.table.name)

    def tables() -> list[OpenTable]:
        played = [OpenTable(key, name, table, stage) for key, name, table, stage in open_channels(client.stage, client)]
        return [*played, *(OpenTable(key, name, table) for key, name, table in behind)]

    address = address_of(house)
    studio = make_studio(house, rooms.house.store, rooms.house.engine, tables)
    async with opened(studio, address, lambda told: _tell({"event": "studio", "address": address.key_url}, as_json)):
        keeping = asyncio.create_task(behind.keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await behind.close()


def _tell(event: dict[str, object], as_json: bool) -> None:
    """One event: as JSON, or as a line people read."""
    if as_json:
        click.echo(json.dumps(event, ensure_ascii=False))
        return
    rest = {name: value for name, value in event.items() if name not in {"event", "missing"}}
    click.echo(f"{event['event']}: " + ", ".join(f"{name} {value}" for name, value in rest.items()))
    missing = event.get("missing", [])
    for lacking in missing if isinstance(missing, list) else []:
        click.echo(f"  missing: {lacking}")


@contextlib.asynccontextmanager
async def _client(house: House) -> AsyncIterator["Understudy"]:
    """The bot over everything it stands on, closed whatever happens."""
    from bot.discord_app import rooms
    from bot.discord_app.client import Understudy
    from db.store import Store

    house.home.folder("")
    store = await Store.open(house.database_url)
    engine = make_engine(house, TABLES)
    shared = rooms.House(
        store, engine, house.library(), house.settings, lambda: datetime.now(UTC), random.SystemRandom()
    )  # fmt: skip
    tables = rooms.Rooms(shared)
    try:
        client = Understudy(tables, house.home.root)
        try:
            yield client
        finally:
            await tables.close()
            await client.close()
    finally:
        await engine.close()
        await store.close()
