"""Copies of the database while it is in use, each whole or not there at all.

A copy is an SQLite file whatever it was made from: of a file it is the file's pages, of a server's database
every row of one moment. `db.restoring` brings one back.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from db.copying import copy_database
from db.errors import StoreError
from db.home import Home
from db.store import Store

_NAME = "db-{:%Y%m%d-%H%M%S}.sqlite"


def backups(home: Home) -> list[Path]:
    """The copies, newest first."""
    return sorted(home.folder("backups").glob("db-*.sqlite"), reverse=True)


async def back_up(store: Store, home: Home, now: datetime) -> Path:
    """Copy the database into the home's `backups`; everybody may go on reading and writing.

    Raises:
        StoreError: it cannot be copied.
    """
    target = home.folder("backups") / _NAME.format(now)
    if target.exists():  # two in a second; a copy never replaces another one
        target = target.with_stem(f"{target.stem}-{now:%f}")
    with half_made(target) as half:
        if store.engine.dialect.name == "sqlite":
            await asyncio.to_thread(copy_file, Path(store.engine.url.database or ""), half)
        else:
            await _fetch(store, half)
    return target


async def _fetch(store: Store, half: Path) -> None:
    """Copy a server's database into a file, and compare."""
    copy = await Store.open(f"sqlite:///{half}")
    try:
        await copy_database(store, copy)
    finally:
        await copy.close()


@contextlib.contextmanager
def half_made(target: Path) -> Iterator[Path]:
    """A file to be made; it takes its name when it is whole and on the disk.

    Raises:
        StoreError: the disk refuses.
    """
    half = target.with_suffix(".part")
    try:
        half.unlink(missing_ok=True)  # of a program that was killed
        yield half
        with half.open("rb+") as made:
            os.fsync(made.fileno())
        half.replace(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}); check space and permissions.") from error
    finally:
        for left in (half, Path(f"{half}-wal"), Path(f"{half}-shm")):
            left.unlink(missing_ok=True)


def copy_file(file: Path, target: Path) -> None:
    """Copy an SQLite file as it is in this moment, whoever has it open.

    Raises:
        StoreError: it cannot be copied, or the copy is not sound.
    """
    if not file.is_file():
        raise StoreError(f"There is no file {file} to copy.")
    try:
        with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            [(told,)] = copy.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        why = f"{file} cannot be copied to {target.parent} ({error}); check the file, space and permissions."
        raise StoreError(why) from error
    if told != "ok":
        raise StoreError(f"{file} is not sound ({told}); `understudy db restore` brings back the last copy of it.")
