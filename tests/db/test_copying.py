"""A database is copied whole or not at all, goes on where it was broken off, and is compared."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from db import copying
from db.backup import back_up, backups
from db.copying import CopyRefused, copy_database
from db.errors import StoreLocked, StoreUnreachable
from db.home import Home
from db.models import Base, Campaign, TurnRow
from db.queries import play
from db.store import Store
from tests.fakes.databases import postgres_urls
from tests.fakes.evening import NOW, Evening, played
from tests.fakes.postgres_line import PostgresLine


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Store]:
    """An SQLite database with an evening in it."""
    store = await Store.open(f"sqlite:///{tmp_path / 'source.sqlite'}")
    (tmp_path / "home").mkdir()
    evening = await Evening(store, Home(tmp_path / "home")).begin()
    await played(evening)
    await evening.trained("mira-0", "dataset-1", state="active")
    await evening.says(evening.ben, "Strange signs: “✖” 💥 \u202e, and a zero \0 in the middle.")
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'target.sqlite'}"
        return
    yield from postgres_urls()


@pytest.fixture
def server_url() -> Iterator[str]:
    yield from postgres_urls()


@pytest.fixture
async def target(target_url: str) -> AsyncIterator[Store]:
    store = await Store.open(target_url)
    yield store
    await store.close()


async def values(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.session() as session:
        return {
            table.name: [tuple(str(value).replace("\0", "\ufffd") for value in row) for row in (await session.execute(select(table).order_by(table.c.id))).all()]
            for table in Base.metadata.sorted_tables
        }  # fmt: skip


async def test_every_row_arrives_and_new_ones_are_numbered_after_them(source: Store, target: Store) -> None:
    copied = await copy_database(source, target)
    assert not copied.went_on
    assert copied.content.startswith("sha256-")
    assert copied.rows["turns"] == len((await values(source))["turns"])
    assert await values(target) == await values(source)
    async with target.session() as session:
        highest = await session.scalar(select(Campaign.id).order_by(Campaign.id.desc()))
        assert await play.campaign_id(session, "another", NOW) == (highest or 0) + 1


async def test_a_database_with_anything_in_it_is_refused_and_left_as_it_is(source: Store, target: Store) -> None:
    async with target.session() as session:
        await play.campaign_id(session, "mine", NOW)
    with pytest.raises(CopyRefused, match=r"is not empty \(there are rows in campaigns\)"):
        await copy_database(source, target)
    async with target.session() as session:
        assert list(await session.scalars(select(Campaign.name))) == ["mine"]


async def test_a_copy_that_was_broken_off_goes_on_where_it_was(source: Store, target: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_BATCH", 2)
    seen: list[tuple[str, int]] = []

    def break_off(name: str, rows: int) -> None:
        seen.append((name, rows))
        if name == "turns" and rows >= 2:
            raise ConnectionError("somebody pulled the plug")

    with pytest.raises(ConnectionError):
        await copy_database(source, target, break_off)
    async with target.session() as session:
        assert len(list(await session.scalars(select(TurnRow.id)))) == 2
    copied = await copy_database(source, target)
    assert copied.went_on
    assert await values(target) == await values(source)
    with pytest.raises(CopyRefused, match="is not empty"):
        await copy_database(source, target)


async def test_the_beginning_of_another_databases_copy_is_not_gone_on_with(source: Store, target: Store, tmp_path: Path) -> None:
    def break_off(name: str, rows: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await copy_database(source, target, break_off)
    other = await Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    try:
        with pytest.raises(CopyRefused, match="holds the beginning of a copy of"):
            await copy_database(other, target)
    finally:
        await other.close()


async def test_a_source_that_changed_meanwhile_is_told_and_the_copy_stays_unproven(source: Store, target: Store) -> None:
    def break_off(name: str, rows: int) -> None:
        if name == "takes":
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await copy_database(source, target, break_off)
    async with source.session() as session:
        (await session.get_one(Campaign, 1)).created_at += timedelta(days=1)
    with pytest.raises(CopyRefused, match=r"was changed while or since it was copied \(differs in campaigns\)"):
        await copy_database(source, target)
    async with target.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM copy_marks")) == len(Base.metadata.sorted_tables)


@pytest.mark.parametrize(
    "until", ["SELECT copy_marks.last", "INSERT INTO turns", "SELECT turns.id, ", "DROP TABLE copy_marks"],
    ids=["asked how far it is", "filled", "compared", "declared whole"],
)  # fmt: skip
async def test_a_target_that_goes_away_is_one_sentence_and_the_copy_goes_on_later(source: Store, server_url: str, until: str) -> None:
    async with PostgresLine(server_url, until) as line:
        target = await Store.open(line.url)
        with pytest.raises(StoreUnreachable) as told:
            await copy_database(source, target)
        await target.close()
    assert str(told.value) == f"The database server of {target.where} does not answer; start it or correct database.url."
    again = await Store.open(server_url)
    try:
        assert (await copy_database(source, again)).went_on
        assert await values(again) == await values(source)
    finally:
        await again.close()


async def test_a_server_that_goes_away_while_it_is_backed_up_is_one_sentence_and_leaves_no_copy(server_url: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    async with PostgresLine(server_url, "SELECT turns.id, ") as line:
        source = await Store.open(line.url)
        with pytest.raises(StoreUnreachable) as told:
            await back_up(source, home, NOW)
        await source.close()
    assert source.where in str(told.value)
    assert backups(home) == []


async def test_nobody_writes_while_a_file_is_kept_still(source: Store) -> None:
    hasty = await Store.open(source.where, patience=0.05)
    try:
        async with source.kept_still():
            with pytest.raises(StoreLocked):
                async with hasty.session() as session:
                    await play.campaign_id(session, "new", NOW)
        async with hasty.session() as session:
            await play.campaign_id(session, "new", NOW)
    finally:
        await hasty.close()
