"""What the API stands on: the same store, engine, library and limits as the table beside it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.table.limits import Limits
from bot.table.table import Table
from characters.inference.engine import Engine, Sampling
from characters.library import Library
from db.queries import api, play
from db.queries.api import ApiKey
from db.settings import ApiSettings
from db.store import Store

HERE = "here"  # the handle of programs of this machine that bring no key


@dataclass(frozen=True)
class Host:
    """What all conversations share.

    Attributes:
        campaign: the one that is spoken of where a model names none.
        loaded: adapters in the engine, shared with every table of it.
        limits: lines and veils of the table beside; a campaign may have its own.
    """

    store: Store
    engine: Engine
    library: Library
    clock: Callable[[], datetime]
    rng: random.Random
    sampling: Sampling
    settings: ApiSettings
    campaign: str
    system_budget: int = 0
    swap: Literal["scene", "line"] = "line"
    loaded: list[str] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)

    @classmethod
    async def beside(cls, table: Table, settings: ApiSettings) -> "Host":
        """The host of a table that is open."""
        state = table.state
        async with state.store.session() as session:
            campaign = await play.campaign_name(session, state.campaign)
        return cls(state.store, state.engine, state.library, state.clock, state.rng, state.sampling, settings, campaign,
                   state.system_budget, state.swap, state.loaded, state.limits)  # fmt: skip


@dataclass(frozen=True)
class Caller:
    """Whoever asks: a key, or a program of this machine without one.

    Attributes:
        campaign: the one it may speak in; None for all.
        consent: "given" if what its players say may be trained on.
    """

    handle: str
    campaign: str | None
    role: str = "player"
    consent: str = "refused"

    @classmethod
    def of(cls, key: ApiKey) -> "Caller":
        """The caller behind a key."""
        return cls(key.handle, key.campaign, key.role, key.consent)

    @property
    def prefix(self) -> str:
        """What the places of its conversations begin with."""
        return api.place_prefix(self.handle)
