"""A line as a program hears it: spoken in a task of its own, so that who leaves early breaks nothing off.

A listener who leaves after the first word hushes the NPC, and what was heard is kept; one who leaves
before it takes the question back to where nobody answered.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from bot.api.errors import ApiError
from bot.table.events import Again, Event, Line, Piece
from bot.table.table import Table


class Performance:
    """One line, from the table to whoever listens.

    Args:
        events: the use case; closed at its end.
    """

    def __init__(self, table: Table, events: AsyncGenerator[Event, None]) -> None:
        self._table = table
        self._queue: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._begun = False
        self.task = asyncio.create_task(self._speak(events))

    async def _speak(self, events: AsyncGenerator[Event, None]) -> None:
        end: Exception | None = None
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    self._begun = self._begun or isinstance(event, Piece)
                    self._queue.put_nowait(event)
        except Exception as error:  # noqa: BLE001  (told to the listener, who maps it)
            end = error
        finally:
            self._queue.put_nowait(end)

    async def pieces(self) -> AsyncGenerator[Piece | Line, None]:
        """What is new of the line, piece by piece, and the whole line at its end.

        A line that begins anew is the same line, for its seed is; what was told of it is not told twice.

        Raises:
            ApiError: the line began anew and became another.
        """
        told = text = ""
        async for event in self._heard():
            if isinstance(event, Again):
                text = ""
            elif isinstance(event, Piece):
                text += event.text
                if len(text) > len(told) and text.startswith(told):
                    yield Piece(event.npc, event.name, text[len(told) :], event.line_id)
                    told = text
            elif isinstance(event, Line):
                if not event.text.startswith(told):
                    raise ApiError("The model was restarted and its line began anew; ask again.", 503, "server_error")
                if rest := event.text[len(told) :]:
                    yield Piece(event.npc, event.name, rest, event.line_id)
                yield event

    async def _heard(self) -> AsyncGenerator[Event, None]:
        while (event := await self._queue.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    def leave(self) -> None:
        """Nobody listens any more."""
        if self.task.done():
            return
        if self._begun:
            self._table.hush()
        else:
            self.task.cancel()
