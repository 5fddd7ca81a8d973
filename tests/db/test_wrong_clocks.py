"""A machine's clock jumps, years ahead and back: nothing is lost, and nothing waits for the year it was wrong in."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.table.table import Seat, Table
from characters.inference.engine import Sampling
from characters.library import Library
from db.night_lock import NightHeld, NightLock
from db.queries import lines, nights, play
from db.store import Store
from tests.fakes.evening import NOW, Evening, played
from tests.fakes.scripted_engine import ScriptedEngine

IDLE = timedelta(minutes=30)
AHEAD = NOW + timedelta(days=4 * 365)


def jumping(seed: int) -> Callable[[], datetime]:
    """A clock that is set again and again, by up to ten years."""
    rng, shift = random.Random(seed), timedelta()

    def clock() -> datetime:
        nonlocal shift
        if rng.random() < 0.3:
            shift = timedelta(days=rng.uniform(-3650, 3650))
        return datetime.now(UTC) + shift

    return clock


async def test_an_evening_under_a_jumping_clock_is_kept_in_the_order_it_was_said(store: Store) -> None:
    table = await Table.open(
        store, ScriptedEngine(*[f"Reply {n}." for n in range(30)]), Library(None), campaign="home", seat=Seat("Ana"),
        clock=jumping(3), rng=random.Random(7), sampling=Sampling(max_tokens=40),
    )  # fmt: skip
    await table.summon("mira")
    expected = []
    for number in range(30):
        expected += [f"Remark {number}.", f"Reply {number}."]
        async for _ in table.say(f"Remark {number}."):
            pass
        if number % 7 == 3:
            await table.react("👍")
    assert [turn.text for turn in await _said(table)] == expected
    await table.speaking.close()


async def _said(table: Table) -> list[lines.StoredTurn]:
    async with table.state.store.session() as session:
        return await lines.transcript(session, table.state.scene_id, witness="mira")


async def test_a_night_that_was_taken_by_a_clock_years_ahead_is_given_back_when_it_is_right_again(evening: Evening) -> None:
    async with evening.store.session() as session:
        assert await nights.ask(session, evening.campaign, "mira", AHEAD)
        assert await nights.claim(session, "a service that died", AHEAD)
    async with evening.store.session() as session:
        assert await nights.return_stale(session, NOW - IDLE, NOW) == 1
        assert await nights.claim(session, "another one", NOW)
        assert await nights.return_stale(session, NOW - IDLE, NOW) == 0


async def test_whoever_sat_down_years_ahead_keeps_no_night_away(evening: Evening) -> None:
    async with evening.store.session() as session:
        await nights.take_seat(session, await play.open_session(session, evening.campaign, "") or 0, AHEAD)
        assert await nights.sessions_open(session, NOW - IDLE) != []
        assert await nights.sessions_open(session, NOW - IDLE, now=NOW) == []
        await nights.take_seat(session, await play.open_session(session, evening.campaign, "") or 0, NOW)
        assert await nights.sessions_open(session, NOW - IDLE, now=NOW) != []


async def test_a_night_of_the_future_has_looked_at_nothing_yet(evening: Evening) -> None:
    await played(evening)
    async with evening.store.session() as session:
        await nights.skip_night(session, evening.campaign, AHEAD)
    async with evening.store.session() as session:
        assert await nights.npcs_with_news(session, evening.campaign) == []
        assert await nights.npcs_with_news(session, evening.campaign, now=NOW) == ["mira"]


def test_a_lock_is_held_by_its_process_whatever_the_clock_says(tmp_path: Path) -> None:
    file = tmp_path / "night.lock"
    with NightLock(file, lambda: AHEAD):
        for now in (NOW, AHEAD + timedelta(days=9000)):
            try:
                with NightLock(file, lambda now=now: now):
                    raise AssertionError("two hold it")
            except NightHeld:
                pass
    with NightLock(file, lambda: NOW):
        pass
