"""One model, many channels: as many lines are spoken at once as it can, one a channel, and channels take turns.

Nothing runs in the background: whoever ends a line wakes whoever is next, so a bot at rest has no
task of its own.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class FairQueue:
    """Turns at the model, round robin over channels.

    Args:
        at_once: how many lines the engine speaks at the same time.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._speaking: set[int] = set()  # channels
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}  # in the order of the rotation
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def busy(self) -> int:
        """How many lines are spoken or waited for."""
        return len(self._speaking) + sum(len(line) for line in self._waiting.values())

    def ahead(self, channel: int) -> int:
        """How many lines would be spoken before one that is asked for now."""
        own = len(self._waiting.get(channel, ()))
        if len(self._speaking) < self._at_once:
            return own + (channel in self._speaking)
        before, seen = 0, channel not in self._waiting
        for other, line in self._waiting.items():
            if other == channel:
                seen = True
                continue
            # Whoever stands earlier in the rotation speaks once more than we did.
            earlier = channel not in self._waiting or not seen
            before += min(len(line), own + (1 if earlier else 0))
        return 1 + own + before  # whichever of those that are spoken ends first

    @contextlib.asynccontextmanager
    async def turn(self, channel: int) -> AsyncIterator[None]:
        """Wait for a channel's turn, and hold it."""
        await self._enter(channel)
        try:
            yield
        finally:
            self._leave(channel)

    async def _enter(self, channel: int) -> None:
        if len(self._speaking) < self._at_once and channel not in self._speaking:
            self._speaking.add(channel)
            self._idle.clear()
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(channel, deque()).append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():
                self._leave(channel)  # our turn came in the same moment: it goes to the next
            else:
                self._forget(channel, ticket)
            raise

    def _forget(self, channel: int, ticket: asyncio.Future[None]) -> None:
        line = self._waiting.get(channel)
        if line is not None and ticket in line:
            line.remove(ticket)
            if not line:
                del self._waiting[channel]

    def _leave(self, channel: int) -> None:
        """A place is free: it goes to the first channel in the rotation that does not speak already."""
        self._speaking.remove(channel)
        for other in [other for other in self._waiting if other not in self._speaking]:
            line = self._waiting.pop(other)
            while line and line[0].done():  # given up in this moment
                line.popleft()
            ticket = line.popleft() if line else None
            if line:
                self._waiting[other] = line
            if ticket is not None:
                self._speaking.add(other)
                ticket.set_result(None)
                return
        if not self._speaking:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until nobody speaks and nobody waits."""
        await self._idle.wait()
