"""Whoever asks teachers leaves at once when somebody is to be forgotten, and goes on later."""

import asyncio
import contextlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db.home import Home
from db.night_lock import YIELDED, teach_lock
from db.store import Store
from tests.fakes.evening import Evening
from tests.fakes.model_server import ModelServer
from tests.fakes.program import PROGRAM, QUICK


class SilentTeacher(ModelServer):
    """Is asked, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()

    async def __aenter__(self) -> "SilentTeacher":
        await super().__aenter__()
        return self

    def next(self, request: dict[str, Any]) -> str:
        self.heard.set()
        return "!hang"


@pytest.fixture
async def played(home: Path) -> Home:
    """A home where Ana liked a line of Mira's, so that a judge has a vote to be held against."""
    store = await Store.open(Home(home).database_url)
    evening = await Evening(store, Home(home)).begin()
    line = await evening.answers(await evening.says(evening.gm, "What does the ale cost?"), "Four copper.")
    await evening.reacts(evening.gm, line, "thumbs_up", asked="What does the ale cost?", text="Four copper.")
    await store.close()
    return Home(home)


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by id on POSIX alone")
@pytest.mark.parametrize("words", [
    ("teach", "document", "mira", "crafting", "--teacher", "openai"), ("teach", "judge", "mira", "--teacher", "openai"),
    ("exam", "mira", "--kinds", "identity", "--judge", "openai"),
], ids=["teach document", "teach judge", "exam"])  # fmt: skip
async def test_a_command_that_waits_for_its_teacher_makes_way_for_forgetting(played: Home, tiny_model: Path, words: tuple[str, ...]) -> None:
    async with SilentTeacher() as server:
        told = {"TEACHER_URL": server.url, "TEACHER_MODEL": "silent", "ENGINE_MODEL": str(tiny_model),
                "ENGINE_SYSTEM_BUDGET": "100", "SAMPLING_MAX_TOKENS": "8"}  # fmt: skip
        settings = {**QUICK, **os.environ, **{f"UNDERSTUDY_{name}": value for name, value in told.items()}}
        asking = await asyncio.create_subprocess_exec(PROGRAM, *words, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            await asyncio.wait_for(server.heard.wait(), 120)
            with contextlib.ExitStack() as alone:
                lock = teach_lock(played, lambda: datetime.now(UTC), "The forgetting of a person")
                await asyncio.to_thread(alone.enter_context, lock.claimed(20))
                _, said = await asking.communicate()
        finally:
            if asking.returncode is None:
                asking.kill()
                await asking.communicate()
    assert (asking.returncode, "Somebody is being forgotten" in said.decode()) == (YIELDED, True), said.decode()
