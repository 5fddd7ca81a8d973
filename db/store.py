"""Opens the database: SQLite in the home by default, PostgreSQL by URL.

The store hands out sessions and turns the drivers' many errors into one sentence each. SQLite
runs with a write-ahead log and NORMAL synchronisation: a killed process loses nothing that was
committed; a power cut may lose the last second.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from db.errors import StoreCorrupt, StoreError, StoreLocked, StoreUnreachable, StoreUnwritable
from db.migrate import current, newest, upgrade


class Store:
    """An open, current database."""

    def __init__(self, engine: AsyncEngine, where: str) -> None:
        self.engine = engine
        self.where = where
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Connect and migrate.

        Raises:
            StoreError: one sentence saying what is wrong and where.
        """
        where = _shown(url)
        store = cls(_make_engine(url), where)
        with translated(where):
            async with store.engine.begin() as connection:
                await connection.run_sync(_bring_up)
        return store

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A transaction: committed at the end, rolled back on any error."""
        with translated(self.where):
            async with self._sessions() as session, session.begin():
                yield session

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()


def _bring_up(connection: Connection) -> None:
    if current(connection) != newest():
        upgrade(connection)


def _shown(url: str) -> str:
    """The address without its password."""
    return make_url(url).render_as_string(hide_password=True)


def _make_engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), connect_args={"timeout": 5})
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
        return engine
    return create_async_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def _tune_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DB-API connection
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
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
    ("unable to open", StoreUnwritable, "The database {where} cannot be opened; check that its folder exists and is yours."),
    ("connection", StoreUnreachable, "The database server of {where} does not answer; start it or correct database.url."),
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
