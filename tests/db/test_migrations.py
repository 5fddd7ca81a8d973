"""Every earlier schema, with a row in each of its tables, comes up to the newest and loses nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    insert,
    select,
)

from db import migrate
from db.full_text import is_index
from db.migrate import current, newest, upgrade
from db.models import Base

REVISIONS = sorted(file.name.partition("_")[0] for file in (Path(migrate.__file__).parent / "migrations/versions").glob("[0-9]*.py"))
THEN = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


def filled(table: Table) -> dict[str, Any]:
    """A row with something in every column."""

    def value(column: Any) -> Any:
        if column.name == "id" or column.foreign_keys:
            return 1
        if isinstance(column.type, JSON):
            return {"kept": [1, "“two” ✖"]}
        if isinstance(column.type, DateTime):
            return THEN
        if isinstance(column.type, Boolean):
            return True
        if isinstance(column.type, LargeBinary):
            return b"\0\xff"
        if isinstance(column.type, Numeric) or column.type.python_type in {int, float}:
            return 7
        return f"{table.name}.{column.name}"[: getattr(column.type, "length", None) or 200]

    return {column.name: value(column) for column in table.columns}


def tables(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version" and not is_index(table.name)]


def rows(connection: Connection, names: list[str]) -> dict[str, dict[str, Any]]:
    """The one row of each table."""
    kept = {}
    for table in Base.metadata.sorted_tables:
        if table.name in names:
            kept[table.name] = dict(connection.execute(select(table)).mappings().one())
    return kept


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_database_of_an_earlier_schema_comes_up_with_everything_in_it(bare: Engine, revision: str) -> None:
    with bare.begin() as connection:
        upgrade(connection, revision)
        assert current(connection) == revision
        old = tables(connection)
        for table in old:
            connection.execute(insert(table), [filled(table)])
        before = {table.name: filled(table) for table in old}
        told = before.pop("told_facts", None)
    with bare.begin() as connection:
        upgrade(connection)
        assert current(connection) == newest()
        after = rows(connection, list(before))
        if told is not None:  # told facts are memories now
            [memory] = connection.execute(select(Base.metadata.tables["memories"])).mappings()
            assert {name: memory[name] for name in ("campaign_id", "npc", "text", "participant_id")} == {
                name: told[name] for name in ("campaign_id", "npc", "text", "participant_id")
            }
        ours = MigrationContext.configure(connection, opts={"include_object": lambda _, name, *__: not is_index(name)})
        assert compare_metadata(ours, Base.metadata) == []
    assert set(after) == set(before), "a table is gone"
    for name, row in before.items():
        for column, value in row.items():
            assert after[name][column] == value, f"{name}.{column} is not what it was"


def test_the_newest_schema_is_the_last_file(bare: Engine) -> None:
    with bare.begin() as connection:
        upgrade(connection)
        assert current(connection) == REVISIONS[-1] == newest()


def test_what_a_person_took_back_before_goes_from_reactions_and_examples(bare: Engine) -> None:
    with bare.begin() as connection:
        upgrade(connection, "0010")
        for table in tables(connection):
            row = filled(table)
            if table.name == "turns":
                said = [{**row, "id": at, "ordinal": at, "npc": None, "answers_id": None, "text": text} for at, text in ((1, ""), (2, "Well?"))]
                some = [*said, *({**row, "id": at, "ordinal": at, "npc": "mira", "answers_id": at - 2} for at in (3, 4))]
            elif table.name in {"feedback", "style_examples"}:
                some = [{**row, "id": at, "turn_id": at, "asked": "Where is he?"} for at in (3, 4)]
            else:
                some = [row]
            connection.execute(insert(table), some)
    with bare.begin() as connection:
        upgrade(connection)
        for name in ("feedback", "style_examples"):
            found = connection.execute(select(Base.metadata.tables[name]).order_by(Base.metadata.tables[name].c.id)).mappings().all()
            assert [row["asked"] for row in found] == ["", "Where is he?"]
            assert [row.get("active") for row in found] in ([False, True], [None, None])
