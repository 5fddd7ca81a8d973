"""A page that was fetched and is not looked at costs little, and one that connects late has missed nothing."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
import socketio  # type: ignore[import-untyped]
from nicegui import Client

from bot.studio.address import find_address
from bot.studio.serving import served
from bot.studio.studio import OpenTable, Studio
from bot.table.table import Table
from characters.library import Library
from db.home import Home
from db.settings import Settings
from tests.bot.conftest import OpenTable as Open
from tests.fakes.hearing import said

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def at(open_table: Open, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Table, str]]:
    """A table, and the address of its studio."""
    monkeypatch.setenv("NICEGUI_STORAGE_PATH", str(open_table.home))
    table = await open_table("Four copper.", "Five, since the flood.", "Six " + "and so on " * 60, "Four copper.", pace=0.02)
    state = table.state
    studio = Studio(
        state.store, state.engine, Library(open_table.home), Settings(), Home(open_table.home), open_table.home / "model.gguf",
        lambda: datetime.now(UTC), lambda: [OpenTable("t", "Table", table)],
    )  # fmt: skip
    address = find_address("127.0.0.1", 0)
    async with served(studio, address):
        yield table, address.url


async def fetched(url: str) -> Client:
    """A page that somebody fetched, without a websocket."""
    before = set(Client.instances)
    async with httpx2.AsyncClient(timeout=60) as http:
        assert (await http.get(url)).status_code == 200
    [made] = set(Client.instances) - before
    return Client.instances[made]


async def connected(url: str, page: Client) -> tuple[socketio.AsyncClient, list[str]]:
    """Connect as a browser does; what the page is told comes into the list."""
    browser, told = socketio.AsyncClient(), list[str]()
    browser.on("run_javascript", lambda message: told.append(message["code"]))
    query = f"client_id={page.id}&tab_id=tab&document_id=document&next_message_id=0&implicit_handshake=true"
    await browser.connect(f"{url}?{query}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
    return browser, told


async def until_told(told: list[str], *words: str) -> str:
    for _ in range(1000):
        if all(re.search(word, " ".join(told)) for word in words):
            return " ".join(told)
        await asyncio.sleep(0.02)
    pytest.fail(" ".join(told))


async def test_a_page_hears_what_happened_when_it_connects_and_lets_go_of_it_when_it_closes(at: tuple[Table, str]) -> None:
    """One test, for a process serves one studio."""
    table, url = at
    await missed_nothing(table, url)
    await told_nothing_twice(table, url)
    await let_go(url)


async def missed_nothing(table: Table, url: str) -> None:
    page = await fetched(url)
    await said(table, "What does the ale cost?")
    await said(table, "And now?")
    saying = asyncio.create_task(said(table, "And tomorrow?"))
    await asyncio.sleep(0.5)
    assert not page.outbox.messages, "what nobody may ever read is not kept"

    browser, told = await connected(url, page)
    early = await until_told(told, "Four copper", "Five, since", "And tomorrow", '"begun".*"piece".*Six and')
    assert not saying.done(), early
    await saying
    await until_told(told, '"origin"[^}]*}], "kept".*|Six (and so on )+')
    assert " ".join(told).count('"anew"') == 1
    await browser.disconnect()


async def told_nothing_twice(table: Table, url: str) -> None:
    page = await fetched(url)
    browser, told = await connected(url, page)
    await said(table, "And the ale?")
    assert "anew" not in await until_told(told, "And the ale")
    await browser.disconnect()


async def let_go(url: str) -> None:
    for room in ("", "review", "nights", "characters", "machine"):
        page = await fetched(url + room)
        elements = [element for element in page.elements.values() if "start" in element.props]
        assert elements, room
        page.delete()
        assert not [element for element in elements if "start" in element.props], room
