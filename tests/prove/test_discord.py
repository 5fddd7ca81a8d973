"""The long proofs of the Discord bot: an evening of two hundred messages, and ten thousand questions to a busy engine."""

import asyncio
import json
import random
import shutil
import sqlite3
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.discord_app.desk import Desk
from bot.discord_app.rooms import House, Rooms
from bot.discord_app.stage import Stage
from bot.table.table import Seat
from characters.library import Library
from db.settings import Settings
from db.store import Store
from tests.bot.discord.wire import running
from tests.fakes.discord_payloads import CHANNEL
from tests.fakes.discord_standin import Asked, DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import understudy
from tests.fakes.scripted_engine import ScriptedEngine

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900)]

NPCS = ("mira", "brug", "thule")
MESSAGES = 200
SEED = 20260501


class Evening:
    """Plays an evening, and keeps count of what must be there in the end."""

    def __init__(self, discord: DiscordStandIn, model: ModelServer) -> None:
        self.discord, self.rng = discord, random.Random(SEED)
        self.said: list[str] = []
        self.by: dict[str, str] = {}
        self.channel_texts: list[str] = []
        self.retracted: set[str] = set()
        model.script += [f"Reply number {number} of the house." for number in range(400)]

    async def done(self, asked: Asked, *texts: str) -> None:
        await self.discord.until(lambda: asked.original and any(
            text in self.discord.messages[asked.original]["content"] for text in texts
        ))  # fmt: skip

    async def talk(self, person: str, *, wait: bool = True) -> Asked:
        text = f"Question {len(self.said)} of {person}: what do you sell?"
        self.said.append(text)
        self.by[text] = person
        asked = await self.discord.slash(person, "talk", text=text, npc=self.rng.choice(NPCS))
        if wait:
            await self.done(asked, "answered")
        return asked

    async def write(self, person: str) -> None:
        """An ordinary message in the open channel, addressed to an NPC."""
        text = f"Mira, remark {len(self.said)} of {person}, what of the ale?"
        self.said.append(text)
        self.channel_texts.append(text)
        before = len(self.discord.spoken)
        await self.discord.say(person, text)
        await self.discord.until(lambda: len(self.discord.spoken) > before)

    def newest(self) -> dict[str, Any]:
        return self.discord.spoken[-1]

    async def press(self, person: str, act: str, *answers: str) -> None:
        line = self.newest()
        rows = line["components"]
        if not rows:
            return
        custom = next(item["custom_id"] for item in rows[0]["components"] if item["custom_id"].endswith(f":{act}"))
        await self.done(await self.discord.click(person, line, custom), *answers)

    async def step(self) -> None:
        person = self.rng.choice(("ana", "bo", "olga"))
        match self.rng.choices(("talk", "write", "up", "down", "take", "edit", "retcon", "x", "both"),
                               (40, 15, 10, 6, 6, 5, 3, 3, 12))[0]:  # fmt: skip
            case "talk":
                await self.talk(person)
            case "write":
                await self.write(person)
            case "up" | "down" as act:
                await self.press(person, act, "counted", "opted out")
            case "take":
                await self.press(person, "take", "Another take")
            case "x":
                await self.press(person, "x", "The line is gone")
            case "edit":
                opened = await self.discord.menu("olga", "Edit line", self.newest())
                await self.discord.until(lambda: opened.callback is not None)
                text = f"Correction {len(self.said)} by the GM."
                await self.done(await self.discord.submit("olga", opened, asked="", said=text), "says so", "no line of an NPC")
            case "retcon":
                await self.done(await self.discord.menu("olga", "Not canon", self.newest()), "Not canon", "never came", "no line")
            case "both":
                first = await self.talk("ana", wait=False)
                second = await self.talk("bo", wait=False)
                await self.done(first, "answered")
                await self.done(second, "answered")


async def test_an_evening_of_two_hundred_messages_loses_nothing_and_doubles_nothing(home: Path) -> None:
    async with ModelServer() as model, DiscordStandIn() as discord:
        evening = Evening(discord, model)
        settings = {"UNDERSTUDY_DISCORD_MESSAGE_CONTENT": "true", "UNDERSTUDY_DISCORD_GATHER_IDLE": "0.05"}
        async with running(discord, model, **settings) as program:
            for npc in NPCS:
                await evening.done(await discord.slash("olga", "npc summon", name=npc), "is here")
            await evening.done(await discord.slash("olga", "gm listen", on=True), "I read this channel")
            await evening.done(await discord.slash("olga", "session start"), "begun")
            yes = await discord.slash("bo", "privacy")
            await evening.done(yes, "Stored")
            await evening.done(await discord.click("bo", discord.messages[yes.original or ""], "consent:given"), "Thank you")
            await evening.done(await discord.click("ana", discord.messages[yes.original or ""], "consent:given"), "Thank you")
            while len(evening.said) < MESSAGES:
                count = len(evening.said)
                if count > MESSAGES // 3 and not discord.resumed:
                    await discord.drop()
                    await evening.talk("ana")  # said while nobody was there to hear it
                if count > MESSAGES // 2 and "scene" not in evening.by:
                    evening.by["scene"] = ""
                    await evening.done(await discord.slash("olga", "scene set", place="the cellar"), "new scene")
                    await evening.done(await discord.click("bo", discord.messages[yes.original or ""], "consent:refused"), "Nothing of yours")
                if count > 2 * MESSAGES // 3 and discord.resumed == 1:
                    await discord.send(7)
                    await discord.until(lambda: discord.resumed == 2)
                await evening.step()
            status, errors = await program.stop()
        assert status == 0, errors
        assert "Traceback" not in errors, errors[errors.index("Traceback") - 300 :][:4000]
        assert discord.faults == []
        assert discord.resumed == 2
        assert max(asked.answered_after or 99.0 for asked in discord.asked.values()) < 3
    _nothing_lost(home, evening, discord)
    _nothing_forbidden(home, evening)


