"""Short questions are answered at once; whatever takes long leaves the loop to everybody else."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from characters.messages import Scene
from db.queries import play
from db.store import Store
from tests.fakes.evening import NOW

_LONG = (
    "SELECT count(*) FROM (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 3000000) "
    "SELECT n FROM counted)"
)


async def opened(path: Path) -> Store:
    return await Store.open(f"sqlite:///{path / 'db.sqlite'}")


async def test_a_long_question_holds_nobody_up_and_is_answered_whole(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    try:
        async with store.session() as session:
            assert await session.scalar(text(_LONG)) == 3_000_000
        assert len(ticks) > 10, "the loop went on while it was counted"
    finally:
        ticking.cancel()
        await store.close()


async def test_a_long_question_in_the_middle_of_writing_undoes_nothing(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    try:
        async with store.session() as session:
            campaign = await play.campaign_id(session, "home", NOW)
            evening = await play.start_session(session, campaign, NOW)
            await session.scalar(text(_LONG))
            scene = await play.start_scene(session, evening, Scene(place="cellar"), NOW)
        async with store.session() as session:
            assert await play.last_scene(session, evening) == (scene, Scene(place="cellar"))
    finally:
        await store.close()


async def test_a_connection_keeps_little_of_the_file_in_memory(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    try:
        async with store.session() as session:
            assert await session.scalar(text("PRAGMA cache_size")) == -512, "kilobytes"
    finally:
        await store.close()


async def test_a_connection_keeps_few_statements_prepared(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    try:
        async with store.session() as session:
            if "ENABLE_STMTVTAB" not in list(await session.scalars(text("PRAGMA compile_options"))):
                pytest.skip("this SQLite does not tell its statements")
            for number in range(100):
                await session.scalar(text(f"SELECT {number}"))
            assert await session.scalar(text("SELECT count(*) FROM sqlite_stmt")) <= 40
    finally:
        await store.close()


async def test_many_at_once_are_served_and_few_connections_stay(tmp_path: Path) -> None:
    store, together = await opened(tmp_path), asyncio.Barrier(12)

    async def ask() -> None:
        async with store.session() as session:
            await session.scalar(text("SELECT 1"))
            await together.wait()

    before = threading.active_count()
    try:
        async with asyncio.timeout(10):
            await asyncio.gather(*(ask() for _ in range(12)))
        assert threading.active_count() <= before + 3
    finally:
        await store.close()
