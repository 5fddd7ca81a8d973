"""A Discord server to play in: SimCord's, with our real bot, real table and real database; the engine says what it is told to."""

import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite, OverwriteType
from simcord.http.routes import interactions
from sqlalchemy import select

from bot.discord_app.client import Understudy
from bot.discord_app.rooms import House, Rooms
from characters.inference.errors import EngineError
from characters.library import Library
from db.models import Base
from db.queries import lines
from db.settings import DiscordSettings, Settings
from db.store import Store
from tests.fakes import discord_contract as contract
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
QUICK = {"cooldown": 0.0, "gather_idle": 0.05, "gather_most": 0.2}


class Evening:
    """A server with one channel, a GM and two players; the bot is there."""

    def __init__(self, env: simcord.Env, bot: Understudy, engine: ScriptedEngine, store: Store) -> None:
        self.env, self.bot, self.engine, self.store = env, bot, engine, store
        self.guild = env.create_guild("Highcairn")
        self.channel: Any = self.guild.create_text_channel("tavern")
        master = self.guild.create_role("GM")
        self.gm = self.guild.add_member(env.create_user("olga"), roles=[master])
        self.ana = self.guild.add_member(env.create_user("ana"))
        self.bo = self.guild.add_member(env.create_user("bo"))

    @property
    def spoken(self) -> list[discord.Message]:
        """What NPCs said in the channel, through webhooks."""
        return [message for message in self.channel.history() if message.webhook_id]

    async def summon(self, name: str = "mira", channel: Any = None) -> None:
        await self.gm.slash(channel or self.channel, "npc summon", name=name)

    async def rows(self, model: type[Base]) -> list[Any]:
        async with self.store.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]

    def control(self, act: str) -> str:
        """The id of a control under the newest line."""
        row = self.spoken[-1].components[0]
        return next(str(child.custom_id) for child in row.children if str(child.custom_id).endswith(f":{act}"))

    async def forbid(self, **permissions: bool) -> None:
        """Take permissions from the bot in the channel."""
        me = self.bot.user
        assert me is not None
        denied = discord.Permissions(**permissions).value
        self.env.backend.set_overwrite(self.channel.id, Overwrite(me.id, OverwriteType.MEMBER, deny=denied))
        await self.env.settle()

    async def transcript(self, channel: Any = None) -> list[str]:
        """What counts as said in a channel's scene."""
        room = self.bot.stage.desk.rooms.at((channel or self.channel).id)
        assert room is not None
        async with self.store.session() as session:
            return [turn.text for turn in await lines.transcript(session, room.table.state.scene_id)]

    async def restart(self, *script: str | EngineError, **settings: Any) -> None:
        """The program ends and starts again; the server goes on meanwhile."""
        self.engine = ScriptedEngine(*script)
        self.bot = make_bot(self.store, self.engine, self.bot.stage.desk.home, settings)
        await self.env.restart_bot(self.bot)


def make_bot(store: Store, engine: ScriptedEngine, home: Path, settings: dict[str, Any]) -> Understudy:
    chosen = Settings(discord=DiscordSettings(**{**QUICK, **settings}))
    house = House(store, engine, Library(home), chosen, lambda: NOW, random.Random(7))
    return Understudy(Rooms(house), home)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    """A model server, for the real program at the real wire."""
    async with ModelServer() as server:
        yield server


@pytest.fixture(name="discord")
async def standin(home: Path, migrated: Path) -> AsyncIterator[DiscordStandIn]:
    """What stands in for Discord there."""
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    async with DiscordStandIn() as made:
        yield made
    assert made.faults == []  # every request and every answer is one Discord describes


Begin = Callable[..., Awaitable[Evening]]


@pytest.fixture
async def begin(home: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Begin]:
    """Begin an evening with a script for the NPCs and settings for the bot."""
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    begun: list[simcord.Env] = []
    # SimCord takes every webhook for a person's; those an application made may carry controls.
    monkeypatch.setattr(interactions, "_incoming_webhook_body", lambda ctx: (dict(ctx.body()), True))

    async def start(*script: str | EngineError, pace: float = 0.0, **settings: Any) -> Evening:
        engine = ScriptedEngine(*script, pace=pace)
        bot = make_bot(store, engine, home, settings)
        env = simcord.Env(bot, settle_timeout=20)
        begun.append(env)
        await env.start()
        return Evening(env, bot, engine, store)

    yield start
    for env in begun:
        await env.shutdown()
        env.raise_errors()
        assert wrong_requests(env) == []
    await store.close()


def wrong_requests(env: simcord.Env) -> list[str]:
    """What Discord would not understand of all that the bot asked; nothing where its description does not lie here."""
    if contract.WHERE is None:
        return []
    return [
        fault for request in env.http_requests
        for fault in contract.check_request(request.method, request.path.split("?")[0], request.json)
    ]  # fmt: skip
