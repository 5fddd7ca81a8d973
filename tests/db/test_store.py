"""The database opens, migrates with data in it, and says in one sentence why it cannot."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select

from characters.errors import UnderstudyError
from characters.messages import Scene
from db.errors import StoreCorrupt, StoreLocked, StoreUnreachable, StoreUnwritable
from db.full_text import is_index
from db.migrate import current, newest
from db.models import Base, Campaign
from db.queries import lines, play
from db.store import Store, translated
from db.values import StoredTurn

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)


def _differences(connection: Connection) -> list[object]:
    ours = MigrationContext.configure(connection, opts={"include_object": lambda _, name, *__: not is_index(name)})
    return list(compare_metadata(ours, Base.metadata))


async def test_models_and_migrations_agree(store: Store) -> None:
    async with store.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
        assert await connection.run_sync(current) == newest()


async def test_opening_again_changes_nothing_and_keeps_everything(store: Store, database_url: str) -> None:
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", NOW)
        evening = await play.start_session(session, campaign, NOW)
        scene = await play.start_scene(session, evening, Scene(place="the cellar"), NOW)
        await lines.add_turn(session, scene, StoredTurn(0, "Ana", "Hello “Mira” ✖", None, "local"), NOW)
    again = await Store.open(database_url)
    try:
        async with again.session() as session:
            assert await play.campaign_id(session, "home", NOW) == campaign
            assert (await play.last_scene(session, evening)) == (scene, Scene(place="the cellar"))
            assert [turn.text for turn in await lines.transcript(session, scene)] == ["Hello “Mira” ✖"]
    finally:
        await again.close()


async def test_a_failed_transaction_leaves_nothing_behind(store: Store) -> None:

    async def half() -> None:
        async with store.session() as session:
            await play.campaign_id(session, "half", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()
    async with store.session() as session:
        assert list(await session.scalars(select(Campaign.name))) == []


async def test_a_campaigns_night_runs_on_one_machine_of_a_server_at_a_time(store: Store, database_url: str) -> None:
    other = await Store.open(database_url)
    try:
        async with store.night_alone(1):
            async with other.night_alone(2):
                pass
            if database_url.startswith("postgresql"):
                with pytest.raises(StoreLocked, match="Another machine runs this campaign's night"):
                    async with other.night_alone(1):
                        pytest.fail("two run it")
        async with other.night_alone(1):
            pass
    finally:
        await other.close()


async def test_times_come_back_in_utc(store: Store) -> None:
    async with store.session() as session:
        await play.campaign_id(session, "home", NOW)
    async with store.session() as session:
        assert await session.scalar(select(Campaign.created_at)) == NOW


async def test_a_locked_database_is_one_sentence(migrated: Path, tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    path.write_bytes(migrated.read_bytes())
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("CREATE TABLE held (x)")
    store = await Store.open(f"sqlite:///{path}", patience=0.05)
    try:
        with pytest.raises(StoreLocked, match="held by another program"):
            async with store.session() as session:
                await play.campaign_id(session, "home", NOW)
    finally:
        await store.close()
        holder.close()


@pytest.mark.parametrize("harm", ["text", "truncated"])
async def test_a_damaged_database_is_one_sentence(migrated: Path, tmp_path: Path, harm: str) -> None:
    path = tmp_path / "db.sqlite"
    data = migrated.read_bytes()
    path.write_bytes(b"this is a shopping list, not a database" * 200 if harm == "text" else data[:100] + b"\0" * 5000)
    with pytest.raises(StoreCorrupt, match=r"db\.sqlite"):
        await Store.open(f"sqlite:///{path}")


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((StoreUnwritable, OSError)):
        await Store.open(f"sqlite:///{tmp_path / 'file' / 'db.sqlite'}")


async def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    with pytest.raises(StoreUnreachable, match="does not answer"):
        await Store.open("postgresql://nobody:secret@127.0.0.1:9/none")


async def test_a_password_never_stands_in_a_sentence() -> None:
    with pytest.raises(UnderstudyError) as caught:
        await Store.open("postgresql://nobody:hunter2@127.0.0.1:9/none")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("original", [sqlite3.OperationalError("database or disk is full"), psycopg.OperationalError("No space left: disk is full")])
def test_a_full_disk_is_one_sentence(original: Exception) -> None:
    from sqlalchemy.exc import OperationalError

    with pytest.raises(StoreUnwritable, match="make room"), translated("db.sqlite"):
        raise OperationalError("INSERT", {}, original)
