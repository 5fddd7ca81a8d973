"""`understudy promote` without a name takes what can be heard."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from characters.inference.llama_cpp_engine import file_id
from db.home import Home
from db.queries import adapters, play
from db.queries.adapters import Version
from db.store import Store
from learning.commands.adapters import promote

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)


async def _trained(home: Path, bases: list[str]) -> None:
    store = await Store.open(Home(home).database_url)
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        for at, base in enumerate(bases, 1):
            version = Version(f"mira-{at}", "mira", f"/{at}.gguf", base, "candidate", {}, NOW)
            await adapters.add_version(session, campaign, version)
    await store.close()


def test_the_newest_candidate_on_the_model_in_use_is_promoted_and_not_one_of_another(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    base = home / "base.gguf"
    base.write_bytes(b"GGUF")
    monkeypatch.setenv("UNDERSTUDY_HOME", str(home))
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(base))
    asyncio.run(_trained(home, [file_id(base), "sha256-another"]))
    done = CliRunner().invoke(promote, ["mira"])
    assert (done.exit_code, "speaks with mira-1 " in done.output) == (0, True)
