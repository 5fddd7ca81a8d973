"""When a night may run, who runs it, and how far it came: the same on SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect, text

from characters.messages import Scene
from db.migrate import current, upgrade
from db.queries import adapters, harvest, lines, nights, play, reactions
from db.queries.adapters import Version
from db.queries.nights import NightRecord, Request
from db.queries.reactions import Reaction
from db.store import Store
from db.values import StoredTurn

EVENING = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
IDLE = timedelta(minutes=20)


def at(minutes: float) -> datetime:
    """So many minutes into the evening."""
    return EVENING + timedelta(minutes=minutes)


class Campaign:
    """A campaign with an evening somebody sits at, and short ways to play it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def begin(self, name: str = "home", seated: bool = True) -> "Campaign":
        async with self.store.session() as session:
            self.id = await play.campaign_id(session, name, EVENING)
            self.evening = await play.start_session(session, self.id, EVENING)
            self.scene = await play.start_scene(session, self.evening, Scene(), EVENING)
            if seated:
                await nights.take_seat(session, self.evening, EVENING)
        return self

    async def said(self, when: datetime, npc: str | None = None) -> int:
        async with self.store.session() as session:
            turn = StoredTurn(0, npc or "Ana", "Aye.", npc, "npc" if npc else "local")
            return await lines.add_turn(session, self.scene, turn, when)

    async def liked(self, npc: str, when: datetime) -> int:
        line = await self.said(when, npc)
        async with self.store.session() as session:
            await reactions.react(session, Reaction(line, "thumbs_up"), when)
        return line

    async def open_at(self, now: datetime) -> bool:
        async with self.store.session() as session:
            return bool(await nights.sessions_open(session, now - IDLE))

    async def news(self, before: datetime | None = None) -> list[str]:
        async with self.store.session() as session:
            return await nights.npcs_with_news(session, self.id, before)

    async def ask(self, npc: str | None = None, when: datetime = EVENING) -> None:
        async with self.store.session() as session:
            await adapters.request_night(session, self.id, npc, when)

    async def claim(self, service: str = "me", when: datetime = EVENING) -> Request | None:
        async with self.store.session() as session:
            return await nights.claim(session, service, when)

    async def states(self) -> list[tuple[str, str]]:
        async with self.store.session() as session:
            return [(request.state, request.taken_by) for request in await nights.requests(session, self.id)]

    async def night(self, npc: str, when: datetime) -> NightRecord:
        async with self.store.session() as session:
            return await nights.begin_night(session, self.id, npc, when)


@pytest.fixture
async def campaign(store: Store) -> Campaign:
    return await Campaign(store).begin()


# --- is anybody playing? ---------------------------------------------------------------------


async def test_an_evening_is_open_from_sitting_down_until_it_has_been_silent_for_long(campaign: Campaign) -> None:
    assert await campaign.open_at(at(1))
    assert not await campaign.open_at(at(21))
    await campaign.said(at(30))
    assert await campaign.open_at(at(49))
    assert not await campaign.open_at(at(51)), "a terminal that was closed without a word keeps nights away for ever"
    await campaign.liked("mira", at(60))
    assert await campaign.open_at(at(61))


async def test_an_evening_that_was_ended_or_left_is_not_open_until_somebody_is_back(campaign: Campaign) -> None:
    await campaign.said(at(1))
    async with campaign.store.session() as session:
        await nights.leave_seat(session, campaign.evening, at(2))
    assert not await campaign.open_at(at(2))
    await campaign.said(at(3))
    assert await campaign.open_at(at(4))
    async with campaign.store.session() as session:
        await play.stop_session(session, campaign.evening, at(5))
        await play.start_session(session, campaign.id, at(5))
    assert not await campaign.open_at(at(5)), "the next evening begins with its first word"


async def test_an_evening_of_another_campaign_counts_unless_one_is_asked_about(campaign: Campaign) -> None:
    quiet = await Campaign(campaign.store).begin("quiet", seated=False)
    async with campaign.store.session() as session:
        assert await nights.sessions_open(session, at(-1)) == [campaign.evening]
        assert await nights.sessions_open(session, at(-1), campaign.id) == [campaign.evening]
        assert await nights.sessions_open(session, at(-1), quiet.id) == []


