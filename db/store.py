"""Opens the database: SQLite in the home by default, PostgreSQL by URL.

The store hands out sessions and turns the drivers' many errors into one sentence each. SQLite
runs with a write-ahead log and NORMAL synchronisation: a killed process loses nothing that was
committed; a power cut may lose the last second.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from sqlite3 import OperationalError as SqliteError
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from db import sqlite
from db.errors import NightElsewhere, StoreCorrupt, StoreError, StoreLocked, StoreUnreachable, StoreUnwritable
from db.full_text import REBUILD
from db.migrate import bring_up

_FORMS = "write sqlite:///FILE or postgresql://USER@HOST/NAME, or leave it empty for SQLite in the home"
_NIGHT = "hashtext('understudy night in ' || current_schema())"  # the kind of advisory lock that means a night
_MEANWHILE = 2.0  # seconds that another program may take to change the journal of a new file
_AT_ONCE = 15  # connections to an SQLite file, as many as the pool allows of itself; whoever comes then waits
_KEPT = 3  # of them stay when given back: each has a thread and memory, and a new one is there within milliseconds
_PAGES = 512  # KB of the file that a connection keeps; the system keeps the file in memory, once for all of them


class Store:
    """An open, current database."""

    def __init__(self, engine: AsyncEngine, where: str) -> None:
        self.engine = engine
        self.where = where
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str, patience: float = 5.0) -> "Store":
        """Connect and migrate.

        Args:
            patience: seconds to wait for another program that is writing.

        Raises:
            StoreError: one sentence saying what is wrong and where.
        """
        address = _address(url)
        where = address.render_as_string(hide_password=True)
        store = cls(_make_engine(address, patience), where)
        with translated(where):
            async with store.engine.begin() as connection:
                await connection.run_sync(bring_up)
        return store

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A transaction: committed at the end, rolled back on any error."""
        with translated(self.where):
            async with self._sessions() as session, session.begin():
                yield session

    async def compact(self) -> bool:
        """Write an SQLite file anew, so that its free pages and its log hold nothing that was deleted.

        Returns:
            Whether that was done; a server's pages are its operator's.

        Raises:
            StoreLocked: another program held the file all the time.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        with translated(self.where):
            async with self.engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await alone.exec_driver_sql("PRAGMA secure_delete=ON")
                await alone.exec_driver_sql(REBUILD)
                await alone.exec_driver_sql("VACUUM")
                busy = (await alone.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
        if busy:
            raise StoreLocked(f"The log of {self.where} is being read by another program; close it and try again.")
        return True

    @contextlib.asynccontextmanager
    async def kept_still(self) -> AsyncIterator[None]:
        """Let nobody write to an SQLite file meanwhile; everybody may read.

        Raises:
            StoreLocked: another program is writing.
        """
        if self.engine.dialect.name != "sqlite":
            yield
            return
        with translated(self.where):
            async with self.engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await alone.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield
                finally:
                    await alone.exec_driver_sql("ROLLBACK")

    @contextlib.asynccontextmanager
    async def night_alone(self, campaign: int) -> AsyncIterator[None]:
        """Run a campaign's night, and nobody else of this database meanwhile, on whatever machine.

        PostgreSQL keeps an advisory lock for as long as our connection stands, so that it outlives nobody; an
        SQLite file is one home's, whose own lock is enough (`db.night_lock`).

        Raises:
            NightElsewhere: another machine runs it.
        """
        if self.engine.dialect.name != "postgresql":
            yield
            return
        with translated(self.where):
            async with self.engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                got = (await alone.exec_driver_sql(f"SELECT pg_try_advisory_lock({_NIGHT}, {campaign:d})")).scalar_one()
                if not got:
                    raise NightElsewhere(
                        f"Another machine runs this campaign's night on {self.where}; wait for its end."
                    )
                try:
                    yield
                finally:
                    await alone.exec_driver_sql(f"SELECT pg_advisory_unlock({_NIGHT}, {campaign:d})")

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def _address(url: str) -> URL:
    """Read a database's URL; it is not repeated in an error, for it may hold a password."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"The setting database.url is no address; {_FORMS}.") from error
    if address.get_backend_name() not in {"sqlite", "postgresql", "postgres"}:
        raise StoreError(f"The setting database.url names {address.get_backend_name()}, which is not known; {_FORMS}.")
    return address


def _make_engine(address: URL, patience: float) -> AsyncEngine:
    if address.get_backend_name() == "sqlite":
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        file = address.database or ":memory:"
        # The connection used last is used next: each keeps pages of the file in memory, and turns would keep them all.
        pool: dict[str, Any] = {"pool_use_lifo": True, "pool_size": _KEPT, "max_overflow": _AT_ONCE - _KEPT}
        engine = create_async_engine(
            address.set(drivername="sqlite+aiosqlite"), async_creator=lambda: sqlite.connect(file, patience),
            **(pool if address.database else {}),
        )  # fmt: skip
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
        return engine
    return create_async_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def _tune_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    until = time.monotonic() + _MEANWHILE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except SqliteError as error:
            # Where two open a new file at once, SQLite refuses the second one's change of journal without waiting.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", f"cache_size=-{_PAGES}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


_SIGNS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("database is locked", StoreLocked, "The database {where} is held by another program; close it and try again."),
    ("not a database", StoreCorrupt, "The file {where} is not a database; restore a backup or move it away."),
    ("malformed", StoreCorrupt, "The database {where} is damaged; restore it with `understudy db restore`."),
    ("disk is full", StoreUnwritable, "The disk of {where} is full; make room and try again."),
    ("readonly", StoreUnwritable, "The database {where} cannot be written; check its permissions."),
    ("read-only", StoreUnwritable, "The database {where} cannot be written; check its permissions."),
    ("disk i/o error", StoreUnwritable, "The disk of {where} fails or is full; check it and try again."),
    ("unable to open", StoreUnwritable,
     "The database {where} cannot be opened; check that its folder exists and is yours."),
    ("connection", StoreUnreachable,
     "The database server of {where} does not answer; start it or correct database.url."),
)  # fmt: skip


@contextlib.contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn whatever the driver raises into one of ours, most telling sign first."""
    try:
        yield
    except (OperationalError, DatabaseError, InterfaceError) as error:
        text = str(error.orig or error).casefold()
        for sign, kind, sentence in _SIGNS:
            if sign in text:
                raise kind(sentence.format(where=where)) from error
        raise StoreError(f"The database {where} refuses: {str(error.orig).splitlines()[0]}.") from error
    except SQLAlchemyError as error:
        raise StoreError(f"The database {where} refuses ({type(error).__name__}); see the log.") from error
