"""The door: who may ask at all, before anything of a request is read.

- A foreign Host header is refused: a web page that lets its own name point here (DNS rebinding)
  would otherwise speak as a program of this machine.
- Requests a web page of another site makes are refused: browsers say so in Origin and Sec-Fetch-Site.
- Bodies are read up to the limit, and no further; posted bodies are JSON.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.errors import ApiError
from bot.table import observing

_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether an address means this machine alone."""
    try:
        return host.casefold() in _HERE or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Refuses what must not come in.

    Args:
        host: the address that is listened at.
        names: other names this machine is called by.
        most: bytes of a body.
    """

    def __init__(self, app: ASGIApp, host: str, names: Iterable[str], most: int) -> None:
        self._app, self._most = app, most
        self._local = is_loopback(host)
        self._names = {name.strip().casefold() for name in names if name.strip()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _observed(headers.get("x-request-id", ""), send)
        try:
            self._check(scope, headers)
            body = await self._body(headers, receive) if scope["method"] in {"POST", "PUT", "PATCH"} else b""
        except ApiError as refused:
            await refused.response()(scope, receive, send)
            return
        scope.setdefault("state", {})["at_home"] = self._at_home(headers)
        await self._app(scope, _with_body(body, receive), send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = _name(headers.get("host", ""))
        if not self._known(host):
            raise ApiError(f"This server is not {host[:100] or 'nameless'}; call it by its address, or name it in the "
                           "setting api.names.", 403, "permission_error", "foreign_host")  # fmt: skip
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if (origin is not None and not _same(origin, headers.get("host", ""))) or site in {"cross-site", "same-site"}:
            raise ApiError("Web pages of other sites may not speak here; call from a program.", 403,
                           "permission_error", "cross_site")  # fmt: skip
        kind = headers.get("content-type", "").partition(";")[0].strip().casefold()
        if scope["method"] == "POST" and kind != "application/json":
            raise ApiError("The body must be JSON; send it with Content-Type: application/json.", 415)

    def _known(self, host: str) -> bool:
        if host in self._names or is_loopback(host):
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return not self._local  # an address is no name somebody could have bent

    def _at_home(self, headers: Headers) -> bool:
        """Whether a program of this machine asks, with nobody between."""
        between = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
        return self._local and is_loopback(_name(headers.get("host", ""))) and not between

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        refusal = ApiError(f"The request is larger than {self._most // 1024} KiB; send less history.", 413)
        told = headers.get("content-length", "0")
        if not told.isdigit() or int(told) > self._most:
            raise refusal
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._most:
                raise refusal
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return bytes(body)


def _observed(given: str, send: Send) -> Send:
    """Begin an interaction, tell its id in the answer, and count the answer."""
    name = observing.begin(given if _ID.fullmatch(given) else "")

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            observing.COUNTERS.add("understudy_requests_total", status=str(message["status"]))
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", name.encode())]}
        await send(message)

    return told


def _name(host: str) -> str:
    """The name of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].casefold()
    return host.rpartition(":")[0].casefold() if host.rpartition(":")[2].isdigit() and ":" in host else host.casefold()


def _same(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.casefold() == host.casefold() != ""
    except ValueError:
        return False


def _with_body(body: bytes, receive: Receive) -> Receive:
    """Receive a body that was read already, then whatever comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
