"""An hour at a busy table costs no memory, and leaves no process, file or task behind.

`UNDERSTUDY_PROVE_MINUTES` makes it shorter. The first sixth is the warm-up: caches fill, and NPCs are heard for the
first time. What is measured is the program with everything it started: the bot with its studio, and the model's worker.
"""

import asyncio
import os
import random
import shutil
import signal
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.bot.discord.wire import Program, ended_well, running
from tests.fakes.discord_rest import Asked
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import QUICK

MINUTES = float(os.environ.get("UNDERSTUDY_PROVE_MINUTES", "60"))
pytestmark = [pytest.mark.prove, pytest.mark.timeout(int(MINUTES * 60) + 600)]

NPCS = ("mira", "brug", "thule")
SHARES = {"talk": 40, "both": 10, "write": 10, "take": 12, "edit": 8, "retcon": 2, "react": 8, "scene": 4, "drop": 2, "page": 4}
SEED = 20260701
GROWTH = 1.05
WAITING = ("is thinking …", "⏳")
KEPT = 400  # messages the stand-in remembers


@dataclass(frozen=True)
class Sample:
    """What the program holds, taken while nobody waits for anything; memory in MB, the bot's own and its children's.

    Attributes:
        memory: proportional set sizes. A file that is mapped by others, too, counts in part, so a program that ends
            beside makes it larger; run this proof with nothing beside it.
        made: what of it is no file, which nobody else can change.
    """

    memory: tuple[float, ...]
    made: tuple[float, ...]
    files: int
    tasks: int

    @property
    def total(self) -> float:
        """All processes together."""
        return sum(self.memory)

    @property
    def processes(self) -> int:
        """How many there are."""
        return len(self.memory)


class Hour:
    """A table that is never quiet."""

    def __init__(self, discord: DiscordStandIn, program: Program, page: str, told: Path) -> None:
        self.discord, self.page, self.told = discord, page, told
        self.process = psutil.Process(program.process.pid)
        self.rng, self.steps = random.Random(SEED), Counter[str]()

    async def play(self, until: float) -> None:
        while time.monotonic() < until:
            step = self.rng.choices(list(SHARES), list(SHARES.values()))[0]
            await getattr(self, f"_{step}")(self.rng.choice(("ana", "bo", "olga")))
            self.steps[step] += 1
            self._forget()

    async def samples(self, until: float, count: int = 5) -> list[Sample]:
        """Some samples, with play in between."""
        found, pause = list[Sample](), max(1.0, (until - time.monotonic()) / count)
        for _ in range(count):
            await self.play(time.monotonic() + pause)
            found.append(await self._sample())
        return found

    async def _sample(self) -> Sample:
        await asyncio.sleep(0.5)  # what was begun beside a line comes to its end
        self.told.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR2)
        for _ in range(200):
            if self.told.is_file() and self.told.read_text("utf-8").endswith("\n"):
                break
            await asyncio.sleep(0.05)
        everybody = [self.process, *self.process.children(recursive=True)]
        memory = tuple(round(one.memory_full_info().pss / 1e6, 1) for one in everybody)
        made = tuple(round(_made(one.pid), 1) for one in everybody)
        return Sample(memory, made, sum(one.num_fds() for one in everybody), int(self.told.read_text("utf-8")))

    def _forget(self) -> None:
        """The stand-in's own memory is bounded, too."""
        discord = self.discord
        for old in list(discord.messages)[:-KEPT]:
            del discord.messages[old]
        for token in list(discord.asked)[:-KEPT]:
            del discord.asked[token]
        del discord.requests[:-KEPT]

    # --- what people do ----------------------------------------------------------------------

    async def answered(self, asked: Asked) -> None:
        """Whatever the answer is; a model without sense may have nothing to say."""
        def whole() -> bool:
            said = self.discord.messages[asked.original]["content"] if asked.original else ""
            return said != "" and not any(mark in said for mark in WAITING)

        await self.discord.until(whole, 60)

    def newest(self) -> dict[str, Any] | None:
        return next((one for one in reversed(self.discord.messages.values()) if "webhook_id" in one), None)

    async def _talk(self, person: str) -> None:
        text = f"Question {self.steps.total()}: what do you sell, and what is it worth on a rainy day?"
        await self.answered(await self.discord.slash(person, "talk", text=text, npc=self.rng.choice(NPCS)))

    async def _both(self, person: str) -> None:
        asked = [await self.discord.slash(one, "talk", text=f"And {self.steps.total()}?", npc=self.rng.choice(NPCS)) for one in ("ana", "bo")]
        for one in asked:
            await self.answered(one)

    async def _write(self, person: str) -> None:
        """Said in the open channel; the next question comes after its answer."""
        await self.discord.say(person, f"Mira, remark {self.steps.total()}: the river rises.")
        await self._talk(person)

    async def _take(self, person: str) -> None:
        line = self.newest()
        if line is not None and line["components"]:
            buttons = line["components"][0]["components"]
            await self.answered(await self.discord.click(person, line, next(b["custom_id"] for b in buttons if b["custom_id"].endswith(":take"))))

    async def _edit(self, person: str) -> None:
        if (line := self.newest()) is not None:
            opened = await self.discord.menu("olga", "Edit line", line)
            await self.discord.form(opened)
            if opened.callback is not None and "custom_id" in opened.callback.get("data", {}):
                await self.answered(await self.discord.submit("olga", opened, asked="", said=f"Correction {self.steps.total()} by the GM."))

    async def _retcon(self, person: str) -> None:
        if (line := self.newest()) is not None:
            await self.answered(await self.discord.menu("olga", "Not canon", line))

    async def _react(self, person: str) -> None:
        if (line := self.newest()) is not None:
            await self.discord.react(person, line, "👍")
            await self.discord.react(person, line, "👍", remove=True)

    async def _scene(self, person: str) -> None:
        await self.answered(await self.discord.slash("olga", "scene set", place=f"room {self.steps['scene'] % 7}"))

    async def _drop(self, person: str) -> None:
        """The wire breaks, and what is said meanwhile is answered all the same."""
        before = self.discord.resumed
        await self.discord.drop()
        await self.discord.until(lambda: self.discord.resumed > before)

    async def _page(self, person: str) -> None:
        """Somebody opens the studio, and leaves."""
        async with httpx2.AsyncClient(timeout=60) as http:
            assert (await http.get(self.page)).status_code == 200


