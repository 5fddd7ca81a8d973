"""`understudy serve`: the NPC API, and its keys."""

import asyncio
import contextlib
import json
import logging
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.errors import TableError
from bot.wiring import House, find_house, make_engine
from db.settings import TABLES

if TYPE_CHECKING:
    from bot.api.host import Host
    from db.queries.api import ApiKey
    from db.store import Store

T = TypeVar("T")


@click.group(invoke_without_command=True)
@click.option("--host", metavar="ADDRESS", help="Where to listen; 127.0.0.1 unless named, any other needs a key.")
@click.option("--port", type=int, help="Which port to listen at.")
@click.option("--campaign", metavar="NAME", help="The campaign a model without one belongs to.")
@click.option("--model", metavar="FILE", help="A GGUF to speak from instead of the starter.")
@click.option("--no-nights", is_flag=True, help="Do not run the nightly service beside.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on standard output.")
@click.pass_context
def serve(  # noqa: PLR0913  (click hands over one argument an option)
    context: click.Context, host: str | None, port: int | None, campaign: str | None, model: str | None,
    no_nights: bool, as_json: bool,
) -> None:  # fmt: skip
    """Put every NPC behind an OpenAI-compatible address (docs/api.md)."""
    if context.invoked_subcommand is not None:
        return
    given = {"api.host": host, "api.port": port, "table.campaign": campaign, "engine.model": model}
    house = find_house(given)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    asyncio.run(_serve(house, nights=not no_nights, as_json=as_json))


async def _serve(house: House, *, nights: bool, as_json: bool) -> None:
    from bot.commands.beside import NightsBeside, start_service, watched
    from bot.commands.observing import observed

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows ends us by an exception instead
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _host(house) as host, contextlib.AsyncExitStack() as stack:
        if nights:
            idle = timedelta(minutes=house.settings.nights.idle_minutes)
            beside = NightsBeside(host.store, host.clock, idle, lambda: start_service(house))
            await stack.enter_async_context(watched(beside))
        await stack.enter_async_context(observed(house, host.store, served_elsewhere=True))
        address = await stack.enter_async_context(api_beside(house, host))
        _tell({"event": "ready", "address": f"{address}/v1", "docs": f"{address}/docs"}, as_json)
        await stop.wait()
    _tell({"event": "stopped"}, as_json)


@contextlib.asynccontextmanager
async def _host(house: House) -> AsyncIterator["Host"]:
    """What the API stands on where no table is open beside it."""
    from bot.api.host import Host
    from characters.inference.engine import Sampling
    from db.queries import lines, play
    from db.store import Store

    house.home.folder("")
    settings, engine = house.settings, make_engine(house, TABLES)
    store = await Store.open(house.database_url)
    try:
        await engine.start()
        host = Host(
            store, engine, house.library(), lambda: datetime.now(UTC), random.SystemRandom(),
            Sampling(**settings.sampling.model_dump()), settings.api, settings.table.campaign,
            settings.engine.system_budget, settings.table.swap,
        )  # fmt: skip
        async with store.session() as session:
            await lines.close_interrupted(session)
            await play.campaign_id(session, host.campaign, host.clock())
        yield host
    finally:
        await engine.close()
        await store.close()


@contextlib.asynccontextmanager
async def api_beside(house: House, host: "Host") -> AsyncIterator[str]:
    """Serve the API where the settings say; yields its address.

    Raises:
        TableError: it is to be reached from outside, and there is no key yet.
    """
    from bot.api.app import Api
    from bot.api.guard import is_loopback
    from bot.api.serving import served
    from db.queries import api as keys

    settings = house.settings.api
    if not is_loopback(settings.host):
        async with host.store.session() as session:
            standing = [key for key in await keys.keys(session) if key.revoked_at is None]
        if not standing:
            raise TableError(f"At {settings.host} others could call, so a key is needed; make one with `understudy "
                             "serve key new NAME`.")  # fmt: skip
    api = Api(host, settings.host, observed=house.settings.observe.metrics)
    try:
        async with served(api.app, settings.host, settings.port) as address:
            yield address
    finally:
        await api.close()


def _tell(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(event, ensure_ascii=False))
    elif event["event"] == "ready":
        click.echo(f"Every NPC answers at {event['address']} ({event['docs']} says how); Ctrl-C ends it.")


