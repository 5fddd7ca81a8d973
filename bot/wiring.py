"""The composition root: settings become an engine, a store, a table. Nothing is made on import."""

import contextlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from characters.inference.engine import Engine, Sampling
from characters.library import Library
from db.home import Home
from db.settings import Loaded, Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from bot.table.table import Seat, Table
    from db.store import Store


@dataclass(frozen=True)
class House:
    """The home with its settings: what every command starts from."""

    home: Home
    loaded: Loaded

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    @property
    def database_url(self) -> str:
        """The database in force."""
        return self.settings.database.url or self.home.database_url

    @property
    def model(self) -> Path:
        """The local model in force: the bundled starter unless a file is named."""
        from characters.inference.starter import STARTER

        named = self.settings.engine.model
        return Path(named).expanduser() if named else STARTER

    @property
    def embedder(self) -> Path | None:
        """The local model that makes vectors of memories; None where none does.

        Raises:
            SettingsError: there is no local model to make them.
        """
        memory, engine = self.settings.memory, self.settings.engine
        if memory.embeddings == "off":
            return None
        if engine.url:
            raise SettingsError(
                "memory.embeddings wants a local engine, and engine.url names a server; set one of the two back."
            )
        return Path(memory.embedding_model).expanduser() if memory.embedding_model else self.model

    def library(self) -> Library:
        """Shipped sheets and the home's."""
        return Library(self.home.root)


def find_house(command_line: dict[str, Any] | None = None) -> House:
    """Read the environment and the home's settings."""
    environment = dict(os.environ)
    home = Home.find(environment)
    return House(home, load_settings(home.settings_file, environment, command_line))


def make_engine(house: House, streams: int = 1) -> Engine:
    """The engine the settings ask for; it starts when first used.

    Args:
        streams: how many lines the local one speaks at once, unless the settings say.
    """
    settings, embedder = house.settings.engine, house.embedder
    if settings.url:
        from characters.inference.openai_engine import OpenAIEngine

        secret = house.loaded.secrets.get("engine.api_key")
        key = secret.get_secret_value() if secret else "none"
        return OpenAIEngine(
            settings.url, settings.remote_model, key, context=settings.context, patience=settings.patience,
            adapters=settings.adapters,
        )
    from characters.inference.llama_cpp_engine import LlamaCppEngine
    from characters.inference.llama_options import LoadOptions
    from characters.inference.native_proof import extra_buffers_work

    kept = house.home.folder("kv")
    extra = settings.extra_buffers and extra_buffers_work(kept)
    options = LoadOptions(settings.context, settings.kv_tokens, threads=settings.threads,
                          copy_bonus=settings.copy_bonus, extra_buffers=extra,
                          streams=settings.streams or streams)  # fmt: skip
    return LlamaCppEngine(house.model, options, settings.patience, kept, embedder)


@contextlib.asynccontextmanager
async def open_table(
    house: House, seat: "Seat", npc: str | None = None, streams: int = 1
) -> AsyncIterator["Table"]:
    """Open a table and close it whatever happens."""
    from bot.table.table import Table
    from db.store import Store

    house.home.folder("")
    engine = make_engine(house, streams)
    store = await Store.open(house.database_url)
    try:
        await engine.start()
        settings = house.settings
        library, kept_at = await _ensemble(house, store)
        table = await Table.open(
            store, engine, library, campaign=settings.table.campaign, seat=seat,
            clock=lambda: datetime.now(UTC), rng=random.SystemRandom(),
            sampling=Sampling(**settings.sampling.model_dump()), system_budget=settings.engine.system_budget,
            swap=settings.table.swap,
        )  # fmt: skip
        table.state.made_up_at = kept_at
        if npc or table.state.speaker is None:
            await table.summon(npc or settings.table.npc)
        try:
            yield table
        finally:
            await table.speaking.close()
    finally:
        await engine.close()
        await store.close()


async def _ensemble(house: House, store: "Store") -> tuple[Library, str]:
    """The library with whom this campaign's GM made up, and where that is kept."""
    from bot.table.backstage import made_up_at
    from bot.table.improvise import Ensemble
    from characters.sheet import Sheet
    from db.queries import places

    place = made_up_at(house.settings.table.campaign)
    async with store.session() as session:
        made: dict[str, Any] = await places.setting(session, place, "improvised") or {}
    return Ensemble(house.library(), {slug: Sheet.model_validate(fields) for slug, fields in made.items()}), place
