"""Keeps lines within what a table agreed on (lines and veils), for every face that shows them.

Where nothing was agreed on, a line is passed on as it grows. Else nobody sees a word of it before
it is whole and found to cross nothing.
"""

import contextlib
import logging
from collections.abc import AsyncGenerator

from bot.errors import TableError
from bot.table.events import Event, Line, Piece
from bot.table.table import Table
from db.queries import lines
from db.values import StoredTurn

log = logging.getLogger(__name__)

_TRIES = 2  # so often a line that crosses a limit of the table is tried again


class LimitCrossed(TableError):
    """No take of a line keeps within the table's limits."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} stays silent, for every answer crossed a limit of this table; ask something else.")
        self.name = name


async def within_limits(
    table: Table, npc: str, said: StoredTurn, events: AsyncGenerator[Event, None], before: int | None = None
) -> AsyncGenerator[Event, None]:
    """Pass a line on, if it crosses no limit of the table.

    Args:
        said: what the line answers.
        events: the line.
        before: the take that stands, to go back to.

    Raises:
        LimitCrossed: no take keeps within them; the line is out of the story.
    """
    state = table.state
    if not state.limits:
        async with contextlib.aclosing(events):
            async for event in events:
                yield event
        return
    line = await last_line(events)
    for _ in range(_TRIES):
        if line is None or state.limits.crossed_by(line.text) is None:
            break
        log.info("A line crossed a limit of the table and was not shown.")
        line = await last_line(table.speaking.answer(npc, said, line.line_id))
    if line is not None and state.limits.crossed_by(line.text) is not None:
        async with state.store.session() as session:
            if before is None:
                await lines.retract(session, line.line_id, state.clock())
            else:
                await lines.keep_take(session, line.line_id, before)
        raise LimitCrossed(line.name)
    if line is not None:
        yield Piece(npc, line.name, line.text, line.line_id)
        yield line


async def last_line(events: AsyncGenerator[Event, None]) -> Line | None:
    """The whole line a stream ends with."""
    line = None
    async with contextlib.aclosing(events):
        async for event in events:
            line = event if isinstance(event, Line) else line
    return line
