"""Brings a database to the newest schema; the migrations lie in db/migrations.

Alembic is imported only where something has to be migrated: every table and the nightly service beside
it ask whether their database is current, and would carry ten megabytes each for the answer.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from db.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"


def config(connection: Connection) -> "Config":
    """Alembic's configuration for a database that is connected."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


def bring_up(connection: Connection) -> None:
    """Run the missing migrations, all or none of them, one program at a time.

    Without a transaction of its own an SQLite file that is killed between two tables would have one of them, and
    every later start would stumble over it.

    Raises:
        StoreError: a newer program wrote it.
    """
    if current(connection) == newest():
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('understudy schema'))")
    found = current(connection)  # another program may have been quicker
    if found is not None and found not in _revisions():
        raise StoreError(f"The database was made by a newer version (schema {found}); update this program.")
    if found != newest():
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing migrations; does nothing on a current database."""
    from alembic import command

    command.upgrade(config(connection), revision)


def current(connection: Connection) -> str | None:
    """The revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def newest() -> str:
    """The revision this program needs: files are numbered in their order, as a test asserts."""
    return max(_revisions())


def _revisions() -> list[str]:
    return [file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py")]