# --- keys ----------------------------------------------------------------------------------------------


@serve.group()
def key() -> None:
    """Make, list and revoke API keys."""


@key.command("new")
@click.argument("name")
@click.option("--campaign", metavar="NAME", help="The one campaign it may speak in; the configured one unless named.")
@click.option("--all-campaigns", is_flag=True, help="It may speak in every campaign.")
@click.option("--gm", is_flag=True, help="Its edits are the GM's: they teach at once. Needs --consent.")
@click.option("--consent/--no-consent", default=False, help="Whether it may be trained on; no, unless said.")
@click.option("--json", "as_json", is_flag=True)
def new(name: str, campaign: str | None, all_campaigns: bool, gm: bool, consent: bool, as_json: bool) -> None:
    """Make a key called NAME; its secret is shown once, and kept nowhere."""
    from bot.api.keys import new_key
    from db.queries import api as keys

    house = find_house()
    wanted = None if all_campaigns else campaign or house.settings.table.campaign
    made, secret = new_key(name, wanted, "gm" if gm else "player", "given" if consent else "refused", datetime.now(UTC))

    async def work(store: "Store") -> None:
        async with store.session() as session:
            await keys.add_key(session, made, secret)

    _with_store(house, work)
    if as_json:
        click.echo(json.dumps({**_about(made), "key": secret}, ensure_ascii=False))
        return
    click.echo(secret)
    click.echo(f"This is the key {made.name!r}; it is not shown again. {_consent(made)}", err=True)


@key.command("list")
@click.option("--json", "as_json", is_flag=True)
def listed(as_json: bool) -> None:
    """Show every key, without its secret."""
    from db.queries import api as keys

    async def work(store: "Store") -> "list[ApiKey]":
        async with store.session() as session:
            return await keys.keys(session)

    found = _with_store(find_house(), work)
    if as_json:
        click.echo(json.dumps({"keys": [_about(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        where = one.campaign or "every campaign"
        when = f"made {one.made_at:%Y-%m-%d}" + (f", revoked {one.revoked_at:%Y-%m-%d}" if one.revoked_at else "")
        click.echo(f"{one.handle}  {one.name}  ({where}, {one.role}, {when}). {_consent(one)}")
    if not found:
        click.echo("There is no key; make one with `understudy serve key new NAME`.")


@key.command("revoke")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def revoke(name: str, as_json: bool) -> None:
    """Revoke the key NAME (or its handle); it opens nothing from the next request on."""
    from db.queries import api as keys

    async def work(store: "Store") -> "ApiKey":
        async with store.session() as session:
            return await keys.revoke(session, name, datetime.now(UTC))

    gone = _with_store(find_house(), work)
    told = f"The key {gone.name!r} opens nothing any more."
    click.echo(json.dumps(_about(gone), ensure_ascii=False) if as_json else told)


@key.command("consent")
@click.argument("name")
@click.argument("choice", type=click.Choice(["given", "refused"]))
@click.option("--json", "as_json", is_flag=True)
def consent(name: str, choice: str, as_json: bool) -> None:
    """Say whether what came and comes with the key NAME may be trained on; the next dataset obeys."""
    from db.queries import api as keys

    async def work(store: "Store") -> "ApiKey":
        async with store.session() as session:
            return await keys.set_key_consent(session, name, choice, datetime.now(UTC))

    changed = _with_store(find_house(), work)
    click.echo(json.dumps(_about(changed), ensure_ascii=False) if as_json else f"{changed.name}: {_consent(changed)}")


def _about(one: "ApiKey") -> dict[str, Any]:
    return {
        "handle": one.handle, "name": one.name, "campaign": one.campaign, "role": one.role, "consent": one.consent,
        "made_at": one.made_at.isoformat(), "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
    }  # fmt: skip


def _consent(one: "ApiKey") -> str:
    return "NPCs may learn from it." if one.consent == "given" else "Nothing said with it is trained on."


def _with_store(house: House, work: "Callable[[Store], Awaitable[T]]") -> T:
    """Open the database, do the work, close."""
    from db.store import Store

    async def whole() -> T:
        store = await Store.open(house.database_url)
        try:
            return await work(store)
        finally:
            await store.close()

    house.home.folder("")
    return asyncio.run(whole())
