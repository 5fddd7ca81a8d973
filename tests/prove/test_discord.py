"""The long proofs of the Discord bot: an evening of two hundred messages, and ten thousand questions to a busy engine."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
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
from tests.bot.discord.wire import ended_well, running
from tests.fakes.discord_payloads import CHANNEL
from tests.fakes.discord_rest import Asked
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import PROGRAM, understudy
from tests.fakes.scripted_engine import ScriptedEngine

pytestmark = [pytest.mark.prove, pytest.mark.timeout(2700)]

NPCS = ("mira", "brug", "thule")
MESSAGES = 200
NIGHT = 1800  # seconds at most, on a machine that is busy; alone it takes two or three minutes
LOOP = 0.1  # seconds of a million rounds on a processor of 2.5 GHz that does nothing else
PEOPLE = {"discord:5": "olga", "discord:6": "ana", "discord:7": "bo"}
VOTES = {"up": "thumbs_up", "down": "thumbs_down"}
SEED = 20260501


class Evening:
    """Plays an evening, and keeps count of what must be there in the end."""

    def __init__(self, home: Path, discord: DiscordStandIn, model: ModelServer) -> None:
        self.home, self.discord, self.rng = home, discord, random.Random(SEED)
        self.said: list[str] = []
        self.by: dict[str, str] = {}
        self.channel_texts: list[str] = []
        self.votes: dict[tuple[int, str], str] = {}
        self.marks: Counter[tuple[int, str, str]] = Counter()
        self.opted_out: set[str] = set()
        self.scene_changed = False
        model.script += [f"Reply number {number} of the house." for number in range(400)]

    # --- what is there -----------------------------------------------------------------------

    def ask(self, query: str, *values: Any) -> list[Any]:
        with sqlite3.connect(self.home / "db.sqlite") as database:
            return list(database.execute(query, values))

    def newest(self) -> dict[str, Any]:
        return self.discord.spoken[-1]

    def line_of(self, message: dict[str, Any]) -> int:
        """The line a message carries; 0 for a greeting, which is none."""
        found = self.ask("select turn_id from chat_messages where message = ?", message["id"])
        return int(found[0][0]) if found else 0

    def counted(self) -> Counter[tuple[int, str, str]]:
        """The reactions that stand in the database: line, person, kind."""
        rows = self.ask(
            "select turn_id, key, kind from feedback join participants on participants.id = participant_id where withdrawn_at is null"
        )
        return Counter((line, PEOPLE[key], kind) for line, key, kind in rows)

    def expected(self) -> Counter[tuple[int, str, str]]:
        """The reactions that were given, as people were told that they count."""
        return self.marks + Counter((line, person, kind) for (line, person), kind in self.votes.items())

    async def all_counted(self) -> None:
        with contextlib.suppress(TimeoutError):
            await self.discord.until(lambda: self.counted() == self.expected())
        assert self.counted() == self.expected()

    # --- what people do ----------------------------------------------------------------------

    async def done(self, asked: Asked, *texts: str) -> str:
        def answer() -> str:
            return self.discord.messages[asked.original]["content"] if asked.original else ""

        await self.discord.until(lambda: any(text in answer() for text in texts))
        return answer()

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
        await self.discord.until(lambda: len(self.discord.spoken) > before and self.newest()["components"])  # it stands, whole

    async def press(self, person: str, act: str, *answers: str) -> None:
        """A control of the newest line, if it has any left."""
        line = self.newest()
        if not line["components"]:
            return
        number = self.line_of(line)
        custom = next(item["custom_id"] for item in line["components"][0]["components"] if item["custom_id"].endswith(f":{act}"))
        said = await self.done(await self.discord.click(person, line, custom), *answers)
        if act in VOTES:
            assert ("opted out" in said) == (person in self.opted_out)
            if person not in self.opted_out:
                self.votes[number, person] = VOTES[act]
        elif answers[0] in said:
            self.marks[number, person, {"take": "regen", "x": "safety_x"}[act]] += 1

    async def react(self, person: str) -> None:
        """A plain emoji, sometimes taken back; one who opted out is not counted."""
        line, act = self.newest(), self.rng.choice(("up", "down"))
        number, emoji = self.line_of(line), "👍" if act == "up" else "👎"
        await self.discord.react(person, line, emoji)
        if person in self.opted_out or not number:
            return
        self.votes[number, person] = VOTES[act]
        await self.all_counted()
        if self.rng.random() < 0.4:
            await self.discord.react(person, line, emoji, remove=True)
            del self.votes[number, person]
            await self.all_counted()

    async def menu(self, name: str, **fields: str) -> None:
        """The GM corrects the newest line, or takes it out of the story."""
        line = self.newest()
        number = self.line_of(line)
        if not number:
            return
        opened = await self.discord.menu("olga", name, line)
        if fields:
            await self.discord.form(opened)
            opened = await self.discord.submit("olga", opened, **fields)
        await self.done(opened, "says so", "Not canon")
        self.marks[number, "olga", "edit" if fields else "retcon"] += 1

    async def step(self) -> None:
        person = self.rng.choice(("ana", "bo", "olga"))
        steps = {"talk": 40, "write": 15, "up": 12, "down": 6, "take": 6, "edit": 8, "retcon": 3, "x": 3, "both": 12, "react": 8}
        match self.rng.choices(list(steps), list(steps.values()))[0]:
            case "talk":
                await self.talk(person)
            case "write":
                await self.write(person)
            case "up" | "down" as act:
                await self.press(person, act, "counted", "opted out")
            case "take":
                await self.press(person, "take", "Another take", "earlier scene")
            case "x":
                await self.press(person, "x", "The line is gone")
            case "edit":
                await self.menu("Edit line", asked="", said=f"Correction {len(self.said)} by the GM.")
            case "retcon":
                await self.menu("Not canon")
            case "react":
                await self.react(person)
            case "both":
                first = await self.talk("ana", wait=False)
                second = await self.talk("bo", wait=False)
                await self.done(first, "answered")
                await self.done(second, "answered")

    # --- the evening -------------------------------------------------------------------------

    async def begin(self) -> dict[str, Any]:
        """NPCs come, the channel is opened, and both players opt in; returns the message they did that with."""
        for npc in NPCS:
            await self.done(await self.discord.slash("olga", "npc summon", name=npc), "is here")
        await self.done(await self.discord.slash("olga", "gm listen", on=True), "I read this channel")
        await self.done(await self.discord.slash("olga", "session start"), "begun")
        shown = await self.discord.slash("bo", "privacy")
        await self.done(shown, "Stored")
        question = self.discord.messages[shown.original or ""]
        for person in ("ana", "bo"):
            await self.done(await self.discord.click(person, question, "consent:given"), "Thank you")
        return question

    async def play(self) -> None:
        question = await self.begin()
        while (count := len(self.said)) < MESSAGES:
            if count > MESSAGES // 3 and not self.discord.resumed:
                await self.discord.drop()
                await self.talk("ana")  # said while nobody was there to hear it
            if count > MESSAGES // 2 and not self.scene_changed:
                self.scene_changed = True
                await self.done(await self.discord.slash("olga", "scene set", place="the cellar"), "new scene")
                await self.done(await self.discord.click("bo", question, "consent:refused"), "Nothing of yours")
                self.opted_out.add("bo")
            if count > 2 * MESSAGES // 3 and self.discord.resumed == 1:
                await self.discord.send(7)
                await self.discord.until(lambda: self.discord.resumed == 2)
            await self.step()
        await self.done(await self.discord.slash("olga", "session stop", learn="tonight"), "evening is over")


async def test_an_evening_of_two_hundred_messages_loses_nothing_doubles_nothing_and_a_night_learns_from_it(
    home: Path, tmp_path: Path, small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ModelServer() as model, DiscordStandIn() as discord:
        evening = Evening(home, discord, model)
        settings = {"UNDERSTUDY_DISCORD_MESSAGE_CONTENT": "true", "UNDERSTUDY_DISCORD_GATHER_IDLE": "0.05"}
        async with running(discord, model, **settings) as program:
            await evening.play()
            await ended_well(program)
        assert discord.faults == []
        assert discord.resumed == 2
        assert max(asked.answered_after or 99.0 for asked in discord.asked.values()) < 3
    assert evening.counted() == evening.expected()
    _nothing_lost(evening, discord)
    [(campaign,)] = evening.ask("select name from campaigns where name like 'discord:%'")
    await asyncio.to_thread(_built, home, campaign)
    report = await asyncio.to_thread(_night, home, tmp_path, small_model, campaign)
    with capsys.disabled():
        sys.stdout.write(f"\nan evening of {MESSAGES} messages: {sum(evening.counted().values())} reactions, all counted; "
                         f"the night after it learnt from {report['counts']} ({report['adapter'] or report['missing']})\n")  # fmt: skip
    _nothing_forbidden(evening)


def _nothing_lost(evening: Evening, discord: DiscordStandIn) -> None:
    turns = [text for (text,) in evening.ask("select text from turns where npc is null")]
    standing = {turn for (turn,) in evening.ask(
        "select id from turns where npc is not null and kept_take_id is not null and retracted_at is null"
    )}  # fmt: skip
    carried = Counter(turn for (turn,) in evening.ask("select turn_id from chat_messages"))
    assert Counter(turns) == Counter(evening.said)
    assert all(carried[turn] >= 1 for turn in standing), "a line that counts stands nowhere"
    shown = Counter(message["content"].splitlines()[-1] for message in discord.spoken if message["content"].startswith("> "))
    assert max(shown.values()) == 1, "a line stands twice"


def _built(home: Path, campaign: str) -> None:
    """The dataset as the operator builds it, linted."""
    built = understudy("dataset", "build", "--campaign", campaign, "--json", UNDERSTUDY_HOME=str(home))
    assert built.status in {0, 1}, built.err


def _night(home: Path, tmp_path: Path, model: Path, campaign: str) -> dict[str, Any]:
    """The night after it, with a small model and little time; what it made of Mira."""
    recipe = tmp_path / "quick.yaml"
    recipe.write_text("{recipe: sft, learning_rate: 0.005, epochs: 1, anchors: 8, max_length: 2048, minutes: 2, threads: 1}", "utf-8")
    environment = {
        **os.environ, "UNDERSTUDY_HOME": str(home), "UNDERSTUDY_ENGINE_MODEL": str(model), "UNDERSTUDY_ENGINE_SYSTEM_BUDGET": "200",
        "UNDERSTUDY_ENGINE_THREADS": "1", "UNDERSTUDY_SAMPLING_MAX_TOKENS": "24",
    }  # fmt: skip
    asked = [PROGRAM, "night", "--campaign", campaign, "--npc", "mira", "--no-control", "--recipe", str(recipe), "--json"]
    done = subprocess.run(asked, capture_output=True, text=True, env=environment, check=False, timeout=NIGHT)
    assert done.returncode == 0, done.stderr
    [report] = json.loads(done.stdout)["npcs"]
    assert isinstance(report, dict)
    assert (report["adapter"] is None) == (report["counts"]["sft"] < 8)
    assert report["adapter"] is None or list((home / "adapters").rglob(f"{report['adapter']}.gguf"))
    return report


def _nothing_forbidden(evening: Evening) -> None:
    files = list((evening.home / "datasets").rglob("*.jsonl"))
    text = "\n".join(file.read_text("utf-8") for file in files)
    assert len(text.splitlines()) >= 10
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


def _slowness() -> float:
    """How much slower than alone this machine computes now: a plain loop, against what it takes on the machine of the aim."""
    before, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number * number % 7
    return max(1.0, (time.process_time() - before) / LOOP)


async def test_what_is_added_to_a_line_besides_the_model_is_twenty_milliseconds_at_most(
    home: Path, migrated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Storing the question, the queue, the prompt, storing the line, noting the message: all but the model and Discord.

    The aim is 20 ms at the 99th percentile on a machine that does nothing else. Other programs disturb the
    processor's time less than the clock's, yet on shared cores a busy neighbour slows it down too; so it is
    divided by how much slower a plain loop runs at the same moment. Everything is printed.
    """
    home.mkdir(parents=True)
    shutil.copy(migrated, home / "db.sqlite")
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    shared = House(store, ScriptedEngine(), Library(home), Settings(), lambda: datetime.now(UTC), random.Random(SEED))
    stage = Stage(Desk(Rooms(shared), home), lambda line: None, _nobody)
    room, channel = await stage.desk.rooms.room(1, 2, Seat("Ana", "discord:6", "player")), _Channel()
    wall, spent, slow = [], [], []
    await room.table.summon("mira")
    for number in range(400):
        if number % 40 == 0:
            await room.table.set_scene({"place": f"room {number}"})
            slow.append(_slowness())
        began, before = time.perf_counter(), time.process_time()
        asked = await room.table.hear("What does the ale cost?", by=room.table.state.hand)
        assert await stage.answer(room, channel, asked) is not None
        wall.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - before) * 1000)
    await store.close()
    alone = sorted(each / slow[number // 40] for number, each in enumerate(spent))
    wall.sort()
    spent.sort()
    with capsys.disabled():
        sys.stdout.write(
            f"\nadded to a line: median {statistics.median(wall):.1f} ms, p99 {wall[395]:.1f} ms; of the processor median "
            f"{statistics.median(spent):.1f} ms, p99 {spent[395]:.1f} ms; the machine computes {statistics.median(slow):.1f} times slower "
            f"than alone (load {os.getloadavg()[0]:.1f}), which leaves median {statistics.median(alone):.1f} ms, p99 {alone[395]:.1f} ms\n"
        )
    assert alone[395] <= 20


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
