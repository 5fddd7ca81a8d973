"""The database is copied while people play, and brought back: whole, or not at all."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, insert, select, text

from db.backup import back_up, backups
from db.checking import check
from db.errors import StoreError, StoreLocked
from db.home import Home
from db.migrate import bring_up, current, newest, upgrade
from db.models import Base, TurnRow
from db.restoring import restore
from db.store import Store
from tests.db.test_migrations import REVISIONS, filled, tables
from tests.fakes.databases import postgres_urls
from tests.fakes.evening import NOW, Evening, played

LATER = NOW + timedelta(hours=1)


async def values(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.session() as session:
        return {
            table.name: [tuple(map(str, row)) for row in (await session.execute(select(table).order_by(table.c.id))).all()]
            for table in Base.metadata.sorted_tables
        }  # fmt: skip


async def held(url: str) -> dict[str, list[tuple[object, ...]]]:
    store = await Store.open(url)
    try:
        return await values(store)
    finally:
        await store.close()


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database of the same kind with nothing in it."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'db.sqlite'}"
        return
    yield from postgres_urls()


# --- backing up ----------------------------------------------------------------------------------


async def test_a_copy_made_while_people_talk_is_sound_and_holds_all_that_was_said_before_it(evening: Evening) -> None:
    said: list[int] = []
    begun, over = asyncio.Event(), asyncio.Event()

    async def talk(who: str) -> None:
        while not over.is_set():
            said.append(await evening.says(evening.ana, f"{who} says thing number {len(said)}."))
            if len(said) >= 20:
                begun.set()
            await asyncio.sleep(0)

    talking = [asyncio.create_task(talk(who)) for who in ("Ana", "Ben")]
    await begun.wait()
    before = list(said)
    copy = await back_up(evening.store, evening.home, NOW)
    over.set()
    await asyncio.gather(*talking)
    opened = await Store.open(f"sqlite:///{copy}")
    try:
        async with opened.session() as session:
            kept = set(await session.scalars(select(TurnRow.id)))
        assert (await check(opened, evening.home)).findings == ()
    finally:
        await opened.close()
    assert set(before) <= kept <= set(said)
    assert backups(evening.home) == [copy]
    assert len(await evening.rows(TurnRow)) == len(said), "and what is said after it is in the database alone"


async def test_a_copy_that_was_broken_off_is_none_and_the_next_one_clears_it_away(evening: Evening) -> None:
    half = evening.home.folder("backups") / f"db-{NOW:%Y%m%d-%H%M%S}.part"
    half.write_bytes(b"SQLite format 3\0 and then the light went out")
    assert backups(evening.home) == []
    copy = await back_up(evening.store, evening.home, NOW)
    again = await back_up(evening.store, evening.home, NOW)
    assert set(backups(evening.home)) == {copy, again}
    assert sorted(path.name for path in half.parent.iterdir()) == sorted([copy.name, again.name])


# --- restoring -----------------------------------------------------------------------------------


async def test_a_copy_that_is_brought_back_is_what_it_was_made_of(evening: Evening, empty_url: str) -> None:
    await played(evening)
    copy, then = await back_up(evening.store, evening.home, NOW), await values(evening.store)
    await evening.says(evening.ben, "This comes too late.")
    await restore(empty_url, evening.home, None, LATER)
    assert await held(empty_url) == then
    assert copy.is_file()


async def test_a_file_that_is_restored_over_is_kept_and_can_be_restored_itself(evening: Evening) -> None:
    url = str(evening.store.engine.url)
    if not url.startswith("sqlite"):
        with pytest.raises(StoreError, match="is not empty"):
            await restore(evening.store.engine.url.render_as_string(hide_password=False), evening.home, await back_up(evening.store, evening.home, NOW), LATER)
        return
    url = f"sqlite:///{evening.store.engine.url.database}"
    await back_up(evening.store, evening.home, NOW)
    then = await values(evening.store)
    await evening.says(evening.ben, "This comes too late.")
    now = await values(evening.store)
    with pytest.raises(StoreLocked, match="is open in another program"):
        await restore(url, evening.home, None, LATER)
    await evening.store.close()
    done = await restore(url, evening.home, None, LATER)
    assert await held(url) == then
    assert done.before == backups(evening.home)[0]
    await restore(url, evening.home, None, LATER)
    assert await held(url) == now, "the newest copy is now what was restored over: a second time undoes the first"


@pytest.mark.parametrize("harm", ["page", "header", "text"])
async def test_a_damaged_file_is_put_aside_and_replaced(tmp_path: Path, harm: str) -> None:
    home, file = Home(tmp_path / "home"), tmp_path / "home" / "db.sqlite"
    url = f"sqlite:///{file}"
    store = await Store.open(url)
    evening = await Evening(store, home).begin()
    await played(evening)
    await back_up(store, home, NOW)
    then = await values(store)
    await store.close()
    data = bytearray(file.read_bytes())
    if harm == "page":
        for page in range(2, len(data) // 4096):
            data[page * 4096 : page * 4096 + 200] = os.urandom(200)
    else:
        data[:100] = os.urandom(100) if harm == "header" else b"a shopping list".ljust(100)
    file.write_bytes(data)
    done = await restore(url, home, None, LATER)
    assert await held(url) == then
    assert done.before is not None
    assert done.before.read_bytes() == data
    assert backups(home) == [done.file], "what is damaged is no copy"


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_copy_of_an_earlier_schema_is_brought_up_and_stays_as_it_is(tmp_path: Path, revision: str) -> None:
    home = Home(tmp_path / "home")
    old = home.folder("backups") / "db-20240101-000000.sqlite"
    engine = create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        upgrade(connection, revision)
        for table in tables(connection):
            connection.execute(insert(table), [filled(table)])
    engine.dispose()
    before = old.read_bytes()
    await restore(home.database_url, home, None, NOW)
    assert old.read_bytes() == before
    rows = await held(home.database_url)
    assert len(rows["turns"]) == 1
    assert "turns.text" in rows["turns"][0]


async def test_what_is_no_copy_is_refused_and_nothing_is_touched(evening: Evening, empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no copy in"):
        await restore(empty_url, evening.home, None, NOW)
    (tmp_path / "list.txt").write_text("eggs, flour, eel")
    with pytest.raises(StoreError, match=r"list\.txt cannot be copied"):
        await restore(empty_url, evening.home, tmp_path / "list.txt", NOW)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="is no copy of an Understudy database"):
        await restore(empty_url, evening.home, tmp_path / "other.sqlite", NOW)
    assert list(evening.home.folder("backups").iterdir()) == []


# --- migrations that are broken off --------------------------------------------------------------


class PowerCut(BaseException):
    """As much warning as one gets."""


@pytest.mark.parametrize("after", [1, 5, 17, 23, 40])
def test_migrations_that_are_broken_off_at_any_statement_leave_nothing_half_done(bare: Engine, after: int) -> None:
    count = 0

    def cut(*_: object) -> None:
        nonlocal count
        count += 1
        if count == after:
            raise PowerCut

    event.listen(bare, "after_cursor_execute", cut)
    with pytest.raises(PowerCut), bare.begin() as connection:
        bring_up(connection)
    event.remove(bare, "after_cursor_execute", cut)
    with bare.begin() as connection:
        assert current(connection) is None
        assert tables(connection) == []
    with bare.begin() as connection:
        bring_up(connection)
        assert current(connection) == newest()


async def test_two_programs_may_open_a_new_database_at_once(database_url: str) -> None:
    opened = await asyncio.gather(*(Store.open(database_url) for _ in range(4)))
    for store in opened:
        await store.close()
    assert set((await held(database_url)).values().__iter__().__next__()) == set()


async def test_a_database_of_a_newer_program_is_left_alone_in_one_sentence(database_url: str) -> None:
    store = await Store.open(database_url)
    async with store.session() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    with pytest.raises(StoreError, match="made by a newer version"):
        await Store.open(database_url)


