"""The table as JSON lines: a stable surface for programs, checks and scripts.

One input a line on standard input, events on standard output; every event carries the ordinal of
the input it answers. At the end of input everything queued is answered, then it ends with 0.
"""

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import AsyncIterator
from typing import Any, TextIO

from bot.table.commands import Leave, Output, run_input
from bot.table.events import Again, Heard, Line, Piece
from bot.table.outputs import Ack
from bot.table.table import Table
from characters.errors import UnderstudyError


async def play_json(table: Table, source: TextIO = sys.stdin, out: TextIO = sys.stdout) -> None:
    """Answer every input in order; `/hush` alone takes effect while a line is spoken."""
    for stream in (source, out):
        if isinstance(stream, io.TextIOWrapper):  # whatever the platform's encoding is, and whatever comes
            stream.reconfigure(encoding="utf-8", errors="replace")
    inputs = _inputs(source, table)
    async for number, text in inputs:
        async for event in _answered(table, number, text):
            out.write(json.dumps(event, ensure_ascii=False) + "\n")
            out.flush()
            if event.get("command") == "quit":
                return


async def _inputs(source: TextIO, table: Table) -> AsyncIterator[tuple[int, str]]:
    """Read ahead on a thread, so that a hush is heard in mid-line."""
    queue: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def hear(number: int, text: str) -> None:
        if text == "/hush":
            table.hush()
        queue.put_nowait((number, text))

    def read() -> None:
        number = 0
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody listens any more
            for raw in source:
                if text := raw.strip():
                    number += 1
                    loop.call_soon_threadsafe(hear, number, text)
            loop.call_soon_threadsafe(queue.put_nowait, None)

    import threading

    threading.Thread(target=read, daemon=True).start()
    while (item := await queue.get()) is not None:
        yield item


async def _answered(table: Table, number: int, text: str) -> AsyncIterator[dict[str, Any]]:
    try:
        async for output in run_input(table, text):
            if event := as_event(output):
                yield {**event, "id": number}
    except UnderstudyError as error:
        yield {"event": "error", "id": number, "message": str(error)}


def as_event(output: Output) -> dict[str, Any]:
    """An output as the published surface has it; {} for what programs need not hear."""
    match output:
        case Piece():
            return {"event": "delta", "npc": output.npc, "text": output.text}
        case Again():
            return {"event": "restart", "npc": output.npc}
        case Line():
            names = ("ttft_ms", "tokens", "prompt_tokens", "reused_tokens")
            timings = {name: output.timings.get(name, 0) for name in names}
            return {"event": "line", "npc": output.npc, "name": output.name, "text": output.text,
                    "line_id": output.line_id, "take": output.take, "adapter": output.adapter,
                    "cut": output.cut, **timings}  # fmt: skip
        case Ack():
            return {"event": "ack", "command": output.command, "message": output.text, **output.data}
        case Heard():
            return {"event": "ack", "command": "heard", "turn_id": output.turn_id}
        case Leave():
            return {"event": "ack", "command": "quit"}
