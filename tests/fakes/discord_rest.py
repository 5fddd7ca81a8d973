"""The stand-in's REST API: what the bot asks is recorded, held against Discord's description, and answered."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes import discord_contract as contract
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_payloads import BOT, GM_ROLE, GUILD

DEADLINE = 3.0
Answered = tuple[int, Any]


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


class Rest(Gateway):
    """What stands on the server, and every request for it."""

    def __init__(self, token: str, *, privileged: bool) -> None:
        super().__init__(token, privileged=privileged)
        self.requests: list[Sent] = []
        self.faults: list[str] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.commands: list[dict[str, Any]] = []
        self.asked: dict[str, Asked] = {}
        self.limits: list[dict[str, Any]] = []
        self.invited, self.permissions = False, payloads.ALL
        self.numbers = itertools.count(10_000)

    def person(self, name: str) -> dict[str, Any]:
        """A member by name; olga is the GM."""
        number = {"olga": 5, "ana": 6, "bo": 7}[name]
        return payloads.member(number, name, (GM_ROLE,) if name == "olga" else ())

    def limit(self, method: str, part: str, *, times: int = 1, after: float = 0.3, everywhere: bool = False) -> None:
        """The next requests of a kind are refused with 429."""
        self.limits.append({"method": method, "part": part, "times": times, "after": after, "global": everywhere})

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        path, method = "/" + request.match_info["path"], request.method
        body, files = await _read(request)
        sent = Sent(method, path, body, time.monotonic(), dict(request.query), files)
        self.requests.append(sent)
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
        status, answer = self._route(sent)
        if contract.WHERE is not None and status < 400:
            self.faults += contract.check_response(method, path, status, answer)
        await self._tell()
        return _answer(status, answer)

    def _route(self, sent: Sent) -> Answered:
        for method, path, handler in _ROUTES:
            found = path.fullmatch(sent.path)
            if found and method in {"*", sent.method}:
                return handler(self, sent, *found.groups())
        return 404, {"code": 0, "message": f"404: {sent.method} {sent.path}"}

    # --- the bot itself, and its server ----------------------------------------------------------

    def _me(self, _: Sent) -> Answered:
        return 200, {**payloads.US, "mfa_enabled": False, "locale": "en-US"}

    def _application(self, _: Sent) -> Answered:
        return 200, payloads.application()

    def _my_servers(self, _: Sent) -> Answered:
        mine = {"id": str(GUILD), "name": "Highcairn", "icon": None, "banner": None, "owner": False,
                "permissions": self.permissions, "features": []}  # fmt: skip
        return 200, [mine] if self.invited else []

    def _server(self, _: Sent) -> Answered:
        return 200, payloads.fetched_guild(self.permissions)

    def _member(self, _: Sent, number: str) -> Answered:
        known = [self.person(name) for name in ("olga", "ana", "bo")] + [{**payloads.member(BOT, "Understudy"), "user": payloads.US}]
        found = next(member for member in known if member["user"]["id"] == number)
        return 200, {name: value for name, value in found.items() if name != "permissions"}

    def _where_the_gateway_is(self, _: Sent) -> Answered:
        return 200, {"url": self.url}

    def _make_commands_known(self, sent: Sent) -> Answered:
        self.commands = [payloads.command(next(self.numbers), command) for command in sent.body]
        return 200, self.commands

    # --- interactions ----------------------------------------------------------------------------

    def _callback(self, sent: Sent, token: str) -> Answered:
        asked, body = self.asked[token], sent.body
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
            asked.original = self._keep(payloads.message(next(self.numbers), asked.channel, payloads.US, data))
            asked.loading = body["type"] == 5
            answer["resource"] = {"type": 4, "message": self.messages[asked.original]}
        return 200, answer

    def _followup(self, sent: Sent, token: str, message: str | None) -> Answered:
        asked = self.asked[token]
        if asked.answered_after is None:
            return 404, {"code": 10015, "message": "Unknown Webhook"}
        if message is None:
            return 200, self.messages[self._keep(payloads.message(next(self.numbers), asked.channel, payloads.US, sent.body))]
        return self._change(sent, asked.original or "" if message == "@original" else message)

    # --- webhooks and channels -------------------------------------------------------------------

    def _edit_hook(self, sent: Sent, number: str) -> Answered:
        hook, body = self.webhooks[number], sent.body
        hook |= {"name": body.get("name", hook["name"]), "avatar": "b" * 32 if body.get("avatar") else hook["avatar"]}
        return 200, hook

    def _speak(self, sent: Sent, number: str) -> Answered:
        hook = self.webhooks.get(number)
        if hook is None:
            return 404, {"code": 10015, "message": "Unknown Webhook"}
        forums = {channel["id"] for channel in self.channels if channel["type"] == 15}
        if hook["channel_id"] in forums and "thread_id" not in sent.params:
            return 400, {"code": 220001, "message": "Webhooks posted to forum channels must have a thread_name or thread_id"}
        author = {**payloads.user(int(number), sent.body.get("username") or hook["name"]), "bot": True}
        where = sent.params.get("thread_id", hook["channel_id"])
        made = payloads.message(next(self.numbers), where, author, {**sent.body, "webhook_id": number})
        self._keep(made)
        return (200, made) if sent.params.get("wait") == "1" else (204, None)

    def _hooks_message(self, sent: Sent, number: str, message: str) -> Answered:
        return self._change(sent, message) if number in self.webhooks else (404, {"code": 10015, "message": "Unknown Webhook"})

    def _hooks(self, _: Sent, where: str) -> Answered:
        return 200, [hook for hook in self.webhooks.values() if hook["channel_id"] == where]

    def _make_hook(self, sent: Sent, where: str) -> Answered:
        hook = payloads.webhook(next(self.numbers), where, sent.body["name"], sent.body.get("avatar"))
        self.webhooks[hook["id"]] = hook
        return 200, hook

    def _nothing_to_say(self, *_: Any) -> Answered:
        return 204, None

    def _say(self, sent: Sent, where: str) -> Answered:
        return 200, self.messages[self._keep(payloads.message(next(self.numbers), where, payloads.US, sent.body))]

    def _change(self, sent: Sent, number: str) -> Answered:
        if number not in self.messages:
            return 404, {"code": 10008, "message": "Unknown Message"}
        if sent.method == "DELETE":
            del self.messages[number]
            return 204, None
        if sent.method == "PATCH":
            changes = {name: value for name, value in sent.body.items() if name in {"content", "components"}}
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


def _routes(*known: tuple[str, str, Callable[..., Answered]]) -> list[tuple[str, re.Pattern[str], Callable[..., Answered]]]:
    """Paths as patterns; a word in braces is a part that is handed over, a star one that is not."""
    return [
        (method, re.compile(re.sub(r"\{\w+\}", "([^/]+)", path.replace("*", "[^/]+"))), handler) for method, path, handler in known
    ]  # fmt: skip


_ROUTES = _routes(
    ("GET", "/users/@me", Rest._me),
    ("GET", "/oauth2/applications/@me", Rest._application),
    ("GET", "/users/@me/guilds", Rest._my_servers),
    ("GET", "/guilds/*/members/{number}", Rest._member),
    ("GET", "/guilds/*", Rest._server),
    ("GET", "/gateway", Rest._where_the_gateway_is),
    ("PUT", "/applications/*/commands", Rest._make_commands_known),
    ("*", "/interactions/*/{token}/callback", Rest._callback),
    ("*", f"/webhooks/{BOT}/{{token}}(?:/messages/{{message}})?", Rest._followup),
    ("PATCH", "/webhooks/{number}(?:/[^/]+)?", Rest._edit_hook),
    ("POST", "/webhooks/{number}/*", Rest._speak),
    ("*", "/webhooks/{number}/*/messages/{message}", Rest._hooks_message),
    ("POST", "/channels/*/typing", Rest._nothing_to_say),
    ("GET", "/channels/{where}/webhooks", Rest._hooks),
    ("POST", "/channels/{where}/webhooks", Rest._make_hook),
    ("POST", "/channels/{where}/messages", Rest._say),
    ("*", "/channels/*/messages/{message}", Rest._change),
    ("PUT", "/channels/*/messages/*/reactions/*/@me", Rest._nothing_to_say),
)


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
