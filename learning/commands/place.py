"""Where the learning half works: the same home, settings, model and database as the table."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.native_proof import extra_buffers_work
from characters.inference.starter import STARTER
from db.home import Home
from db.settings import Settings, load_settings

if TYPE_CHECKING:
    from db.store import Store


T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A home with its settings."""

    home: Home
    settings: Settings
    teacher_key: str = field(default="none", repr=False)

    @classmethod
    def find(cls, campaign: str | None) -> Place:
        """From the environment and the home's settings."""
        environment = dict(os.environ)
        home = Home.find(environment)
        loaded = load_settings(home.settings_file, environment, {"table.campaign": campaign})
        key = loaded.secrets.get("teacher.api_key")
        return cls(home, loaded.settings, key.get_secret_value() if key else "none")

    @property
    def base(self) -> Path:
        """The model adapters are trained on: the one that serves."""
        named = self.settings.engine.model
        return Path(named).expanduser() if named else STARTER

    def engine(self) -> LlamaCppEngine:
        """A local engine; the gate never asks a server."""
        chosen = self.settings.engine
        extra = chosen.extra_buffers and extra_buffers_work(self.home.folder("kv"))
        options = LoadOptions(chosen.context, chosen.kv_tokens, threads=chosen.threads,
                              copy_bonus=chosen.copy_bonus, extra_buffers=extra)  # fmt: skip
        return LlamaCppEngine(self.base, options)

    def run(self, work: Callable[[Store, int], Awaitable[T]]) -> T:
        """Open the database, find the campaign, do the work, close."""
        from db.queries import play
        from db.store import Store

        async def whole() -> T:
            store = await Store.open(self.settings.database.url or self.home.database_url)
            try:
                async with store.session() as session:
                    campaign = await play.campaign_id(session, self.settings.table.campaign, now())
                return await work(store, campaign)
            finally:
                await store.close()

        return asyncio.run(whole())


def quiet() -> None:
    """Keep the libraries' progress bars and notes out of what a night tells; errors still come through."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")
    warnings.filterwarnings("ignore", "Could not find a config file", UserWarning)  # peft; the base is one file


def farewell(what: str, as_json: bool) -> None:
    """Say that a night, or what else holds its lock, makes way; its process ends after."""
    sentence = f"{what} makes way, for somebody is to be forgotten; run it again, and it goes on without them."
    if as_json:
        click.echo(json.dumps({"event": "error", "message": sentence}))
    click.echo(sentence, err=True)
    sys.stdout.flush()


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)