async def test_an_hour_at_a_busy_table_costs_no_memory_and_leaves_nothing_behind(
    home: Path, migrated: Path, small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    told = tmp_path / "tasks"
    settings = {
        **QUICK, "UNDERSTUDY_ENGINE_URL": "", "UNDERSTUDY_ENGINE_MODEL": str(small_model), "UNDERSTUDY_ENGINE_SYSTEM_BUDGET": "200",
        "UNDERSTUDY_DISCORD_MESSAGE_CONTENT": "true", "UNDERSTUDY_DISCORD_GATHER_IDLE": "0.05", "UNDERSTUDY_STUDIO_PORT": "0",
        "UNDERSTUDY_ENGINE_KV_TOKENS": "2048",  # what is kept evaluated is full after the warm-up, on a slow machine, too
    }  # fmt: skip
    watched = (sys.executable, "-m", "tests.fakes.watched", str(told))
    async with ModelServer() as model, DiscordStandIn() as discord:
        async with running(discord, model, "--studio", command=watched, **settings) as program:
            hour = Hour(discord, program, (await program.event("studio"))["address"], told)
            for npc in NPCS:
                await hour.answered(await discord.slash("olga", "npc summon", name=npc))
            await hour.answered(await discord.slash("olga", "gm listen", on=True))
            began = time.monotonic()
            await hour.play(began + MINUTES * 10)
            early = await hour.samples(began + MINUTES * 15)
            await hour.play(began + MINUTES * 55)
            late = await hour.samples(began + MINUTES * 60)
            before, after = (statistics.median(sample.total for sample in samples) for samples in (early, late))
            with capsys.disabled():
                sys.stdout.write(_told(hour, early, late, before, after))
            await ended_well(program)
        assert discord.faults == []
    assert after <= before * GROWTH
    assert {sample.processes for sample in early} == {sample.processes for sample in late}
    for what in ("files", "tasks"):
        assert min(getattr(sample, what) for sample in late) <= max(getattr(sample, what) for sample in early), what


def _made(pid: int) -> float:
    """Anonymous memory of a process (MB), as Linux counts it."""
    rows = (row.split() for row in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines())
    return next(int(row[1]) for row in rows if row[0] == "Pss_Anon:") / 1000


def _told(hour: Hour, early: list[Sample], late: list[Sample], before: float, after: float) -> str:
    return (
        f"\n{MINUTES:g} minutes, {hour.steps.total()} steps ({dict(hour.steps)}): {before:.1f} MB after warming up, {after:.1f} MB in the end "
        f"({after / before - 1:+.1%}); {early[0].memory} became {late[-1].memory}, of which no file "
        f"{[s.made for s in early]}, then {[s.made for s in late]}; files {[s.files for s in early]}, then {[s.files for s in late]}; "
        f"tasks {[s.tasks for s in early]}, then {[s.tasks for s in late]}; load {os.getloadavg()[0]:.1f}\n"
    )
