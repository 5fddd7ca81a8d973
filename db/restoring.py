"""Brings a copy of the database back; what was there before is kept beside the copies.

A file is overwritten through SQLite itself, in one transaction, so that a kill in the middle leaves the old or
the new one. One that is too damaged for that is put beside the copies first, and then replaced by name. A server's
database is filled only where it is empty: what stands in it is its operator's to move away.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from db.backup import back_up, backups, copy_file, half_made
from db.copying import copy_database
from db.errors import StoreError, StoreLocked
from db.home import Home
from db.store import Store

_PATIENCE = 2.0  # seconds for whoever is just writing


@dataclass(frozen=True)
class Restored:
    """What came of it.

    Attributes:
        file: the copy that was brought back.
        before: what was there until now; None where there was nothing.
    """

    file: Path
    before: Path | None


async def restore(url: str, home: Home, file: Path | None, now: datetime) -> Restored:
    """Bring a copy back; the newest one unless it is named.

    Raises:
        StoreError: there is none, it is no sound database, or somebody has the database open.
    """
    chosen = file or next(iter(backups(home)), None)
    if chosen is None:
        raise StoreError(f"There is no copy in {home.folder('backups')}; `understudy db backup` makes one.")
    if not chosen.is_file():
        raise StoreError(f"There is no copy {chosen}; `understudy db restore` alone takes the newest one.")
    address = make_url(url)
    # A copy of the copy: an older one is brought to the newest schema, and the copy itself is not touched.
    with tempfile.TemporaryDirectory(dir=home.folder("backups"), prefix="restoring-") as folder:
        fresh = Path(folder) / "db.sqlite"
        await asyncio.to_thread(copy_file, chosen, fresh)
        if not await asyncio.to_thread(_is_ours, fresh):
            raise StoreError(f"{chosen} is no copy of an Understudy database; name one of {home.folder('backups')}.")
        source = await Store.open(f"sqlite:///{fresh}")
        try:
            if address.get_backend_name() != "sqlite":
                await _fill(source, url)
                return Restored(chosen, None)
        finally:
            await source.close()
        return Restored(chosen, await _overwrite(fresh, Path(address.database or ""), home, now))


async def _fill(source: Store, url: str) -> None:
    target = await Store.open(url)
    try:
        await copy_database(source, target)
    finally:
        await target.close()


async def _overwrite(fresh: Path, file: Path, home: Home, now: datetime) -> Path | None:
    """Put a sound file in the place of another one; returns where that lies now."""
    if not await asyncio.to_thread(file.is_file):
        await asyncio.to_thread(_put, fresh, file)
        return None
    await asyncio.to_thread(_nobody_has_it, file)
    if not await asyncio.to_thread(_sound, file):
        return await asyncio.to_thread(_replace, fresh, file, home.folder("backups"), now)
    store = await Store.open(f"sqlite:///{file}")
    try:
        before = await back_up(store, home, now)
    finally:
        await store.close()
    await asyncio.to_thread(_write_over, fresh, file)
    return before


def _put(fresh: Path, file: Path) -> None:
    """Put a file where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with half_made(file) as half:
        shutil.copyfile(fresh, half)


def _nobody_has_it(file: Path) -> None:
    """Refuse while any program has a file open; one that is damaged may refuse to be asked.

    Raises:
        StoreLocked: somebody has.
    """
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as asked:
            asked.execute("PRAGMA locking_mode=EXCLUSIVE")
            asked.execute("BEGIN EXCLUSIVE")
            asked.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreLocked(f"The database {file} is open in another program; close it and try again.") from error
    except sqlite3.DatabaseError:
        return


def _is_ours(file: Path) -> bool:
    with contextlib.closing(sqlite3.connect(file)) as asked:
        return bool(asked.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall())


def _sound(file: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=_PATIENCE)) as asked:
            return bool(asked.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
    except sqlite3.DatabaseError:
        return False


def _write_over(fresh: Path, file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(fresh)) as source, contextlib.closing(sqlite3.connect(file)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be overwritten ({error}); close every program that has it open.") from error


def _replace(fresh: Path, file: Path, kept: Path, now: datetime) -> Path:
    """Put a file in the place of a damaged one, which is kept with its log."""
    damaged = kept / f"damaged-{now:%Y%m%d-%H%M%S}.sqlite"
    log, index = Path(f"{file}-wal"), Path(f"{file}-shm")
    try:
        shutil.copyfile(file, damaged)
        if log.is_file():
            shutil.copyfile(log, f"{damaged}-wal")
        with half_made(file) as half:
            shutil.copyfile(fresh, half)
            for stale in (log, index):  # of the damaged file; the new one must not go on with them
                stale.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{file} cannot be replaced ({error.strerror}); check space and permissions.") from error
    return damaged
