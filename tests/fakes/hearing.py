"""Short ways for tests to talk at a table, to hear what comes of it, and to look into its database."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select

from bot.table.commands import run_input
from bot.table.events import Line
from bot.table.table import Table
from db.models import Base
from db.queries import lines


async def heard(events: AsyncIterator[Any]) -> list[Any]:
    """Everything a stream of events brings."""
    return [event async for event in events]


async def said(table: Table, text: str, to: str | None = None) -> Line:
    """Say something and return the line that answers."""
    line = (await heard(table.say(text, to=to)))[-1]
    assert isinstance(line, Line), f"nobody answered: {line}"
    return line


async def typed(table: Table, text: str) -> Any:
    """Type one input and return the last that comes of it."""
    return (await heard(run_input(table, text)))[-1]


async def rows(table: Table, model: type[Base]) -> list[Any]:
    """All rows of a table of the database, oldest first."""
    async with table.state.store.session() as session:
        return list(await session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]


async def transcript(table: Table) -> list[str]:
    """What counts as said in the scene, in order."""
    async with table.state.store.session() as session:
        return [turn.text for turn in await lines.transcript(session, table.state.scene_id)]
