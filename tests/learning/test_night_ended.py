"""A night that is ended from outside stops without a word and leaves no file: somebody is forgotten meanwhile."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from characters.inference.engine import Capabilities
from characters.library import Library
from characters.messages import Scene
from db.home import Home
from db.provenance import Policy
from db.queries import lines, nights, play, reactions
from db.queries.reactions import Reaction
from db.store import Store
from db.values import StoredTurn, TakeMade
from learning.nightly import Night, run
from learning.recipes.config import SHIPPED, load_config
from learning.report import markdown
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)
CANARY = "The heron of Vellmark owes my grandmother seven silver spoons, number {}."


class Interrupting(ScriptedEngine):
    """An engine that is slow enough for something to happen while it is asked."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    async def capabilities(self) -> Capabilities:
        await self.meanwhile()
        return await super().capabilities()


async def play_and_begin(store: Store, home: Path, meanwhile: Callable[[int], Awaitable[None]]) -> Night:
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        evening = await play.start_session(session, campaign, NOW)
        scene = await play.start_scene(session, evening, Scene(), NOW)
        gm = await play.person(session, campaign, "local:gm", "You", "gm")
        for number in range(9):
            asked = await lines.add_turn(session, scene, StoredTurn(0, "You", CANARY.format(number), None, "local"), NOW, participant=gm.id)
            line = await lines.add_turn(session, scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
            take = await lines.add_take(session, line, TakeMade(), NOW, text=f"Spoons, {number} of them?", state="complete")
            await lines.keep_take(session, line, take)
            await reactions.react(session, Reaction(line, "thumbs_up", gm.id), NOW)

    async def once() -> None:
        await meanwhile(campaign)

    config = load_config(SHIPPED / "sft_starter.yaml").model_copy(update={"anchors": 0})
    return Night(store, Interrupting(once), Library(None), Home(home), home / "base.gguf", campaign, "mira", config, Policy(),
                 NOW, lambda _: None, lambda: NOW, until="dataset")  # fmt: skip


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and not path.name.startswith("db.sqlite")]


@pytest.mark.parametrize("ended", [False, True])
async def test_nothing_stays_of_a_night_that_was_ended_while_it_made_its_dataset(store: Store, home: Path, ended: bool) -> None:
    async def forgotten(campaign: int) -> None:
        async with store.session() as session:
            last = await nights.last_night(session, campaign, "mira")
            assert last is not None
            if ended:
                await nights.finish_night(session, last.id, "abandoned", NOW)

    night = await play_and_begin(store, home, forgotten)
    kept = Home(home).folder("runs") / "plan-older.json"
    kept.write_text("{}", "utf-8")
    outcome = await run(night)
    held = [path for path in files(home) if b"Vellmark" in path.read_bytes()]
    assert bool(held) is not ended, "the dataset holds it unless the night was ended"
    assert kept.exists()
    if ended:
        assert files(home) == [kept]
        assert (outcome.dataset, outcome.candidates, night.candidates) == ("", (), [])
        assert "Vellmark" not in markdown(outcome, "Mira")
        assert "Nothing of it is kept" in outcome.note
