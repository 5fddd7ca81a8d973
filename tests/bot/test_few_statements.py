"""A line asks little of the database: what it costs besides the model is mostly the statements it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from bot.table.table import Table
from tests.bot.conftest import OpenTable

_MOST = 15  # a plain question and its answer; what is remembered, lore and secrets come on top


@contextmanager
def counted(table: Table) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = table.state.store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


async def say(table: Table, text: str) -> None:
    async for _ in table.say(text):
        pass


async def test_a_question_and_its_answer_run_at_most_fifteen_statements(open_table: OpenTable) -> None:
    table = await open_table("Four copper.", "Four copper.")
    await say(table, "What does the ale cost?")
    with counted(table) as statements:
        await say(table, "What does the ale cost?")
    assert len(statements) <= _MOST, "\n".join(statements)


async def test_the_number_of_statements_does_not_grow_with_the_scene(open_table: OpenTable) -> None:
    table = await open_table(*["Aye."] * 12)
    counts = []
    for _ in range(12):
        with counted(table) as statements:
            await say(table, "What does the ale cost?")
        counts.append(len(statements))
    assert max(counts[1:]) <= _MOST
