"""Runs the bot from sign-in to the last line: where Discord is, what is missing, and a stop that ends politely."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
from discord import http as discord_http
from discord.gateway import DiscordWebSocket

from bot.discord_app import mornings
from bot.discord_app.client import Understudy
from bot.discord_app.desk import Desk
from bot.discord_app.errors import SetupError

log = logging.getLogger(__name__)

ALIVE = "bot.alive"  # in the home's logs
_BEAT = 30.0
_LOOKED_AT = 20  # servers a check looks into
LAST_LINE = 30.0  # seconds the line being spoken has, once a stop is asked for

# What the bot does in a channel, and why; the invite link asks for exactly this.
NEEDED = {
    "view_channel": "to be there",
    "send_messages": "to speak",
    "send_messages_in_threads": "to speak in threads",
    "read_message_history": "to find its own lines again",
    "manage_webhooks": "so that NPCs have a name and a face of their own",
    "add_reactions": "for ratings by reaction",
    "attach_files": "to hand over /mydata export",
}


def point_at(api_url: str, gateway_url: str) -> None:
    """Use other addresses than Discord's own, such as a proxy's.

    Raises:
        SetupError: an address that is none.
    """
    if api_url:
        if not api_url.startswith(("http://", "https://")):
            raise SetupError(f"The setting discord.api_url is no address ({api_url[:60]}); write http://… or https://….")
        discord_http.Route.BASE = api_url.rstrip("/")
    if gateway_url:
        if not gateway_url.startswith(("ws://", "wss://")):
            raise SetupError(f"The setting discord.gateway_url is no address ({gateway_url[:60]}); write wss://….")
        DiscordWebSocket.DEFAULT_GATEWAY = type(DiscordWebSocket.DEFAULT_GATEWAY)(gateway_url)


def permissions() -> discord.Permissions:
    """What the bot needs in a server."""
    return discord.Permissions(**dict.fromkeys(NEEDED, True))


def invite(application: int) -> str:
    """The link by which a server's manager invites the bot."""
    return discord.utils.oauth_url(application, permissions=permissions(), scopes=("bot", "applications.commands"))


def missing_of(has: discord.Permissions) -> list[str]:
    """Which permissions the bot lacks, each with the reason it is needed."""
    return [f"{name} ({why})" for name, why in NEEDED.items() if not getattr(has, name)]


async def look(client: Understudy, token: str) -> dict[str, Any]:
    """Sign in without the gateway, and tell what is there and what is missing.

    Raises:
        SetupError: the token is refused.
    """
    await _sign_in(client, token)
    info = await client.application_info()
    missing = []
    wants = client.stage.desk.settings.message_content
    if wants and not (info.flags.gateway_message_content or info.flags.gateway_message_content_limited):
        missing.append(_INTENT)
    guilds = [guild async for guild in client.fetch_guilds(limit=200)]
    for partial in guilds[:_LOOKED_AT]:
        guild = await client.fetch_guild(partial.id)
        me = await guild.fetch_member(client.user.id if client.user else 0)
        if lacking := missing_of(me.guild_permissions):
            missing.append(f"in the server {guild.name}: {'; '.join(lacking)}; give them to the bot's role")
    if not guilds:
        missing.append(f"the bot is in no server; invite it with {invite(info.id)}")
    return {"bot": str(client.user), "application": info.id, "invite": invite(info.id), "servers": len(guilds),
            "message_content": wants, "missing": missing}  # fmt: skip


_INTENT = (
    "the Message Content intent: switch it on under Bot, Privileged Gateway Intents, at "
    "https://discord.com/developers/applications, or set discord.message_content = false and play without table mode"
)


async def _sign_in(client: Understudy, token: str) -> None:
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        raise SetupError(
            "Discord refuses the token in DISCORD_TOKEN; copy it anew from the page Bot of your application at "
            "https://discord.com/developers/applications."
        ) from error
    except discord.HTTPException as error:
        raise SetupError(
            f"Discord does not let the bot sign in ({error.status} {error.text[:100]}); try later."
        ) from error
    except OSError as error:
        raise SetupError("Discord cannot be reached; check the network, and discord.api_url if it is set.") from error


async def run(client: Understudy, token: str, ready: Callable[[], None] = lambda: None) -> None:
    """Be there until somebody stops the program.

    Args:
        ready: called when the bot has come online for the first time.

    Raises:
        SetupError: Discord refuses the token or an intent.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, stopping.set)
    await _sign_in(client, token)
    connected = asyncio.create_task(client.connect())
    waiting = asyncio.create_task(stopping.wait())
    telling = asyncio.create_task(_tell_ready(client, ready))
    try:
        async with mornings.watching(client.stage, client), _alive(client):
            await asyncio.wait({connected, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            await leave(client)
        elif (error := connected.exception()) is not None:
            raise _explained(error) from error
    finally:
        for task in (waiting, telling):
            task.cancel()
        await client.close()
        await asyncio.gather(connected, waiting, telling, return_exceptions=True)


@contextlib.asynccontextmanager
async def _alive(client: Understudy) -> AsyncIterator[None]:
    """Touch a file while the bot is connected; a health check looks at its age."""
    folder = client.stage.desk.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)

    async def touch() -> None:
        while True:
            if client.is_ready() and not client.is_closed():
                (folder / ALIVE).touch()
            await asyncio.sleep(_BEAT)

    task = asyncio.create_task(touch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def leave(client: Understudy, patience: float = LAST_LINE) -> None:
    """Take nothing new on, and let the line that is being spoken end."""
    desk = client.stage.desk
    desk.closing = True
    log.info("Stopping; %d line(s) are still to be spoken.", desk.queue.busy)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_all_done(desk), patience)


async def _all_done(desk: Desk) -> None:
    await desk.queue.idle()
    await desk.at_rest()


async def _tell_ready(client: Understudy, ready: Callable[[], None]) -> None:
    await client.wait_until_ready()
    ready()
    for guild in client.guilds:
        if lacking := missing_of(guild.me.guild_permissions):
            log.warning("The server %s does not give the bot: %s.", guild.name, "; ".join(lacking))
    if not client.guilds and client.application_id:
        log.warning("The bot is in no server; invite it with %s", invite(client.application_id))


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return SetupError(f"Discord refuses to connect the bot; missing is {_INTENT}.")
    if isinstance(error, discord.ConnectionClosed):
        return SetupError(f"Discord closed the connection for good (code {error.code}); see docs/discord.md.")
    return error
