"""The door: who may reach the page, what a page may load, and how much may be sent.

One layer before everything else, the sockets of the page included. It refuses a foreign Host header
(a site that had its name point here), a request another site's page makes, and a body that is too
large; and it asks for the password where there is one.
"""

import html
import json
import time
import urllib.parse
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.studio.address import COOKIE, Address

MOST_BYTES = 24 * 1024 * 1024  # of one request; a character card with its picture is the largest thing sent here
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip
_PAUSE = 1.0  # seconds after a wrong password, for everybody
_KEYED = ("/v1/", "/openapi.json", "/docs")  # the NPC API has keys of its own


class _TooLarge(Exception):
    """More was sent than is taken."""


class Guard:
    """ASGI middleware.

    Args:
        keyed: paths that are guarded by keys of their own instead of the password.
    """

    def __init__(self, app: ASGIApp, address: Address, keyed: Iterable[str] = _KEYED) -> None:
        self.app, self.address, self.keyed = app, address, tuple(keyed)
        self._not_before = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refusal(scope, headers)
        if refused:
            await _answer(scope, send, 403, refused)
        elif self._wants_password(scope, headers):
            await self._ask(scope, receive, send)
        else:
            await self._pass(scope, headers, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> str:
        if not self.address.allows(headers.get("host", "")):
            return "This address is not Understudy's; open the one it printed."
        origin = headers.get("origin", "")
        if origin and urllib.parse.urlsplit(origin).netloc.casefold() != headers["host"].casefold():
            return "Another site asked for this, and is refused."
        reading = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        opened = reading and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not opened:
            return "Another site asked for this, and is refused."
        return ""

    def _wants_password(self, scope: Scope, headers: dict[str, str]) -> bool:
        if scope["path"].startswith(self.keyed):
            return False
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        return not self.address.let_in(cookie.value if cookie else "")

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for the password, or take it."""
        if scope["type"] == "websocket" or scope["path"].startswith("/_"):
            await _answer(scope, send, 401, "Sign in first.")
            return
        given = _key_of(scope["query_string"])
        if scope["method"] == "POST" and scope["path"] == "/sign-in":
            given = urllib.parse.parse_qs((await _small_body(receive)).decode("utf-8", "replace")).get("key", [""])[0]
        if given and time.monotonic() >= self._not_before:
            if self.address.right(given):
                await _answer(scope, send, 303, "", {"location": "/", "set-cookie": (
                    f"{COOKIE}={self.address.cookie}; Path=/; HttpOnly; SameSite=Strict")})  # fmt: skip
                return
            self._not_before = time.monotonic() + _PAUSE
        await _page(send, 401, "Not that one; try again in a moment." if given else "")

    async def _pass(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            await _answer(scope, send, 413, f"More than {MOST_BYTES // 1024**2} MB are not taken.")
            return
        taken, begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b"")) if message["type"] == "http.request" else 0
            if taken > MOST_BYTES:
                raise _TooLarge
            return message

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                known = {name.lower() for name, _ in message["headers"]}
                extra = [(n.encode(), v.encode()) for n, v in _HEADERS.items() if n.encode() not in known]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self.app(scope, counted, dressed if scope["type"] == "http" else send)
        except _TooLarge:
            if not begun:
                await _answer(scope, send, 413, f"More than {MOST_BYTES // 1024**2} MB are not taken.")


def _key_of(query: bytes) -> str:
    return urllib.parse.parse_qs(query.decode("latin-1")).get("key", [""])[0]


async def _small_body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) < 4096:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _answer(scope: Scope, send: Send, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:100]})
        return
    body = json.dumps({"error": sentence}).encode()
    named = {"content-type": "application/json", **_HEADERS, **(headers or {})}
    await _send(send, status, named, body)


async def _page(send: Send, status: int, said: str) -> None:
    body = _SIGN_IN.replace("{said}", html.escape(said)).encode()
    await _send(send, status, {"content-type": "text/html; charset=utf-8", **_HEADERS}, body)


async def _send(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


_SIGN_IN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Understudy</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{color-scheme:light dark;--ground:#f7f4ee;--ink:#2a2622;--line:#d9d2c5}
@media (prefers-color-scheme:dark){:root{--ground:#191715;--ink:#ece6dc;--line:#3a352f}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}form{width:min(20rem,90vw);display:grid;gap:.75rem}h1{font-size:1.4rem;margin:0}
input,button{font:inherit;padding:.6rem .8rem;border-radius:.5rem;border:1px solid var(--line);background:transparent;
color:inherit}button{background:#8a4b2d;color:#fff;border:0;cursor:pointer}p{margin:0;min-height:1.5em}</style>
<form method="post" action="/sign-in"><h1>Understudy</h1><label for="key">The password of this table</label>
<input id="key" name="key" type="password" autocomplete="current-password" autofocus required>
<button>Come in</button><p role="alert">{said}</p></form></html>"""
