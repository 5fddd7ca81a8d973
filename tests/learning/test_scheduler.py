"""The nightly service, played with a clock and nights of the test's own; the database is real."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from characters.messages import Scene
from db.night_lock import YIELDED
from db.queries import adapters, lines, nights, play, reactions
from db.queries.nights import Request
from db.queries.reactions import Reaction
from db.settings import NightSettings
from db.store import Store
from db.values import StoredTurn
from learning import night_child
from learning.scheduler import BEAT, POLL, STALE, TICK, Hands, NightService, Plan

EVENING = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)  # a Friday
BERLIN = ZoneInfo("Europe/Berlin")


class FakeNight:
    """A night that runs until the test says how it ends."""

    def __init__(self, campaign: str, npc: str) -> None:
        self.campaign, self.npc = campaign, npc
        self.status: int | None = None
        self.sentence = ""
        self.stopped = False

    def poll(self) -> int | None:
        return self.status

    async def stop(self) -> None:
        self.stopped, self.status = True, self.status or -15

    def fault(self) -> str:
        return self.sentence

    def ends(self, status: int = 0, sentence: str = "") -> None:
        self.status, self.sentence = status, sentence


class House:
    """A database with a campaign, a clock, and a service in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = EVENING
        self.begun: list[FakeNight] = []
        self.told: list[dict[str, Any]] = []
        self.held = False
        self.refuses: OSError | None = None
        self.without_sheet: set[str] = set()

    async def begin(self) -> "House":
        async with self.store.session() as session:
            self.campaign = await play.campaign_id(session, "home", self.now)
        return self

    def start(self, campaign: str, npc: str) -> FakeNight:
        if self.refuses is not None:
            raise self.refuses
        self.begun.append(FakeNight(campaign, npc))
        return self.begun[-1]

    def service(self, name: str = "me", host: Any = None, **settings: Any) -> NightService:
        plan = Plan.of(NightSettings(timezone="UTC", **settings))
        hands = Hands(lambda: self.now, self.start, lambda: self.held, self.told.append, lambda npc: npc not in self.without_sheet)
        return NightService(self.store, plan, hands, name, host)

    async def tick(self, service: NightService, times: int = 1) -> None:
        """Let the service take steps, far enough from each other that it looks every time."""
        for _ in range(times):
            self.now += POLL
            await service.tick()

    async def play(self) -> None:
        """Somebody sits down and says something."""
        async with self.store.session() as session:
            evening = await play.open_session(session, self.campaign) or await play.start_session(session, self.campaign, self.now)
            scene = await play.start_scene(session, evening, Scene(), self.now)
            await lines.add_turn(session, scene, StoredTurn(0, "Ana", "Hello?", None, "local"), self.now)

    async def stop_playing(self) -> None:
        async with self.store.session() as session:
            evening = await play.open_session(session, self.campaign)
            assert evening is not None
            await play.stop_session(session, evening, self.now)

    async def liked(self, *npcs: str, when: datetime | None = None) -> None:
        """An evening, over by now, at which somebody liked a line of each of them."""
        moment = when or self.now
        async with self.store.session() as session:
            evening = await play.start_session(session, self.campaign, moment)
            scene = await play.start_scene(session, evening, Scene(), moment)
            for npc in npcs:
                line = await lines.add_turn(session, scene, StoredTurn(0, npc, "Aye.", npc, "npc"), moment)
                await reactions.react(session, Reaction(line, "thumbs_up"), moment)
            await play.stop_session(session, evening, moment)

    async def ask(self, npc: str | None = None, campaign: str = "home") -> None:
        async with self.store.session() as session:
            await adapters.request_night(session, await play.campaign_id(session, campaign, self.now), npc, self.now)

    async def requests(self) -> list[Request]:
        async with self.store.session() as session:
            return await nights.requests(session)

    async def states(self) -> list[str]:
        return [request.state for request in await self.requests()]


@pytest.fixture
async def house(migrated: Path, tmp_path: Path) -> AsyncIterator[House]:
    shutil.copy(migrated, tmp_path / "db.sqlite")
    store = await Store.open(f"sqlite:///{tmp_path / 'db.sqlite'}", patience=0.05)
    yield await House(store).begin()
    await store.close()


# --- the hour --------------------------------------------------------------------------------


async def test_the_hour_of_the_settings_is_the_hour_of_the_job(house: House) -> None:
    plan = Plan.of(NightSettings(cron="30 3 * * 1-5", timezone="Europe/Berlin"))
    service = NightService(house.store, plan, house.service().hands, "me")
    jobs = {job.id: job for job in service.schedule().get_jobs()}
    assert set(jobs) == {"tonight", "tick"}
    fields = {field.name: str(field) for field in jobs["tonight"].trigger.fields}
    assert (fields["minute"], fields["hour"], fields["day"], fields["month"]) == ("30", "3", "*", "*")
    assert fields["day_of_week"] == "mon,tue,wed,thu,fri"
    assert jobs["tonight"].trigger.timezone == BERLIN
    assert (jobs["tonight"].func, jobs["tonight"].coalesce, jobs["tonight"].misfire_grace_time) == (service.tonight, True, None)
    assert jobs["tick"].trigger.interval == timedelta(seconds=TICK)
    assert (jobs["tick"].func, jobs["tick"].max_instances) == (service.tick, 1)


