"""The shortest loop llama.cpp allows (`characters.inference.bare_loop`), in a process of its own."""

import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from characters.inference.llama_options import LoadOptions

_ROOT = Path(__file__).resolve().parents[2]


class Bare:
    """A running loop."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def rate(self, prompt: str, count: int) -> float:
        """Tokens a second after a prompt, reading it not counted."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"prompt": prompt, "count": count}).encode() + b"\n")
        return float(json.loads(await self._process.stdout.readline())["rate"])


@contextlib.asynccontextmanager
async def bare(model: Path, options: LoadOptions) -> AsyncIterator[Bare]:
    """Run the loop on a model."""
    told = {"path": str(model), **dataclasses.asdict(options)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "characters.inference.bare_loop", json.dumps(told),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT,
    )  # fmt: skip
    try:
        yield Bare(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
