"""Copies of the database while it is in use, each whole or not there at all."""

import asyncio
import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

from db.errors import StoreError
from db.home import Home
from db.store import Store

_NAME = "db-{:%Y%m%d-%H%M%S}.sqlite"


def backups(home: Home) -> list[Path]:
    """The copies, newest first."""
    return sorted(home.folder("backups").glob("db-*.sqlite"), reverse=True)


async def back_up(store: Store, home: Home, now: datetime) -> Path:
    """Copy the database into the home's `backups`.

    Raises:
        StoreError: it is no SQLite file, or cannot be copied.
    """
    file = store.engine.url.database
    if store.engine.dialect.name != "sqlite" or not file:
        raise StoreError("This database is a server's; its own tools copy it (pg_dump).")
    target = home.folder("backups") / _NAME.format(now)
    await asyncio.to_thread(_copy, Path(file), target)
    return target


def _copy(file: Path, target: Path) -> None:
    half = target.with_suffix(".part")
    try:
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
            [(told,)] = copy.execute("PRAGMA quick_check").fetchall()
        if told != "ok":
            raise StoreError(f"The copy of {file} is not sound ({told}); check the disk.")
        half.replace(target)
    except (sqlite3.Error, OSError) as error:
        why = f"{file} cannot be copied to {target.parent} ({error}); check space and permissions."
        raise StoreError(why) from error
    finally:
        half.unlink(missing_ok=True)
