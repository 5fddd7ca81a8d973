"""The door of the studio: foreign names, other sites, the password, and how much may be sent."""

from typing import Any

import pytest

from bot.studio.address import COOKIE, Address, find_address, is_loopback
from bot.studio.errors import StudioError
from bot.studio.guard import MOST_BYTES, Guard

HERE = Address("127.0.0.1", 8777)
LOCKED = Address("0.0.0.0", 8777, "open sesame")


async def page(scope: Any, receive: Any, send: Any) -> None:
    """A page that reads whatever is sent, and says so."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    taken, more = 0, True
    while more:
        message = await receive()
        taken, more = taken + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(taken).encode()})


async def ask(address: Address, path: str = "/", *, method: str = "GET", kind: str = "http", bodies: tuple[bytes, ...] = (b"",), query: bytes = b"", **headers: str) -> list[dict[str, Any]]:
    named = {"host": "127.0.0.1:8777", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"type": kind, "method": method, "path": path, "query_string": query, "headers": [(k.encode(), v.encode()) for k, v in named.items()]}
    waiting, sent = list(bodies), list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await Guard(page, address)(scope, receive, send)
    return sent


async def status(address: Address, path: str = "/", **asked: Any) -> int:
    first = (await ask(address, path, **asked))[0]
    return first["status"] if first["type"] == "http.response.start" else {"websocket.accept": 101, "websocket.close": 403}[first["type"]]


@pytest.mark.parametrize("host", ["127.0.0.1:8777", "localhost:8777", "LOCALHOST", "[::1]:8777", "127.0.0.1"])
async def test_this_machine_s_own_names_are_let_in(host: str) -> None:
    assert await status(HERE, host=host) == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8777", "127.0.0.1.evil.example", "", "192.168.0.7:8777", "localhost.evil.example"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_foreign_host_header_is_refused(host: str, kind: str) -> None:
    assert await status(HERE, host=host, kind=kind) == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_another_site_s_page_is_refused(kind: str) -> None:
    assert await status(HERE, kind=kind, method="POST", origin="https://evil.example") == 403
    assert await status(HERE, kind=kind, method="POST", origin="null") == 403
    assert await status(HERE, kind=kind, method="POST", sec_fetch_site="cross-site") == 403
    assert await status(HERE, kind=kind, method="POST", origin="http://127.0.0.1:8777", sec_fetch_site="same-origin") in {200, 101}


async def test_a_link_on_another_site_may_open_the_page_and_nothing_else() -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert await status(HERE, **link) == 200
    assert await status(HERE, method="POST", **link) == 403
    assert await status(HERE, **{**link, "sec_fetch_dest": "iframe"}) == 403


async def test_every_page_forbids_the_browser_to_fetch_from_outside() -> None:
    start = (await ask(HERE))[0]
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "http" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


async def test_too_large_a_request_is_refused_whether_it_says_so_or_not() -> None:
    assert await status(HERE, method="POST", content_length=str(MOST_BYTES + 1)) == 413
    assert await status(HERE, method="POST", content_length="-1") == 413
    piece = b"x" * (MOST_BYTES // 2)
    assert await status(HERE, method="POST", bodies=(piece, piece, b"more")) == 413
    assert await status(HERE, method="POST", bodies=(piece, b"")) == 200


async def test_away_from_the_machine_a_password_is_asked_for() -> None:
    assert await status(LOCKED) == 401
    assert await status(LOCKED, kind="websocket") == 403
    assert await status(LOCKED, path="/_nicegui/x.js") == 401
    assert await status(LOCKED, cookie=f"{COOKIE}=guess") == 401
    assert await status(LOCKED, cookie=f"{COOKIE}={LOCKED.cookie}") == 200
    assert await status(LOCKED, host="192.168.0.7:8777", cookie=f"{COOKIE}={LOCKED.cookie}") == 200


async def test_the_right_password_gives_a_cookie_that_does_not_tell_it() -> None:
    [start, _] = await ask(LOCKED, "/sign-in", method="POST", bodies=(b"key=open+sesame",))
    headers = dict(start["headers"])
    assert (start["status"], headers[b"location"]) == (303, b"/")
    assert b"HttpOnly" in headers[b"set-cookie"]
    assert b"SameSite=Strict" in headers[b"set-cookie"]
    assert b"sesame" not in headers[b"set-cookie"]
    assert await status(LOCKED, "/sign-in", method="POST", bodies=(b"key=guess",)) == 401
    assert await status(LOCKED, query=b"key=open%20sesame") == 303


async def test_after_a_wrong_password_even_the_right_one_has_to_wait() -> None:
    guard, sent = Guard(page, LOCKED), list[int]()

    async def send(message: dict[str, Any]) -> None:
        sent.extend([message["status"]] if "status" in message else [])

    for key in (b"key=guess", b"key=open%20sesame"):
        await guard({"type": "http", "method": "GET", "path": "/", "query_string": key, "headers": [(b"host", b"localhost")]}, page, send)
    assert sent == [401, 401]


def test_only_the_machine_itself_needs_no_password() -> None:
    assert find_address("127.0.0.1", 0).password == ""
    there = find_address("0.0.0.0", 0)
    assert there.made_up
    assert len(there.password) >= 16
    assert there.password in there.key_url
    mine = find_address("0.0.0.0", 0, "mine")
    assert (mine.password, mine.key_url) == ("mine", mine.url)
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")] == [True, True, True, False, False]


def test_an_address_that_is_not_this_machine_s_is_refused_in_one_sentence() -> None:
    with pytest.raises(StudioError, match="This machine has no address"):
        find_address("203.0.113.7", 8777)
