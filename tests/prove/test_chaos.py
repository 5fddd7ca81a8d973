"""Two hundred kills of table, model, night, bot and database at random moments; afterwards nothing is lost."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.discord.wire import Tavern, ended_well, running
from tests.fakes.databases import postgres_urls
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.storm import TRACE, Storm

pytestmark = [pytest.mark.prove, pytest.mark.timeout(5400)]
KILLS = int(os.environ.get("CHAOS_KILLS", "200"))
SEED = int(os.environ.get("CHAOS_SEED", "20260601"))


class Wire:
    """Discord and a model server, both ours, for as long as a storm lasts."""

    def __init__(self, storm: Storm, discord: DiscordStandIn, server: ModelServer) -> None:
        self.storm, self.discord, self.server, self.count = storm, discord, server, 0
        self.tavern = Tavern(discord)

    async def kill_bot(self) -> None:
        """The bot: while it starts, or while it answers; sometimes its model server cuts the line as well."""
        storm = self.storm
        if self.count and storm.rng.random() < 0.2:
            async with running(self.discord, self.server, ready=False) as program:
                await asyncio.sleep(storm.rng.uniform(0, 3))
                program.process.kill()
                await program.process.wait()
        else:
            async with running(self.discord, self.server) as program:
                await self._talk(kill=program.process.kill)
                await program.process.wait()
        storm.kills["bot"] += 1
        self._take_note()

    async def calm(self) -> None:
        """Nobody disturbs it: it hears, answers and ends well."""
        async with running(self.discord, self.server) as program:
            await self._talk(kill=None)
            await ended_well(program)
        self._take_note()
        assert self.discord.faults == []

    async def _talk(self, kill: object) -> None:
        if not self.count:
            await self.tavern.summon()
        self.count += 1
        said = f"Question {self.count} over the wire?"
        if kill and self.storm.rng.random() < 0.2:
            self.server.script.append("!vanish")
        else:
            self.server.script.append(("slow", 0.02, f"Reply number {self.count} of the house, " + "and " * 12 + "so on."))
        asked = await self.tavern.slash("ana", "talk", text=said)
        if callable(kill):
            await asyncio.sleep(self.storm.rng.uniform(0, 1.2))
            kill()
        else:
            await self.tavern.until_told(asked, "answered")
        if self.tavern.told(asked, "answered"):
            self.storm.ledger.elsewhere.add(said)
        self.server.script.clear()

    def _take_note(self) -> None:
        """What stands there with its controls is told to be kept."""
        for message in self.tavern.spoken:
            if message["components"] and "Reply number" in message["content"]:
                self.storm.ledger.shown.add(message["content"].splitlines()[-1])


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, home: Path) -> object:
    if request.param == "sqlite":
        yield f"sqlite:///{home / 'db.sqlite'}"
        return
    for found in postgres_urls():
        yield f"{found}&application_name={TRACE}"


@pytest.fixture
async def wire(storm: Storm) -> AsyncIterator[Wire]:
    async with ModelServer() as server, DiscordStandIn() as discord:
        yield Wire(storm, discord, server)


@pytest.fixture
def storm(home: Path, url: str, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    home.mkdir()
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", url)
    monkeypatch.setenv("UNDERSTUDY_ENGINE_SYSTEM_BUDGET", "200")
    made = Storm(home, url, small_model, SEED)
    yield made
    made.close()


def _plan(storm: Storm, kills: int) -> list[str]:
    shares = {"table": 30, "worker": 30, "night": 8, "bot": 14, "backup": 6, "connection": 12 * storm.url.startswith("postgresql")}
    return random.Random(SEED).choices(list(shares), list(shares.values()), k=kills)


async def test_whatever_is_killed_what_was_acknowledged_is_there_and_everything_starts_again(
    storm: Storm, wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = KILLS - KILLS // 2 if storm.url.startswith("sqlite") else KILLS // 2
    storm.kill_table()  # a home that is being made
    storm.calm(edits=10)
    plan = Counter(_plan(storm, kills - 1))
    order = ["table"] * plan["table"] + ["night"] * plan["night"] + ["bot"] * plan["bot"] + ["backup"] * plan["backup"]
    order += ["worker"] * -(-plan["worker"] // 4) + ["connection"] * -(-plan["connection"] // 4)
    storm.rng.shuffle(order)
    for deed in order:
        many = min(4, plan[deed] - storm.kills[deed])
        match deed:
            case "bot":
                await wire.kill_bot()
            case "worker":
                await asyncio.to_thread(storm.kill_workers, max(1, many))
            case "connection":
                await asyncio.to_thread(storm.kill_backends, max(1, many))
            case _:
                await asyncio.to_thread(getattr(storm, f"kill_{deed}"))
        storm.nothing_lost()
    await asyncio.to_thread(_afterwards, storm)
    await wire.calm()
    storm.nothing_lost()
    storm.checked()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{storm.kills.total()} kills on {storm.url.partition(':')[0]} {dict(storm.kills)}, seed {SEED}: {len(storm.ledger.heard)} turns, "
            f"{len(storm.ledger.lines)} lines and {len(storm.ledger.votes)} votes were acknowledged, and all are there; {storm.refused.total()} inputs "
            f"were refused in a sentence; {storm.nights} nights came to their end meanwhile\n"
        )


def _afterwards(storm: Storm) -> None:
    storm.calm()
    report = storm.whole_night()
    assert report["counts"]["sft"] >= 8
    storm.nothing_half()
    storm.checked()


async def test_of_two_nights_at_once_one_runs_and_the_other_says_so(storm: Storm, wire: Wire) -> None:
    storm.calm(edits=10)
    first, second = await asyncio.gather(*(asyncio.to_thread(_night, storm) for _ in range(2)))
    assert sorted([first[0], second[0]]) == [0, 1]
    [refused] = [said for status, said in (first, second) if status]
    assert "is running already" in refused or "Another machine runs" in refused
    storm.nothing_half()
    storm.checked()


def _night(storm: Storm) -> tuple[int, str]:
    night = storm._begin_night()
    out, err = night.communicate()
    return night.returncode, out + err
