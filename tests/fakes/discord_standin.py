"""A stand-in for Discord on loopback: REST and gateway, for what only the wire shows.

The bot is the real program with an unmodified discord.py. People are played by calls on the
stand-in; every request the bot makes and every answer it gets is held against Discord's own
description, and what is wrong is collected in `faults`.
"""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes import discord_contract as contract
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import BOT, CHANNEL, GM_ROLE, GUILD

PREFIX = "/api/v10"
DEADLINE = 3.0


@dataclass
class Sent:
    """One request of the bot."""

    method: str
    path: str
    body: Any
    at: float
    params: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Asked:
    """One interaction, and what the bot made of it."""

    number: int
    token: str
    channel: str
    kind: int
    at: float
    answered_after: float | None = None
    callback: dict[str, Any] | None = None
    original: str | None = None
    loading: bool = False
    acked: asyncio.Event = field(default_factory=asyncio.Event)


class DiscordStandIn:
    """One server with two channels; the bot, a GM and players are in it."""

    def __init__(self, *, token: str = "good.token.here", privileged: bool = True) -> None:
        self.token, self.privileged = token, privileged
        self.requests: list[Sent] = []
        self.faults: list[str] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.commands: list[dict[str, Any]] = []
        self.asked: dict[str, Asked] = {}
        self.heartbeats: list[float] = []
        self.identified = 0
        self.resumed = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.limits: list[dict[str, Any]] = []
        self.changed = asyncio.Condition()
        self.threads: set[int] = set()
        self.invited, self.permissions = False, payloads.ALL
        self._numbers = itertools.count(10_000)
        self._events: list[dict[str, Any]] = []
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._live: web.WebSocketResponse | None = None
        self.heartbeat_ms = 400

    # --- life ----------------------------------------------------------------------------------

    async def __aenter__(self) -> "DiscordStandIn":
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/gw", self._gateway)
        app.router.add_route("*", PREFIX + "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in self.sockets:
            await socket.close()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs to find us."""
        return {
            "DISCORD_TOKEN": self.token,
            "UNDERSTUDY_DISCORD_API_URL": f"http://127.0.0.1:{self._port}{PREFIX}",
            "UNDERSTUDY_DISCORD_GATEWAY_URL": f"ws://127.0.0.1:{self._port}/gw",
        }

    async def until(self, true: Any, patience: float = 20.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(patience), self.changed:
            await self.changed.wait_for(true)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    # --- people --------------------------------------------------------------------------------

    async def open_thread(self) -> int:
        """A thread of the first channel."""
        number = next(self._numbers)
        self.threads.add(number)
        await self.dispatch("THREAD_CREATE", payloads.thread(number))
        return number

    async def slash(self, person: str, command: str, /, *, channel: int = CHANNEL, **options: Any) -> Asked:
        """Somebody uses a slash command."""
        root, *inner = command.split()
        known = next(known for known in self.commands if known["name"] == root)
        listed = [{"name": key, "type": 5 if isinstance(value, bool) else 3, "value": value} for key, value in options.items()]
        for word in reversed(inner):
            listed = [{"name": word, "type": 1, "options": listed}]
        data = {"id": known["id"], "name": root, "type": 1, "options": listed, "guild_id": str(GUILD)}
        return await self._interact(2, person, channel, data)

    async def click(self, person: str, message: dict[str, Any], custom_id: str) -> Asked:
        """Somebody presses a button."""
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._interact(3, person, int(message["channel_id"]), data, message=message)

    async def menu(self, person: str, command: str, message: dict[str, Any]) -> Asked:
        """Somebody uses a message's menu."""
        known = next(known for known in self.commands if known["name"] == command)
        data = {"id": known["id"], "name": command, "type": 3, "target_id": message["id"], "guild_id": str(GUILD),
                "resolved": {"messages": {message["id"]: message}}}  # fmt: skip
        return await self._interact(2, person, int(message["channel_id"]), data)

    async def submit(self, person: str, opened: Asked, **values: str) -> Asked:
        """Somebody fills a form in."""
        assert opened.callback is not None
        form = opened.callback["data"]
        fields = [
            {"type": 18, "id": number, "component": {"type": 4, "id": 100 + number, "custom_id": name, "value": value}}
            for number, (name, value) in enumerate(values.items())
        ]
        data = {"custom_id": form["custom_id"], "components": fields}
        return await self._interact(5, person, int(opened.channel), data)

    async def _interact(self, kind: int, person: str, channel: int, data: dict[str, Any], **more: Any) -> Asked:
        number = next(self._numbers)
        asked = Asked(number, f"itoken-{number}", str(channel), kind, time.monotonic())
        self.asked[asked.token] = asked
        await self.dispatch("INTERACTION_CREATE", {
            "id": str(number), "application_id": str(BOT), "type": kind, "token": asked.token, "version": 1,
            "attachment_size_limit": 10_000_000, "guild_id": str(GUILD), "channel_id": str(channel),
            "channel": payloads.thread(channel) if channel in self.threads else payloads.channel(channel), "member": self.person(person), "data": data, "locale": "en-US",
            "guild_locale": "en-US", "entitlements": [], "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0, "app_permissions": payloads.ALL, **more,
        })  # fmt: skip
        return asked

    def person(self, name: str) -> dict[str, Any]:
        """A member by name; olga is the GM."""
        number = {"olga": 5, "ana": 6, "bo": 7}[name]
        return payloads.member(number, name, (GM_ROLE,) if name == "olga" else ())

    async def react(self, person: str, message: dict[str, Any], emoji: str, *, remove: bool = False) -> None:
        """Somebody reacts."""
        member = self.person(person)
        event = {"user_id": member["user"]["id"], "channel_id": message["channel_id"], "message_id": message["id"],
                 "guild_id": str(GUILD), "emoji": {"id": None, "name": emoji}, "type": 0, "burst": False}  # fmt: skip
        await self.dispatch("MESSAGE_REACTION_REMOVE" if remove else "MESSAGE_REACTION_ADD",
                            event if remove else {**event, "member": member})  # fmt: skip

    async def say(self, person: str, text: str, channel: int = CHANNEL) -> dict[str, Any]:
        """Somebody writes in a channel."""
        member = self.person(person)
        said = payloads.message(next(self._numbers), str(channel), member["user"], {"content": text})
        self.messages[said["id"]] = said
        event = {**said, "guild_id": str(GUILD), "member": {k: v for k, v in member.items() if k != "user"}}
        await self.dispatch("MESSAGE_CREATE", event)
        return said

    # --- gateway -------------------------------------------------------------------------------

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to the bot; where it is not connected, it hears of it when it resumes."""
        event = {"op": 0, "t": name, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        if self._live is not None and not self._live.closed:
            await self._live.send_json(event)

    async def drop(self) -> None:
        """The connection breaks."""
        self._live = None
        transport = self.sockets[-1]._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    async def send(self, op: int, data: Any = None) -> None:
        """Send anything else: 1 asks for a heartbeat, 7 for a reconnect, 9 says the session is invalid."""
        await self.sockets[-1].send_json({"op": op, "d": data, "s": None, "t": None})

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}, "s": None, "t": None})
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            told = json.loads(frame.data)
            if told["op"] == 1:
                self.heartbeats.append(time.monotonic())
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif told["op"] == 2:
                await self._identify(socket, told["d"])
            elif told["op"] == 6:
                await self._resume(socket, told["d"])
            await self._tell()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, told: dict[str, Any]) -> None:
        if told["token"] != self.token:
            await socket.close(code=4004)
            return
        if told["intents"] & (1 << 15) and not self.privileged:
            await socket.close(code=4014)
            return
        self.identified += 1
        self._live = socket
        self.intents = told["intents"]
        ready = {"v": 10, "user": payloads.US, "guilds": [{"id": str(GUILD), "unavailable": True}], "session_id": "s1",
                 "resume_gateway_url": f"ws://127.0.0.1:{self._port}/gw", "shard": told.get("shard", [0, 1]),
                 "application": {"id": str(BOT), "flags": 0}}  # fmt: skip
        self._events.clear()
        await self.dispatch("READY", ready)
        await self.dispatch("GUILD_CREATE", payloads.guild())

    async def _resume(self, socket: web.WebSocketResponse, told: dict[str, Any]) -> None:
        if told["session_id"] != "s1":
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        for event in [event for event in self._events if event["s"] > told["seq"]]:
            await socket.send_json(event)
        self.resumed += 1
        self._live = socket
        await self.dispatch("RESUMED", {})

    # --- REST ----------------------------------------------------------------------------------

    def limit(self, method: str, part: str, *, times: int = 1, after: float = 0.3, everywhere: bool = False) -> None:
        """The next requests of a kind are refused with 429."""
        self.limits.append({"method": method, "part": part, "times": times, "after": after, "global": everywhere})

    async def _rest(self, request: web.Request) -> web.Response:
        path, method = "/" + request.match_info["path"], request.method
        body, files = await _read(request)
        self.requests.append(Sent(method, path, body, time.monotonic(), dict(request.query), files))
        if contract.WHERE is not None:
            self.faults += contract.check_request(method, path, body)
        for limit in self.limits:
            if limit["times"] and limit["method"] == method and limit["part"] in path:
                limit["times"] -= 1
                await self._tell()
                refusal = {"message": "You are being rate limited.", "retry_after": limit["after"], "global": limit["global"]}
                return _answer(429, refusal, {"Via": "1.1 stand-in", "Retry-After": str(limit["after"])})
        private = not path.startswith(("/interactions/", "/webhooks/"))
        if private and request.headers.get("Authorization") != f"Bot {self.token}":
            return _answer(401, {"code": 0, "message": "401: Unauthorized"})
        status, answer = self._route(method, path.strip("/").split("/"), body, dict(request.query))
        if contract.WHERE is not None and status < 400:
            self.faults += contract.check_response(method, path, status, answer)
        await self._tell()
        return _answer(status, answer)

    def _route(self, method: str, at: list[str], body: Any, query: dict[str, str]) -> tuple[int, Any]:  # noqa: C901
        match method, at:
            case "GET", ["users", "@me"]:
                return 200, {**payloads.US, "mfa_enabled": False, "locale": "en-US"}
            case "GET", ["oauth2", "applications", "@me"]:
                return 200, payloads.application()
            case "GET", ["users", "@me", "guilds"]:
                mine = {"id": str(GUILD), "name": "Highcairn", "icon": None, "banner": None, "owner": False,
                        "permissions": self.permissions, "features": []}  # fmt: skip
                return 200, [mine] if self.invited else []
            case "GET", ["guilds", _, *who]:
                return 200, self._member(int(who[1])) if who else payloads.fetched_guild(self.permissions)
            case "GET", ["gateway"]:
                return 200, {"url": self.environment["UNDERSTUDY_DISCORD_GATEWAY_URL"]}
            case "PUT", ["applications", _, "commands"]:
                self.commands = [payloads.command(next(self._numbers), command) for command in body]
                return 200, self.commands
            case _, ["interactions", _, token, "callback"]:
                return self._callback(self.asked[token], body)
            case _, ["webhooks", first, token, *rest] if token in self.asked and first == str(BOT):
                return self._followup(method, self.asked[token], rest, body)
            case "PATCH", ["webhooks", number, *_] if len(at) < 4 and number in self.webhooks:
                hook = self.webhooks[number]
                hook |= {"name": body.get("name", hook["name"]), "avatar": "b" * 32 if body.get("avatar") else hook["avatar"]}
                return 200, hook
            case "PATCH", ["webhooks", number, *_] if len(at) < 4 and number in self.webhooks:
                hook = self.webhooks[number]
                hook |= {"name": body.get("name", hook["name"]), "avatar": "b" * 32 if body.get("avatar") else hook["avatar"]}
                return 200, hook
            case _, ["webhooks", number, _, *rest]:
                return self._hook(method, number, rest, body, query)
            case _, ["channels", where, *rest]:
                return self._channel(method, where, rest, body)
        return 404, {"code": 0, "message": f"404: {method} /{'/'.join(at)}"}

    def _member(self, number: int) -> dict[str, Any]:
        known = [self.person(name) for name in ("olga", "ana", "bo")] + [{**payloads.member(BOT, "Understudy"), "user": payloads.US}]
        found = next(member for member in known if member["user"]["id"] == str(number))
        return {name: value for name, value in found.items() if name != "permissions"}

    def _callback(self, asked: Asked, body: dict[str, Any]) -> tuple[int, Any]:
        now = time.monotonic() - asked.at
        if asked.answered_after is not None:
            return 400, {"code": 40060, "message": "Interaction has already been acknowledged."}
        if now > DEADLINE:
            return 404, {"code": 10062, "message": "Unknown interaction"}
        asked.answered_after, asked.callback = now, body
        asked.acked.set()
        answer: dict[str, Any] = {"interaction": {"id": str(asked.number), "type": asked.kind}}
        if body["type"] in (4, 5):
            data = body.get("data") or {}
            data = {**data, "flags": data.get("flags", 0) | (128 if body["type"] == 5 else 0)}
            asked.original = self._keep(payloads.message(next(self._numbers), asked.channel, payloads.US, data))
            asked.loading = body["type"] == 5
            answer["resource"] = {"type": 4, "message": self.messages[asked.original]}
        return 200, answer

    def _followup(self, method: str, asked: Asked, rest: list[str], body: Any) -> tuple[int, Any]:
        if asked.answered_after is None:
            return 404, {"code": 10015, "message": "Unknown Webhook"}
        if method == "POST":
            return 200, self.messages[self._keep(payloads.message(next(self._numbers), asked.channel, payloads.US, body))]
        number = asked.original if rest[-1] == "@original" else rest[-1]
        return self._message(method, number or "", body)

    def _hook(self, method: str, number: str, rest: list[str], body: Any, query: dict[str, str]) -> tuple[int, Any]:
        hook = self.webhooks.get(number)
        if hook is None:
            return 404, {"code": 10015, "message": "Unknown Webhook"}
        if not rest and method == "POST":
            author = {**payloads.user(int(number), body.get("username") or hook["name"]), "bot": True}
            where = query.get("thread_id", hook["channel_id"])
            made = payloads.message(next(self._numbers), where, author, {**body, "webhook_id": number})
            self._keep(made)
            return (200, made) if query.get("wait") == "1" else (204, None)
        if rest and rest[0] == "messages":
            return self._message(method, rest[1], body)
        return 405, {"code": 0, "message": "405"}

    def _channel(self, method: str, where: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "POST", ["typing"]:
                return 204, None
            case "GET", ["webhooks"]:
                return 200, [hook for hook in self.webhooks.values() if hook["channel_id"] == where]
            case "POST", ["webhooks"]:
                hook = payloads.webhook(next(self._numbers), where, body["name"], body.get("avatar"))
                self.webhooks[hook["id"]] = hook
                return 200, hook
            case "POST", ["messages"]:
                return 200, self.messages[self._keep(payloads.message(next(self._numbers), where, payloads.US, body))]
            case _, ["messages", number]:
                return self._message(method, number, body)
            case "PUT", ["messages", _, "reactions", *_]:
                return 204, None
        return 404, {"code": 0, "message": "404"}

    def _message(self, method: str, number: str, body: Any) -> tuple[int, Any]:
        if number not in self.messages:
            return 404, {"code": 10008, "message": "Unknown Message"}
        if method == "DELETE":
            del self.messages[number]
            return 204, None
        if method == "PATCH":
            changes = {name: value for name, value in body.items() if name in {"content", "components"}}
            if "components" in changes:
                changes["components"] = payloads.components(changes["components"])
            changes["content"] = changes.get("content", self.messages[number]["content"]) or ""
            self.messages[number] |= {**changes, "edited_timestamp": payloads.SINCE}
            self.messages[number]["flags"] &= ~128
        return 200, self.messages[number]

    def _keep(self, message: dict[str, Any]) -> str:
        self.messages[message["id"]] = message
        return str(message["id"])

    @property
    def spoken(self) -> list[dict[str, Any]]:
        """What was said through webhooks, in order."""
        return [message for message in self.messages.values() if "webhook_id" in message]


async def _read(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if request.content_type == "application/json":
        return await request.json(), {}
    if not request.content_type.startswith("multipart/"):
        return None, {}
    body, files = None, {}
    async for part in await request.multipart():
        assert isinstance(part, aiohttp.BodyPartReader)
        if part.name == "payload_json":
            body = json.loads(await part.text())
        else:
            files[part.filename or part.name or ""] = await part.read()
    return body, files


def _answer(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    if status == 204:
        return web.Response(status=204)
    data = json.dumps(body).encode()
    return web.Response(status=status, body=data, headers={"Content-Type": "application/json", **(headers or {})})
