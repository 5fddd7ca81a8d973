"""The client's half of the worker: start it, talk to it, notice when it dies or hangs."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from characters.inference.errors import BY_NAME, EngineError, WorkerFailed

_LEAVING = 5.0  # seconds to end in: what was read of sheets is written then
_ROOT = Path(__file__).resolve().parents[2]


class WorkerDied(Exception):
    """The process ended or hung in the middle of an order; never shown, the order is repeated."""


class WorkerProcess:
    """One running worker.

    Args:
        options: what the worker is started with (path, context, cells, threads, …).
        patience: seconds without any sign before it counts as hung.

    Attributes:
        closed: it was asked to end.
    """

    def __init__(self, options: dict[str, Any], patience: float) -> None:
        self._options = options
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}
        self._ids = itertools.count(1)
        self._reader: asyncio.Task[None] | None = None
        self._heard = 0.0
        self.closed = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the process and wait until the model is loaded.

        Raises:
            EngineError: the model cannot be loaded, for a reason that trying again would not mend.
            WorkerDied: the process died while loading.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "characters.inference.llama_worker", json.dumps(self._options),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, cwd=_ROOT, limit=1 << 24,
        )  # fmt: skip
        event = await self._next_line()
        if event.get("event") == "failed":
            await self.kill()
            raise BY_NAME.get(event["kind"], EngineError)(event["message"])
        self._reader = asyncio.create_task(self._read())

    async def _next_line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), max(self._patience, 60.0))
        except TimeoutError:
            await self.kill()
            raise WorkerDied from None
        if not line:
            await self.kill()
            raise WorkerDied
        event: dict[str, Any] = json.loads(line)
        return event

    async def _read(self) -> None:
        """Hand every event to whoever waits for its order."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                event = json.loads(line)
                self._heard = time.monotonic()
                if box := self._waiting.get(event["id"]):
                    box.put_nowait(event)
        finally:
            for box in self._waiting.values():
                box.put_nowait(None)

    async def call(self, op: str, **order: Any) -> Any:
        """Send an order and return its result."""
        async for event in self.stream(op, **order):
            if event["event"] == "result":
                return event["result"]
        raise WorkerDied

    async def stream(self, op: str, **order: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Send an order and yield its events up to its result.

        Raises:
            EngineError: the worker says why it cannot.
            WorkerDied: it ended, or gave no sign for too long.
        """
        number = next(self._ids)
        box: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._waiting[number] = box
        finished = False
        try:
            self._send({"op": op, "id": number, **order})
            while not finished:
                event = await self._sign(box)
                finished = event["event"] in {"result", "error"}
                if event["event"] == "error":
                    raise BY_NAME.get(event["kind"], EngineError)(event["message"])
                yield event
        finally:
            self._waiting.pop(number, None)
            if not finished and self.pid is not None:
                with contextlib.suppress(WorkerDied):
                    self._send({"op": "cancel", "id": number})

    async def _sign(self, box: "asyncio.Queue[dict[str, Any] | None]") -> dict[str, Any]:
        """An order's next event; while the worker is heard of by others, this one is only waiting for its turn."""
        while True:
            try:
                event = await asyncio.wait_for(box.get(), self._patience)
            except TimeoutError:
                if time.monotonic() - self._heard < self._patience:
                    continue
                event = None
            if event is None:
                await self.kill()
                raise WorkerDied
            return event

    def _send(self, order: dict[str, Any]) -> None:
        if self.pid is None or self._process is None or self._process.stdin is None:
            raise WorkerDied
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise WorkerDied from error

    async def kill(self) -> None:
        """End the process at once, and wait until it is gone."""
        process = self._process
        if process is not None:
            if process.returncode is None:
                _end(process)
            await process.wait()
        if self._reader is not None and self._reader is not asyncio.current_task():
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    async def close(self) -> None:
        """Let the process end by closing its input; kill it if it does not."""
        self.closed = True
        process = self._process
        if process is not None and process.returncode is None and process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _LEAVING)
        await self.kill()


def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that may just have died.

    asyncio's own way asks for its status first, which takes it away from whoever waits for it; that one then complains
    on standard error.
    """
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.kill(process.pid, signal.SIGKILL)


def gave_up(failures: int, model: str) -> WorkerFailed:
    """The one sentence after repeated failures."""
    return WorkerFailed(
        f"The model process failed {failures} times in a row on {model}; "
        "run `understudy doctor` to see why, or choose a smaller model."
    )