# --- is there anything to learn? -------------------------------------------------------------


async def test_a_reaction_is_news_until_a_night_has_looked_at_it(campaign: Campaign) -> None:
    await campaign.said(at(0), "odo")
    await campaign.liked("mira", at(1))
    await campaign.liked("brug", at(1))
    assert await campaign.news() == ["brug", "mira"]
    night = await campaign.night("mira", at(2))
    await campaign.liked("mira", at(3))
    async with campaign.store.session() as session:
        await nights.finish_night(session, night.id, "done", at(4))
    assert await campaign.news() == ["brug", "mira"], "what was said during the night is news"
    night = await campaign.night("mira", at(5))
    async with campaign.store.session() as session:
        await nights.finish_night(session, night.id, "done", at(6))
    assert await campaign.news() == ["brug"]


async def test_a_night_that_failed_or_was_interrupted_leaves_the_news_as_they_are(campaign: Campaign) -> None:
    await campaign.liked("mira", at(1))
    failed = await campaign.night("mira", at(2))
    async with campaign.store.session() as session:
        await nights.finish_night(session, failed.id, "failed", at(3), reason="The disk is full.")
    await campaign.night("mira", at(4))
    assert await campaign.news() == ["mira"]


async def test_an_adapter_that_was_trained_later_has_seen_the_news(campaign: Campaign) -> None:
    await campaign.liked("mira", at(1))
    async with campaign.store.session() as session:
        await adapters.add_version(session, campaign.id, Version("mira-1", "mira", "/a", "base", "held", {}, at(2)))
    assert await campaign.news() == []


async def test_what_is_taken_back_is_news_where_it_was_learnt_and_something_stands(campaign: Campaign) -> None:
    line = await campaign.liked("mira", at(1))
    night = await campaign.night("mira", at(2))
    async with campaign.store.session() as session:
        await nights.finish_night(session, night.id, "done", at(3))
        await reactions.withdraw(session, line, "thumbs_up", None, at(4))
    assert await campaign.news() == [], "nothing stands that could be learnt"
    await campaign.liked("mira", at(1))
    assert await campaign.news() == ["mira"]


async def test_skipping_makes_old_news_no_reason_for_a_night(campaign: Campaign) -> None:
    await campaign.liked("mira", at(1))
    async with campaign.store.session() as session:
        await nights.skip_night(session, campaign.id, at(2))
    assert await campaign.news() == []
    assert await campaign.claim() is None
    await campaign.liked("mira", at(3))
    assert await campaign.news() == ["mira"]


async def test_a_missed_night_is_told_by_news_from_before_its_hour(campaign: Campaign) -> None:
    await campaign.liked("mira", at(10))
    assert await campaign.news(before=at(5)) == []
    assert await campaign.news(before=at(15)) == ["mira"]


# --- requests --------------------------------------------------------------------------------


async def test_the_oldest_request_is_taken_first_and_nothing_when_none_waits(campaign: Campaign) -> None:
    await campaign.ask("mira", at(1))
    await campaign.ask(None, at(2))
    first, second = await campaign.claim("me", at(3)), await campaign.claim("me", at(3))
    assert first is not None
    assert second is not None
    assert (first.npc, first.state, first.taken_by, first.taken_at) == ("mira", "running", "me", at(3))
    assert second.npc is None
    assert await campaign.claim() is None


async def test_two_services_never_take_the_same_request(campaign: Campaign, database_url: str) -> None:
    for number in range(12):
        await (await Campaign(campaign.store).begin(f"campaign {number}")).ask()
    other = await Store.open(database_url)
    taken: list[int] = []

    async def serve(store: Store, name: str) -> None:
        for _ in range(24):
            async with store.session() as session:
                request = await nights.claim(session, name, EVENING)
            if request is not None:
                assert request.taken_by == name
                taken.append(request.id)

    try:
        await asyncio.gather(serve(campaign.store, "one"), serve(other, "two"), serve(campaign.store, "three"))
    finally:
        await other.close()
    assert len(taken) == len(set(taken)) == 12