# --- nights ----------------------------------------------------------------------------------


async def test_at_the_hour_everybody_with_news_learns_one_after_the_other(house: House) -> None:
    await house.liked("odo", "mira")
    service = house.service()
    await house.tick(service)
    assert house.begun == []
    await service.tonight()
    await service.tonight()
    await house.tick(service, 3)
    assert [(night.campaign, night.npc) for night in house.begun] == [("home", "mira")]
    house.begun[0].ends()
    await house.tick(service, 2)
    assert [night.npc for night in house.begun] == ["mira", "odo"]
    house.begun[1].ends()
    await house.tick(service, 2)
    assert await house.states() == ["done", "done"]
    assert not service.busy
    assert [event["event"] for event in house.told] == ["asked", "asked", "begun", "done", "begun", "done"]


async def test_a_request_for_everybody_runs_a_night_for_each_who_has_news(house: House) -> None:
    await house.liked("odo", "mira")
    await house.ask()
    service = house.service()
    await house.tick(service)
    house.begun[0].ends(1, "The disk is full.")
    await house.tick(service)
    house.begun[1].ends()
    await house.tick(service)
    assert [night.npc for night in house.begun] == ["mira", "odo"]
    [request] = await house.requests()
    assert (request.state, request.reason) == ("failed", "mira: The disk is full.")


async def test_a_request_with_nothing_to_learn_ends_and_says_so(house: House) -> None:
    await house.ask()
    await house.tick(house.service())
    [request] = await house.requests()
    assert (request.state, house.begun) == ("done", [])
    assert "anything new" in request.reason


async def test_no_night_is_asked_for_an_npc_without_a_sheet_except_by_name(house: House) -> None:
    await house.liked("alda", "mira")
    house.without_sheet = {"alda"}
    service = house.service()
    await service.tonight()
    assert [request.npc for request in await house.requests()] == ["mira"]
    await house.tick(service)
    house.begun[0].ends()
    await house.tick(service)
    await house.ask()
    await house.tick(service)
    house.begun[1].ends()
    await house.tick(service)
    await house.ask("alda")
    await house.tick(service)
    assert [night.npc for night in house.begun] == ["mira", "mira", "alda"], "somebody who names her hears why it fails"


async def test_a_night_that_was_missed_is_made_up_for_at_the_start(house: House) -> None:
    await house.liked("mira", when=EVENING - timedelta(days=1))
    await house.liked("odo", when=EVENING - timedelta(hours=1))
    await house.service(run_on_start=False).begin()
    assert await house.requests() == []
    await house.service(cron="0 4 * * *").begin()
    assert [request.npc for request in await house.requests()] == ["mira"], "odo's news wait for their first night"


async def test_a_night_that_hangs_is_ended(house: House) -> None:
    await house.ask("mira")
    service = house.service(minutes=30)
    await house.tick(service)
    house.now += timedelta(minutes=69)
    await house.tick(service)
    assert not house.begun[0].stopped
    house.now += timedelta(minutes=1)
    await house.tick(service, 2)
    assert house.begun[0].stopped
    [request] = await house.requests()
    assert (request.state, request.reason) == ("failed", "mira: It took more than 70 minutes and was ended.")


async def test_a_system_that_starts_no_process_costs_the_request_and_not_the_service(house: House) -> None:
    house.refuses = OSError(11, "Resource temporarily unavailable")
    await house.ask("mira")
    service = house.service()
    await house.tick(service, 2)
    [request] = await house.requests()
    assert request.state == "failed"
    assert "Resource temporarily unavailable" in request.reason
    assert not service.busy


async def test_a_night_somebody_else_runs_in_this_home_is_waited_for(house: House) -> None:
    await house.ask("mira")
    house.held = True
    service = house.service()
    await house.tick(service, 2)
    assert (await house.states(), house.begun) == (["waiting"], [])
    house.held = False
    await house.tick(service)
    assert (await house.states(), len(house.begun)) == (["running"], 1)


async def test_between_nights_the_service_looks_every_two_seconds_and_no_oftener(house: House) -> None:
    service = house.service()
    await house.tick(service)
    await house.ask("mira")
    house.now += POLL / 4
    await service.tick()
    assert house.begun == []
    house.now += POLL
    await service.tick()
    assert len(house.begun) == 1


