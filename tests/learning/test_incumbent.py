"""Which voice a candidate is held against: the one in force, as the table would let it speak."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from characters.errors import UnderstudyError
from characters.inference.errors import AdapterRefused, ModelMissing
from characters.library import Library
from db.home import Home
from db.provenance import Policy
from db.queries import adapters, play
from db.queries.adapters import Version
from db.store import Store
from learning.nightly.judging import incumbent_of
from learning.nightly.values import Night
from learning.recipes.config import SftConfig
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
def told() -> list[str]:
    """What the night said."""
    return []


@pytest.fixture
async def night(told: list[str], tmp_path: Path) -> AsyncIterator[Night]:
    store = await Store.open(f"sqlite:///{tmp_path / 'db.sqlite'}")
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
    config = SftConfig(learning_rate=1e-3)
    yield Night(store, ScriptedEngine(), Library(None), Home(tmp_path), tmp_path / "base.gguf", campaign, "mira", config, Policy(), NOW,
                told.append, lambda: NOW)  # fmt: skip
    await store.close()


async def speaks(night: Night, base: str) -> None:
    version = Version("mira-1", "mira", "/gone/mira-1.gguf", base, "candidate", {}, NOW)
    async with night.store.session() as session:
        await adapters.add_version(session, night.campaign, version)
        await adapters.promote(session, night.campaign, version, NOW)


async def test_the_voice_in_force_is_the_incumbent(night: Night) -> None:
    assert (await incumbent_of(night)).adapter is None
    await speaks(night, "sha256-scripted")
    assert (await incumbent_of(night)).adapter == "mira-1"


@pytest.mark.parametrize("error", [AdapterRefused("It has another shape."), ModelMissing("There is no file.")])
async def test_a_voice_that_cannot_be_loaded_ends_no_night_and_the_base_stands_for_it(
    night: Night, told: list[str], monkeypatch: pytest.MonkeyPatch, error: UnderstudyError
) -> None:
    async def refuse(adapter: str, path: Path) -> None:
        raise error

    monkeypatch.setattr(night.engine, "load_adapter", refuse)
    await speaks(night, "sha256-scripted")
    assert (await incumbent_of(night)).adapter is None
    assert told == [f"gate: the bare base stands for mira-1; {error}"]


async def test_a_voice_of_another_base_is_no_incumbent_even_where_its_shapes_fit(night: Night) -> None:
    await speaks(night, "sha256-another")
    assert (await incumbent_of(night)).adapter is None
    assert night.engine.adapters == {}  # type: ignore[attr-defined]
