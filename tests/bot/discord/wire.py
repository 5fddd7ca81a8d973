"""The real program at the stand-in's end of the wire."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import PROGRAM


class Program:
    """`understudy bot`, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def event(self, name: str) -> dict[str, Any]:
        """The next event on standard output, which is to be this one."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line, f"the program ended before {name}: {(await self.errors())[-3000:]}"
        event: dict[str, Any] = json.loads(line)
        assert event["event"] == name, event
        return event

    async def errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def stop(self) -> tuple[int, str]:
        """Ask it to end, and wait: exit status and log."""
        if self.process.returncode is None:
            self.process.terminate()
        errors = await asyncio.wait_for(self.errors(), 30)
        return await self.process.wait(), errors


@asynccontextmanager
async def running(discord: DiscordStandIn, model: ModelServer, *options: str, ready: bool = True, **settings: str) -> AsyncIterator[Program]:
    """Start the bot; it is ended whatever happens."""
    environment = {
        **os.environ, **discord.environment, "UNDERSTUDY_ENGINE_URL": model.url, "UNDERSTUDY_DISCORD_COOLDOWN": "0",
        **settings,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "bot", "--json", "--no-nights", *options, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    program = Program(process)
    try:
        if ready:
            before = discord.identified
            await discord.until(lambda: discord.identified > before or process.returncode is not None)
        yield program
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