def _nothing_lost(home: Path, evening: Evening, discord: DiscordStandIn) -> None:
    with sqlite3.connect(home / "db.sqlite") as database:
        turns = [text for (text,) in database.execute("select text from turns where npc is null")]
        lines = database.execute("select id from turns where npc is not null and kept_take_id is not null and retracted_at is null")
        carried = Counter(turn for (turn,) in database.execute("select turn_id from chat_messages"))
        standing = {turn for (turn,) in lines}
    assert Counter(turns) == Counter(evening.said)
    assert all(carried[turn] >= 1 for turn in standing), "a line that counts stands nowhere"
    shown = Counter(message["content"].splitlines()[-1] for message in discord.spoken if message["content"].startswith("> "))
    assert max(shown.values()) == 1, "a line stands twice"


def _nothing_forbidden(home: Path, evening: Evening) -> None:
    with sqlite3.connect(home / "db.sqlite") as database:
        (campaign,) = next(iter(database.execute("select name from campaigns where name like 'discord:%'")))
    built = understudy("dataset", "build", "--campaign", campaign, "--json", UNDERSTUDY_HOME=str(home))
    assert built.status in {0, 1}, built.err
    rows = [json.loads(row) for file in (home / "datasets").rglob("*.jsonl") for row in file.read_text("utf-8").splitlines()]
    text = json.dumps(rows)
    assert len(rows) >= 10, built.err + built.out
    assert not [said for said in evening.channel_texts if said in text]
    assert not [said for said, person in evening.by.items() if person == "bo" and said in text]


# --- a busy engine -----------------------------------------------------------------------------


async def _one_of_many(discord: DiscordStandIn, number: int) -> Asked:
    person, channel = ("ana", "bo", "olga")[number % 3], CHANNEL + number % 2
    command, options = (("talk", {"text": f"Hello {number}?"}), ("roll", {"dice": "1d20"}), ("help", {}))[number // 3 % 3]
    return await discord.slash(person, command, channel=channel, **options)


async def test_ten_thousand_interactions_against_a_busy_engine_miss_no_deadline(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As fast as one client can send them, in both channels; most are refused a line by the cooldown, all are answered."""
    async with ModelServer() as model, DiscordStandIn() as discord:
        model.script += [("slow", 0.05, "A long story, this. " + "word " * 40) for _ in range(2000)]
        async with running(discord, model, UNDERSTUDY_DISCORD_COOLDOWN="60") as program:
            for channel in (CHANNEL, CHANNEL + 1):
                asked = await discord.slash("olga", "npc summon", channel=channel, name="mira")
                await discord.until(lambda asked=asked: asked.original and "is here" in discord.messages[asked.original]["content"])
            waits: list[float] = []
            for start in range(0, 10_000, 50):
                asks = [await _one_of_many(discord, number) for number in range(start, start + 50)]
                await asyncio.gather(*(asyncio.wait_for(asked.acked.wait(), 30) for asked in asks))
                waits += [asked.answered_after or 99.0 for asked in asks]
            program.process.kill()
            await program.process.wait()
        waits.sort()
        with capsys.disabled():
            sys.stdout.write(f"\n10,000 interactions: p50 {waits[5000] * 1000:.0f} ms, p99 {waits[9900] * 1000:.0f} ms, worst {waits[-1] * 1000:.0f} ms\n")
        assert len(waits) == 10_000
        assert waits[-1] < 3


async def test_what_is_added_to_a_line_besides_the_model_is_measured(home: Path, migrated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Storing the question, the queue, the prompt, storing the line, noting the message: all but the model and Discord.

    The aim is 20 ms at the 99th percentile on a machine that does nothing else. What is asserted is the
    processor's time of half the lines, which other programs disturb least.
    """
    home.mkdir(parents=True)
    shutil.copy(migrated, home / "db.sqlite")
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    shared = House(store, ScriptedEngine(), Library(home), Settings(), lambda: datetime.now(UTC), random.Random(SEED))
    stage = Stage(Desk(Rooms(shared), home), lambda line: None, _nobody)
    room, channel = await stage.desk.rooms.room(1, 2, Seat("Ana", "discord:6", "player")), _Channel()
    wall, spent = [], []
    await room.table.summon("mira")
    for number in range(400):
        if number % 40 == 0:
            await room.table.set_scene({"place": f"room {number}"})
        began, before = time.perf_counter(), time.process_time()
        asked = await room.table.hear("What does the ale cost?", by=room.table.state.hand)
        assert await stage.answer(room, channel, asked) is not None
        wall.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - before) * 1000)
    wall.sort()
    spent.sort()
    with capsys.disabled():
        sys.stdout.write(f"\nadded to a line: median {statistics.median(wall):.1f} ms, p99 {wall[395]:.1f} ms; "
                         f"of the processor median {statistics.median(spent):.1f} ms, p99 {spent[395]:.1f} ms\n")
    await store.close()
    assert statistics.median(spent) <= 20


async def _nobody(*_: Any) -> None:
    """No GM waits for drafts here."""


class _Channel:
    """A channel that takes everything at once."""

    id = 2

    def __init__(self) -> None:
        self.count = 0

    def get_partial_message(self, number: int) -> "_Channel":
        return self

    async def edit(self, **_: Any) -> None:
        pass

    async def send(self, *_: Any, **__: Any) -> Any:
        self.count += 1
        return type("Message", (), {"id": 10_000 + self.count})()
