"""The studio in a process of its own, everything real but the model and the nightly service, which are the edges.

`python -m tests.fakes.studio_server HOME [--pace S] [--tables N] [--words N] [--script FILE]` prints the address as JSON.
The model says fixed lines, in other words with another adapter; the nightly service writes the rows and
files that a night writes.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.studio.address import find_address
from bot.studio.serving import served
from bot.studio.studio import Machine, OpenTable, Studio
from bot.table.backstage import made_up_at
from bot.table.events import Piece
from bot.table.improvise import Ensemble
from bot.table.table import Seat, Table
from bot.table.watching import Seen
from characters.inference.engine import Event, Request, Sampling
from characters.library import Library
from db.home import Home
from db.queries import adapters, nights
from db.queries.adapters import Version
from db.settings import Settings
from db.store import Store
from tests.fakes.scripted_engine import ScriptedEngine
from tests.fakes.studio_home import verdict

BASE, TRAINED = "Sit down and mind the third plank.", "Sit, traveller; the third plank still bites."


class TwoVoices(ScriptedEngine):
    """Says one thing as the base and another with an adapter; what a script holds comes first."""

    def __init__(self, pace: float, words: int, *script: str) -> None:
        super().__init__(*script, pace=pace)
        self.words, self.said = words, 0

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        self.said += 1
        if not self.queue:
            line = TRAINED if request.adapter else BASE
            self.queue.append(f"{self.said}. {line}" + " and so on" * (self.words // 3))
        async for event in super().generate(replace(request, stop=(), sampling=replace(request.sampling, max_tokens=2000))):
            yield event


class Log:
    """Writes down when each piece of a line was made: {line, length so far, at (ms)}."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length: dict[int, int] = {}

    def __call__(self, seen: Seen) -> None:
        if isinstance(seen, Piece):
            self.length[seen.line_id] = self.length.get(seen.line_id, 0) + len(seen.text)
            with self.path.open("a") as file:
                file.write(json.dumps({"line": seen.line_id, "length": self.length[seen.line_id], "at": time.time() * 1000}) + "\n")


class NightStandIn:
    """Writes what the nightly service writes, in seconds."""

    def __init__(self, table: Table, home: Path) -> None:
        self.table, self.home = table, home
        self.task: asyncio.Task[None] | None = None

    def wake(self) -> bool:
        self.task = asyncio.create_task(self._night())
        return True

    async def _night(self) -> None:
        state, clock = self.table.state, self.table.state.clock
        async with state.store.session() as session:
            request = await nights.claim(session, "stand-in", clock())
            night = await nights.begin_night(session, state.campaign, "mira", clock())
        run = self.home / "runs" / "run-7.work"
        run.mkdir(parents=True)
        for stage in ("harvest", "dataset", "training", "gate"):
            async with state.store.session() as session:
                await nights.record_stage(session, night.id, stage, "running", clock())
            for step in range(1, 13):
                with (run / "metrics.jsonl").open("a") as file:
                    file.write(json.dumps({"step": step, "loss": 3.0 / step}) + "\n")
                await asyncio.sleep(0.06)
            async with state.store.session() as session:
                await nights.record_stage(session, night.id, stage, "done", clock())
        (run / "dataset.json").write_text(json.dumps({"dataset": "dataset-7"}), "utf-8")
        run.rename(run.with_suffix(""))
        report = {**verdict(True), "dataset": "dataset-7", "perplexity": 8.0, "control": verdict(False)}
        async with state.store.session() as session:
            file = self.home / "mira-777777777777.gguf"
            file.write_bytes(b"GGUF")
            await adapters.add_version(session, state.campaign, Version("mira-777777777777", "mira", str(file), "sha256-scripted", "candidate", report, clock()))
            await nights.finish_night(session, night.id, "done", clock(), {"adapter": "mira-777777777777", "counts": {"sft": 9}})
            assert request is not None
            await nights.finish(session, request.id, "stand-in", clock())


async def tables_of(store: Store, engine: TwoVoices, home: Path, count: int, gm: bool) -> list[OpenTable]:
    found = []
    for number in range(count):
        table = await Table.open(
            store, engine, Ensemble(Library(home)), campaign="home", seat=Seat("You"), clock=lambda: datetime.now(UTC), rng=random.Random(3),
            sampling=Sampling(max_tokens=110), place=f"place {number}" if number else "", recover=not number,
        )  # fmt: skip
        table.state.made_up_at = made_up_at("home")
        if not table.state.present:
            await table.summon("mira")
        found.append(OpenTable(f"t{number}", f"Table {number + 1}", table, gm=gm))
    return found


async def serve(wish: argparse.Namespace) -> None:
    home = Path(wish.home)
    home.mkdir(parents=True, exist_ok=True)
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    script = json.loads(Path(wish.script).read_text("utf-8")) if wish.script else []
    engine = TwoVoices(wish.pace, wish.words, *script)
    tables = await tables_of(store, engine, home, wish.tables, not wish.player)
    night = NightStandIn(tables[0].table, home)
    tables[0].table.on_night = night.wake
    looks: list[dict[str, Any]] = [{"name": "python", "ok": True, "found": sys.version.split()[0]}]
    studio = Studio(
        store, engine, Library(home), Settings(), Home(home), home / "model.gguf", lambda: datetime.now(UTC), lambda: tables,
        learns=lambda: True, machine=Machine(lambda: looks, list, list, "Backups are not reached."),
    )  # fmt: skip
    if wish.log:
        for opened in tables:
            opened.table.state.watchers.add(Log(Path(wish.log)))
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    address = find_address("127.0.0.1", 0)
    async with served(studio, address):
        sys.stdout.write(json.dumps({"url": address.url}) + "\n")
        sys.stdout.flush()
        await over.wait()
    for opened in tables:
        await opened.table.speaking.close()
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("home")
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--tables", type=int, default=1)
    parser.add_argument("--words", type=int, default=0)
    parser.add_argument("--script")
    parser.add_argument("--log")
    parser.add_argument("--player", action="store_true")
    asyncio.run(serve(parser.parse_args()))
