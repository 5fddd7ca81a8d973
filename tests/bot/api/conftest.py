"""The API on loopback, in this process, over a scripted or a tiny engine; and real clients of it."""

import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from bot.api.app import Api
from bot.api.host import Host
from bot.api.keys import new_key
from bot.api.serving import served
from characters.inference.engine import Engine, Sampling
from characters.library import Library
from db.models import Base
from db.queries import api as keys
from db.queries import play
from db.settings import ApiSettings
from db.store import Store
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)


class Served:
    """An API that is being served, its address, and short ways to speak with it."""

    def __init__(self, api: Api, address: str, engine: Any) -> None:
        self.api, self.address, self.engine = api, address, engine
        self.store = api.host.store
        self.clients: list[Any] = []
        self._by_key: dict[str, openai.AsyncOpenAI] = {}

    def client(self, key: str = "none") -> openai.AsyncOpenAI:
        if key not in self._by_key:
            plain = openai.DefaultAsyncHttpxClient(verify=False)  # no certificates are read for loopback
            made = openai.AsyncOpenAI(base_url=f"{self.address}/v1", api_key=key, max_retries=0, timeout=60, http_client=plain)
            self._by_key[key] = made
            self.clients.append(made)
        return self._by_key[key]

    def http(self, **more: Any) -> httpx2.AsyncClient:
        made = httpx2.AsyncClient(base_url=self.address, timeout=60, verify=False, **more)
        self.clients.append(made)
        return made

    async def say(self, text: str, key: str = "none", model: str = "home/mira", past: list[Any] | None = None, **extra: Any) -> Any:
        messages = [*(past or []), {"role": "user", "content": text}]
        return await self.client(key).chat.completions.create(model=model, messages=messages, extra_body=extra)

    async def key(self, name: str = "game", *, campaign: str | None = "home", role: str = "player", consent: str = "refused") -> str:
        made, secret = new_key(name, campaign, role, consent, NOW)
        async with self.store.session() as session:
            await keys.add_key(session, made, secret)
        return secret

    async def rows(self, model: type[Base]) -> list[Any]:
        from sqlalchemy import select

        async with self.store.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]

    async def texts(self) -> list[str]:
        from db.models import TurnRow

        return [turn.text for turn in await self.rows(TurnRow)]


Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def shipped() -> Library:
    """The shipped sheets, read once for all tests."""
    return Library()


@pytest.fixture
async def serve(home: Path, migrated: Path, shipped: Library) -> AsyncIterator[Serve]:
    """Serve the API over an engine: `await serve("a line", "another")`, or `await serve(engine=…)`."""
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    async with contextlib.AsyncExitStack() as stack:

        async def begin(
            *script: Any, engine: Engine | None = None, listens_at: str = "127.0.0.1", pace: float = 0.0, **settings: Any
        ) -> Served:
            speaks = engine or ScriptedEngine(*script, pace=pace)
            store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
            stack.push_async_callback(store.close)
            stack.push_async_callback(speaks.close)
            async with store.session() as session:
                await play.campaign_id(session, "home", NOW)
            host = Host(store, speaks, shipped, lambda: NOW, random.Random(7), Sampling(max_tokens=24),
                        ApiSettings(**settings), "home")  # fmt: skip
            api = Api(host, listens_at)
            stack.push_async_callback(api.close)
            address = await stack.enter_async_context(served(api.app, "127.0.0.1", 0))
            found = Served(api, address, speaks)
            stack.push_async_callback(_close_all, found)
            return found

        yield begin


async def _close_all(found: Served) -> None:
    for client in found.clients:
        await (client.close() if isinstance(client, openai.AsyncOpenAI) else client.aclose())