async def test_a_campaign_that_another_service_serves_is_passed_over(campaign: Campaign) -> None:
    quiet = await Campaign(campaign.store).begin("quiet", seated=False)
    await campaign.ask("mira")
    await campaign.ask("odo")
    await quiet.ask("pell")
    mira, pell = await campaign.claim("one"), await campaign.claim("two")
    assert (mira and mira.npc, pell and pell.npc) == ("mira", "pell")
    assert await campaign.claim("three") is None, "two of a campaign at once would refuse each other"
    assert mira is not None
    async with campaign.store.session() as session:
        await nights.finish(session, mira.id, "one", EVENING)
        assert await nights.claim(session, "three", EVENING, [campaign.id]) is None
    odo = await campaign.claim("three")
    assert odo is not None
    assert odo.npc == "odo"


async def test_a_request_ends_once_and_only_by_whoever_runs_it(campaign: Campaign) -> None:
    await campaign.ask()
    request = await campaign.claim("me")
    assert request is not None
    async with campaign.store.session() as session:
        await nights.finish(session, request.id, "another", at(1))
    assert await campaign.states() == [("running", "me")]
    async with campaign.store.session() as session:
        await nights.finish(session, request.id, "me", at(1), "failed", "mira: The disk is full.")
        await nights.release(session, request.id, "me")
    async with campaign.store.session() as session:
        [ended] = await nights.requests(session, campaign.id, "failed")
    assert (ended.ended_at, ended.reason) == (at(1), "mira: The disk is full.")


async def test_what_a_dead_service_was_running_is_given_back(campaign: Campaign) -> None:
    await campaign.ask()
    request = await campaign.claim("dead", at(0))
    assert request is not None
    async with campaign.store.session() as session:
        assert await nights.beat(session, request.id, "dead", at(2))
        assert await nights.return_stale(session, at(1)) == 0
        assert await nights.return_stale(session, at(3)) == 1
    again = await campaign.claim("alive", at(9))
    assert again is not None
    assert again.id == request.id
    async with campaign.store.session() as session:
        assert not await nights.beat(session, request.id, "dead", at(10)), "it was given to somebody else"


async def test_the_same_night_is_not_asked_for_twice(campaign: Campaign) -> None:
    async with campaign.store.session() as session:
        assert await nights.ask(session, campaign.id, "mira", at(1))
        assert not await nights.ask(session, campaign.id, "mira", at(2))
        assert await nights.ask(session, campaign.id, "brug", at(2))
    request = await campaign.claim()
    assert request is not None
    async with campaign.store.session() as session:
        assert not await nights.ask(session, campaign.id, "mira", at(3))
        await nights.finish(session, request.id, "me", at(3))
        assert await nights.ask(session, campaign.id, "mira", at(4))
        await adapters.request_night(session, campaign.id, None, at(5))
        await session.flush()
        assert not await nights.ask(session, campaign.id, "odo", at(6)), "everybody's night is asked for"


# --- how far a night came --------------------------------------------------------------------


async def test_an_interrupted_night_is_resumed_with_what_its_stages_made(campaign: Campaign) -> None:
    night = await campaign.night("mira", at(0))
    assert (night.attempts, night.stages) == (1, {})
    async with campaign.store.session() as session:
        await nights.record_stage(session, night.id, "dataset", "running", at(1))
        await nights.record_stage(session, night.id, "dataset", "done", at(2), {"dataset": "abc"})
        await nights.record_stage(session, night.id, "training", "running", at(3))
    again = await campaign.night("mira", at(60))
    assert (again.id, again.attempts, again.started_at) == (night.id, 2, at(0))
    assert list(again.stages) == ["dataset", "training"]
    assert again.result("dataset") == {"dataset": "abc"}
    assert (again.stages["dataset"].started_at, again.stages["dataset"].ended_at) == (at(1), at(2))
    assert again.result("training") is None
    assert again.result("gate") is None
    assert (await campaign.night("brug", at(60))).id != night.id


async def test_a_night_that_was_interrupted_long_ago_is_abandoned(campaign: Campaign) -> None:
    old = await campaign.night("mira", at(0))
    new = await campaign.night("mira", at(60 * 48))
    assert (new.id != old.id, new.attempts) == (True, 1)
    async with campaign.store.session() as session:
        abandoned = await nights.last_night(session, campaign.id, "mira", "abandoned")
    assert abandoned is not None
    assert (abandoned.id, abandoned.ended_at) == (old.id, at(60 * 48))


