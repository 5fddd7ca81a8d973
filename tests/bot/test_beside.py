"""What a table has to do with nights: the choice at the evening's end, and a service that is there only when wanted."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands import beside
from bot.commands.beside import NightsBeside
from bot.errors import TableError
from bot.table.table import Table
from bot.wiring import find_house
from db.models import NightRequest, PlaySession
from db.queries import nights
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import rows, said, typed

IDLE = timedelta(minutes=20)


class FakeService:
    """A service that runs until the test ends it."""

    def __init__(self) -> None:
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status


class Beside:
    """A table with services of the test's own beside it."""

    def __init__(self, table: Table, *, installed: bool = True) -> None:
        self.table = table
        self.services: list[FakeService] = []
        self.installed = installed
        state = table.state
        clock = lambda: state.clock()  # noqa: E731, PLW0108  (tests move the clock later)
        self.beside = NightsBeside(state.store, clock, IDLE, self._start, state.campaign)
        table.on_night = self.beside.wake

    def _start(self) -> FakeService | None:
        if not self.installed:
            return None
        self.services.append(FakeService())
        return self.services[-1]

    async def look(self, later: timedelta = timedelta(0)) -> int:
        """Look at the table some time later; how many services were started so far."""
        self.table.state.clock = lambda: NOW + later
        await self.beside.look()
        return len(self.services)


async def states(table: Table) -> list[str]:
    return [request.state for request in await rows(table, NightRequest)]


# --- /session stop ---------------------------------------------------------------------------


async def test_learning_now_asks_for_a_night_and_starts_the_service(open_table: OpenTable) -> None:
    here = Beside(await open_table())
    ack = await typed(here.table, "/session stop now")
    assert ack.data == {"learn": True}
    assert "learn now" in ack.text
    assert (await states(here.table), len(here.services)) == (["waiting"], 1)
    await typed(here.table, "/session stop now")
    assert len(here.services) == 2, "the first may be about to leave; the second leaves where it stays"


async def test_without_a_service_learning_now_says_who_takes_it_up(open_table: OpenTable) -> None:
    here = Beside(await open_table(), installed=False)
    assert "`understudy nights`" in (await typed(here.table, "/session stop now")).text
    assert await states(here.table) == ["waiting"]
    alone = await open_table()
    assert "`understudy nights`" in (await typed(alone, "/session stop now")).text


@pytest.mark.parametrize("words", ["", " tonight"])
async def test_tonight_is_the_usual_and_the_other_choices_are_offered(open_table: OpenTable, words: str) -> None:
    here = Beside(await open_table())
    ack = await typed(here.table, f"/session stop{words}")
    assert (ack.data, await states(here.table), here.services) == ({"learn": False}, [], [])
    assert "/session stop now" in ack.text
    assert "/session stop skip" in ack.text


async def test_skipping_leaves_the_evening_for_a_later_night(open_table: OpenTable) -> None:
    here = Beside(await open_table())
    await said(here.table, "Good evening.")
    await here.table.react("👍")
    ack = await typed(here.table, "/session stop skip")
    assert "stays stored" in ack.text
    assert await states(here.table) == ["skipped"]
    assert await here.look(IDLE * 2) == 0


async def test_a_choice_that_is_none_is_refused_and_the_evening_goes_on(open_table: OpenTable) -> None:
    table = await open_table()
    with pytest.raises(TableError, match="now, tonight or skip"):
        await typed(table, "/session stop tomorrow")
    assert [row.stopped_at for row in await rows(table, PlaySession)] == [None]


# --- the service beside the table ------------------------------------------------------------


async def test_the_service_is_started_when_the_table_rests_and_somebody_has_something_to_learn(open_table: OpenTable) -> None:
    here = Beside(await open_table())
    await said(here.table, "Good evening.")
    assert await here.look(IDLE * 2) == 0, "nobody has reacted to anything"
    here.table.state.clock = lambda: NOW
    await here.table.react("👍")
    assert await here.look(IDLE / 2) == 0, "somebody may go on playing"
    assert await here.look(IDLE * 2) == 1
    assert await here.look(IDLE * 3) == 1, "it runs already"
    here.services[0].status = 0
    assert await here.look(IDLE * 4) == 2


async def test_a_request_of_another_table_is_reason_enough(open_table: OpenTable) -> None:
    here, other = Beside(await open_table(campaign="one")), await open_table(campaign="two")
    await typed(other, "/session stop now")
    assert await here.look(IDLE * 2) == 1


async def test_sitting_down_keeps_nights_away_and_getting_up_lets_them_in(open_table: OpenTable) -> None:
    async def playing(table: Table) -> list[int]:
        async with table.state.store.session() as session:
            return await nights.sessions_open(session, NOW - IDLE)

    table = await open_table()
    assert await playing(table) == [table.state.evening]
    await said(table, "Good evening.")
    await table.leave()
    assert await playing(table) == []


def test_nothing_is_started_where_learning_is_not_installed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(beside, "_NEEDED", ("a_library_for_learning",))
    assert not beside.learning_is_installed()
    assert beside.start_service(find_house()) is None
    assert not (home / "logs").exists()
