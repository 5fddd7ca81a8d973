"""Where the GM lets what passed the gate speak at once, what was taken back stays silent."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.home import Home
from db.queries import adapters, play
from db.queries.adapters import Version
from db.settings import NightSettings, Settings
from db.store import Store
from learning.commands.night import promote_if_wished
from learning.commands.place import Place
from learning.gate import GateVerdict
from learning.nightly import Outcome
from learning.report import markdown

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)
NOBODYS = {"sft": 9, "pair": 0, "label": 0, "left_out": 0}


async def speaks_after(store: Store, place: Place, state: str, *, passed: bool = True) -> bool:
    """Whether an adapter of a state speaks once a night has judged it again."""
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        await adapters.add_version(session, campaign, Version("mira-1", "mira", "", "base", state, {}, NOW))
    outcome = Outcome("mira", NOBODYS, (), "nothing", "mira-1", verdict=GateVerdict(passed, "not worse anywhere", ()))
    await promote_if_wished(place, store, campaign, outcome)
    async with store.session() as session:
        return await adapters.active_adapter(session, campaign, "mira") is not None


@pytest.mark.parametrize(("state", "speaks"), [("candidate", True), ("rolled_back", False), ("blocked", False)])
async def test_a_voice_that_was_rolled_back_or_blocked_is_not_promoted_by_another_night(
    store: Store, home: Path, state: str, speaks: bool
) -> None:
    place = Place(Home(home), Settings(nights=NightSettings(promote="automatic")))
    assert await speaks_after(store, place, state) is speaks


async def test_nothing_speaks_that_was_held_or_that_the_gm_is_to_be_asked_about(store: Store, home: Path) -> None:
    assert not await speaks_after(store, Place(Home(home), Settings(nights=NightSettings(promote="automatic"))), "candidate", passed=False)
    assert not await speaks_after(store, Place(Home(home), Settings()), "candidate")


@pytest.mark.parametrize("passed", [True, False])
async def test_where_the_shuffled_control_passed_too_nothing_is_promoted_and_the_report_says_why(store: Store, home: Path, passed: bool) -> None:
    place = Place(Home(home), Settings(nights=NightSettings(promote="automatic")))
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        await adapters.add_version(session, campaign, Version("mira-1", "mira", "", "base", "candidate", {}, NOW))
    judged, control = GateVerdict(True, "not worse anywhere", ()), GateVerdict(passed, "it says", ())
    night = Outcome("mira", NOBODYS, (), "nothing", "mira-1", verdict=judged, control=control, note="One pass.")
    after = await promote_if_wished(place, store, campaign, night)
    async with store.session() as session:
        assert (await adapters.active_adapter(session, campaign, "mira") is None) is passed
    assert ("One pass. Nothing was promoted by itself, because the shuffled control passed" in markdown(after, "Mira")) is passed
