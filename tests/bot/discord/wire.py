"""The real program at the stand-in's end of the wire."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes.discord_payloads import CHANNEL
from tests.fakes.discord_rest import Asked
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import PROGRAM


class Program:
    """`understudy bot`, running."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self._log = log  # a file, for a pipe nobody reads from would fill up and stop the program

    async def event(self, name: str) -> dict[str, Any]:
        """The next event on standard output, which is to be this one."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line, f"the program ended before {name}: {self.errors[-3000:]}"
        event: dict[str, Any] = json.loads(line)
        assert event["event"] == name, event
        return event

    @property
    def errors(self) -> str:
        """What it logged so far."""
        return self._log.read_text("utf-8")

    async def stop(self) -> tuple[int, str]:
        """Ask it to end, and wait: exit status and log."""
        if self.process.returncode is None:
            self.process.terminate()
        status = await asyncio.wait_for(self.process.wait(), 30)
        return status, self.errors


async def ended_well(program: Program) -> str:
    """Stop it; it is to end without an error."""
    status, errors = await program.stop()
    assert status == 0, errors
    assert "Traceback" not in errors, errors[errors.index("Traceback") - 200 :][:3000]
    return errors


@asynccontextmanager
async def running(
    discord: DiscordStandIn, model: ModelServer, *options: str, ready: bool = True, command: Sequence[str] = (PROGRAM,), **settings: str
) -> AsyncIterator[Program]:
    """Start the bot; it is ended whatever happens."""
    environment = {
        **os.environ, **discord.environment, "UNDERSTUDY_ENGINE_URL": model.url, "UNDERSTUDY_DISCORD_COOLDOWN": "0",
        **settings,
    }  # fmt: skip
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "bot", "--json", "--no-nights", *options, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=log, limit=1 << 20,
        )  # fmt: skip
        program = Program(process, Path(log.name))
        try:
            if ready:
                before = discord.identified
                await discord.until(lambda: discord.identified > before or process.returncode is not None, 150)
            yield program
        except BaseException as error:
            error.add_note(f"the program's log ends so:\n{program.errors[-4000:]}")
            raise
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


class Tavern:
    """A channel of the stand-in, and what people do there."""

    def __init__(self, discord: DiscordStandIn, channel: int = CHANNEL) -> None:
        self.discord, self.channel = discord, channel

    @property
    def spoken(self) -> list[dict[str, Any]]:
        """What NPCs said here, in order."""
        return [message for message in self.discord.spoken if message["channel_id"] == str(self.channel)]

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """The channel's webhooks."""
        return [hook for hook in self.discord.webhooks.values() if hook["channel_id"] == str(self.channel)]

    def sent(self, method: str, part: str) -> list[Any]:
        """The bot's requests of a kind that have to do with this channel or its webhooks."""
        ours = {str(self.channel), *(hook["id"] for hook in self.hooks)}
        return [sent for sent in self.discord.requests if sent.method == method and part in sent.path and ours & set(sent.path.split("/"))]

    def told(self, asked: Asked, text: str) -> bool:
        """Whether somebody who asked was told so."""
        return bool(asked.original) and text in self.discord.messages[asked.original or ""]["content"]

    async def slash(self, person: str, command: str, /, **options: Any) -> Asked:
        return await self.discord.slash(person, command, channel=self.channel, **options)

    async def until_told(self, asked: Asked, text: str) -> Asked:
        await self.discord.until(lambda: self.told(asked, text))
        return asked

    async def summon(self, name: str = "mira") -> None:
        await self.until_told(await self.slash("olga", "npc summon", name=name), "is here")

    async def talk(self, person: str, text: str) -> Asked:
        return await self.until_told(await self.slash(person, "talk", text=text), "answered")

    async def until_heard(self, text: str) -> None:
        """Wait until a line with these words has begun."""
        await self.discord.until(lambda: any(text in message["content"] for message in self.spoken))