async def test_the_last_night_tells_its_verdict_and_its_stages(campaign: Campaign) -> None:
    async with campaign.store.session() as session:
        assert await nights.last_night(session, campaign.id, "mira") is None
    night = await campaign.night("mira", at(0))
    async with campaign.store.session() as session:
        await nights.record_stage(session, night.id, "harvest", "done", at(1), {"rows": 3})
        await nights.finish_night(session, night.id, "done", at(2), {"adapter": "mira-1"}, "it is better")
        last = await nights.last_night(session, campaign.id, "mira")
    assert last is not None
    assert (last.state, last.report, last.reason, last.ended_at) == ("done", {"adapter": "mira-1"}, "it is better", at(2))
    assert last.result("harvest") == {"rows": 3}
    assert (await campaign.night("mira", at(3))).id != night.id


async def test_a_night_that_was_ended_from_outside_notes_nothing_more(campaign: Campaign) -> None:
    night = await campaign.night("mira", at(0))
    async with campaign.store.session() as session:
        assert await nights.record_stage(session, night.id, "harvest", "running", at(1))
        assert await nights.finish_night(session, night.id, "abandoned", at(2), reason="forgotten")
        assert not await nights.record_stage(session, night.id, "dataset", "running", at(3))
        assert not await nights.still_runs(session, night.id)
        assert not await nights.still_runs(session, 9999), "nor does one whose record is gone"
        assert not await nights.finish_night(session, night.id, "done", at(4), {"samples": ["their words"]})
        last = await nights.last_night(session, campaign.id, "mira")
    assert last is not None
    assert (last.state, last.reason, last.report, list(last.stages)) == ("abandoned", "forgotten", {}, ["harvest"])


async def test_a_reaction_knows_how_many_whole_nights_have_begun_since(campaign: Campaign) -> None:
    await campaign.liked("mira", at(0))
    for minutes, state in ((-5, "done"), (1, "done"), (2, "failed"), (3, "done"), (4, "running")):
        night = await campaign.night("mira", at(minutes))
        if state != "running":
            async with campaign.store.session() as session:
                await nights.finish_night(session, night.id, state, at(minutes))
    async with campaign.store.session() as session:
        [line] = await harvest.heard_lines(session, campaign.id, "mira")
    assert [given.nights for given in line.reactions] == [2]


# --- the schema ------------------------------------------------------------------------------


def test_evenings_and_requests_from_before_there_were_nights_are_kept_and_can_be_served(bare: Engine, database_url: str) -> None:
    with bare.begin() as connection:
        upgrade(connection, "0001")
        for statement in (
            "INSERT INTO campaigns (name, created_at) VALUES ('old', '2026-01-01 00:00:00')",
            "INSERT INTO sessions (campaign_id, started_at) VALUES (1, '2026-01-01 00:00:00')",
            "INSERT INTO night_requests (campaign_id, asked_at, state) VALUES (1, '2026-01-01 00:00:00', 'waiting')",
        ):
            connection.execute(text(statement))
    with bare.begin() as connection:
        upgrade(connection, "0002")
        assert current(connection) == "0002"

    async def serve() -> Request | None:
        store = await Store.open(database_url)
        try:
            async with store.session() as session:
                assert await nights.sessions_open(session, EVENING) == []
                return await nights.claim(session, "me", EVENING)
        finally:
            await store.close()

    request = asyncio.run(serve())
    assert request is not None
    assert (request.id, request.state, request.reason) == (1, "running", "")


def test_the_nights_can_be_taken_out_of_the_schema_again(bare: Engine) -> None:
    from alembic import command

    from db.migrate import config

    with bare.begin() as connection:
        upgrade(connection, "0002")
        command.downgrade(config(connection), "0001")
        assert "nights" not in inspect(connection).get_table_names()
        assert {column["name"] for column in inspect(connection).get_columns("sessions")} == {
            "id", "campaign_id", "started_at", "stopped_at",
        }  # fmt: skip
