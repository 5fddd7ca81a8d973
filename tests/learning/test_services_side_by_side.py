"""Nightly services of several machines on one database stay out of each other's way."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from db.errors import NightElsewhere
from db.queries import play
from db.store import Store
from learning.scheduler import ELSEWHERE, POLL
from tests.fakes.databases import postgres_urls
from tests.fakes.program import understudy
from tests.learning.test_scheduler import House


async def test_a_campaign_one_machine_serves_is_left_to_it_and_no_request_fails(store: Store) -> None:
    house = await House(store).begin()
    await house.ask("mira")
    await house.ask("odo")
    await house.ask("pell", "another")
    here, there = house.service("here"), house.service("there")
    await house.tick(here)
    await house.tick(there, 2)
    assert [night.npc for night in house.begun] == ["mira", "pell"]
    for night in house.begun:
        night.ends()
    await house.tick(here, 2)
    await house.tick(there)
    assert [night.npc for night in house.begun] == ["mira", "pell", "odo"]
    house.begun[2].ends()
    await house.tick(here)
    assert await house.states() == ["done", "done", "done"]


async def test_a_night_that_finds_another_machine_at_it_waits_and_other_campaigns_do_not(store: Store) -> None:
    house = await House(store).begin()
    await house.ask("mira")
    service = house.service()
    await house.tick(service)
    house.begun[0].ends(NightElsewhere.status, "Another machine runs this campaign's night.")
    await house.ask("pell", "another")
    await house.tick(service)
    assert (await house.states(), house.told[-1]["event"]) == (["waiting", "waiting"], "yielded")
    await house.tick(service)
    assert (await house.states(), house.begun[-1].npc) == (["waiting", "running"], "pell")
    house.begun[1].ends()
    await house.tick(service, 2)
    assert len(house.begun) == 2, "not again at once"
    house.now += ELSEWHERE - POLL
    await house.tick(service)
    assert (len(house.begun), house.begun[-1].npc) == (3, "mira")


async def test_a_service_whose_table_is_gone_stays_while_a_request_waits_for_another_machine(store: Store) -> None:
    house = await House(store).begin()
    await house.ask("mira")
    await house.ask("odo")
    there, here = house.service("there"), house.service("here", host=lambda: False)
    await house.tick(there)
    await house.tick(here)
    assert not here.over.is_set()
    house.begun[0].ends()
    await house.tick(there)
    await house.tick(here)
    assert [night.npc for night in house.begun] == ["mira", "odo"]


@pytest.fixture
def server_url() -> Iterator[str]:
    yield from postgres_urls()


async def test_the_command_says_by_its_status_that_another_machine_runs_the_night(server_url: str) -> None:
    there = await Store.open(server_url)
    async with there.session() as session:
        campaign = await play.campaign_id(session, "home", datetime(2026, 5, 1, 20, 0, tzinfo=UTC))
    try:
        async with there.night_alone(campaign):
            done = await asyncio.to_thread(understudy, "night", "--npc", "mira", "--json", UNDERSTUDY_DATABASE_URL=server_url)
    finally:
        await there.close()
    assert done.status == NightElsewhere.status
    assert done.events[-1]["message"].startswith("Another machine runs this campaign's night on ")