async def test_a_busy_database_costs_a_look_and_not_the_service(house: House, tmp_path: Path) -> None:
    await house.ask("mira")
    service = house.service()
    holder = sqlite3.connect(tmp_path / "db.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    await house.tick(service)
    assert house.begun == []
    holder.execute("ROLLBACK")
    holder.close()
    await house.tick(service)
    assert [night.npc for night in house.begun] == ["mira"]


# --- sessions --------------------------------------------------------------------------------


async def test_no_night_begins_while_somebody_plays(house: House) -> None:
    await house.ask("mira")
    service = house.service(idle_minutes=20)
    await house.play()
    await house.tick(service)
    assert house.begun == []
    house.now += timedelta(minutes=10)
    await house.play()
    await house.tick(service)
    assert house.begun == []
    await house.stop_playing()
    await house.tick(service)
    assert [night.npc for night in house.begun] == ["mira"]


async def test_a_terminal_that_was_closed_without_a_word_does_not_keep_nights_away(house: House) -> None:
    await house.play()
    await house.ask("mira")
    house.now += timedelta(minutes=20)
    await house.tick(house.service(idle_minutes=20))
    assert [night.npc for night in house.begun] == ["mira"]


async def test_a_night_makes_way_on_the_next_step_and_goes_on_when_the_table_rests(house: House) -> None:
    await house.liked("mira", "odo")
    await house.ask()
    service = house.service()
    await house.tick(service)
    await house.play()
    house.now += timedelta(seconds=TICK)
    await service.tick()
    assert house.begun[0].stopped
    assert await house.states() == ["waiting"]
    assert house.told[-1]["event"] == "yielded"
    await house.tick(service, 3)
    assert len(house.begun) == 1
    await house.stop_playing()
    await house.tick(service)
    assert [night.npc for night in house.begun] == ["mira", "mira"]
    assert not service.over.is_set()


def test_looking_and_ending_a_night_together_stay_under_two_seconds() -> None:
    assert 2 * TICK + night_child._POLITE < 2


async def test_a_night_that_made_way_for_somebody_to_be_forgotten_goes_on_afterwards(house: House) -> None:
    await house.liked("mira")
    await house.ask()
    service = house.service()
    await house.tick(service)
    house.begun[0].ends(YIELDED)
    house.held = True
    await house.tick(service)
    assert (await house.states(), house.told[-1]["event"]) == (["waiting"], "yielded")
    await house.tick(service, 2)
    assert len(house.begun) == 1, "not while the lock is held"
    house.held = False
    await house.tick(service)
    assert (len(house.begun), await house.states()) == (2, ["running"])


async def test_where_no_table_is_served_nights_need_not_yield(house: House) -> None:
    await house.ask("mira")
    await house.play()
    service = house.service(yields=False)
    await house.tick(service, 2)
    assert not house.begun[0].stopped


# --- ending, and dying -----------------------------------------------------------------------


async def test_a_service_that_is_ended_ends_its_night_and_gives_the_request_back(house: House) -> None:
    await house.ask("mira")
    service = house.service()
    await house.tick(service)
    await service.stop()
    await service.tick()
    assert house.begun[0].stopped
    assert (await house.states(), len(house.begun)) == (["waiting"], 1)


async def test_a_service_that_dies_loses_its_request_to_the_next_and_a_living_one_does_not(house: House) -> None:
    await house.ask("mira")
    await house.ask("odo", "another")
    dead, alive, third = house.service("dead"), house.service("alive"), house.service("third")
    await house.tick(dead)
    await house.tick(alive)
    assert [night.npc for night in house.begun] == ["mira", "odo"]
    for _ in range(int(STALE / BEAT) + 1):
        house.now += BEAT
        await alive.tick()
    await house.tick(third)
    assert [night.npc for night in house.begun] == ["mira", "odo", "mira"]
    assert {request.npc: request.taken_by for request in await house.requests()} == {"mira": "third", "odo": "alive"}


async def test_beside_a_table_the_service_ends_when_somebody_plays(house: House) -> None:
    service = house.service(host=lambda: True)
    await house.ask("mira")
    await house.tick(service)
    assert not service.over.is_set()
    await house.play()
    await house.tick(service)
    assert (house.begun[0].stopped, service.over.is_set()) == (True, True)
    assert await house.states() == ["waiting"]
    again = house.service(host=lambda: True)
    await house.tick(again)
    assert again.over.is_set()


async def test_beside_a_table_the_service_stays_for_the_hour_only_where_somebody_has_something_to_learn(house: House) -> None:
    idle = house.service(host=lambda: True)
    await house.tick(idle)
    assert idle.over.is_set()
    await house.liked("mira")
    service = house.service(host=lambda: True)
    await house.tick(service, 3)
    assert not service.over.is_set()
    await service.tonight()
    await house.tick(service)
    async with house.store.session() as session:
        night = await nights.begin_night(session, house.campaign, "mira", house.now)
        await nights.finish_night(session, night.id, "done", house.now)
    house.begun[0].ends()
    await house.tick(service, 2)
    assert service.over.is_set()


async def test_when_its_table_is_gone_the_service_ends_what_was_asked_for_and_then_itself(house: House) -> None:
    await house.ask("mira")
    service = house.service(host=lambda: False)
    await house.tick(service)
    assert not service.over.is_set()
    house.begun[0].ends()
    await house.tick(service)
    assert (service.over.is_set(), await house.states()) == (False, ["done"])
    await house.tick(service)
    assert service.over.is_set()
