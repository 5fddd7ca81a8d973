"""What the long proofs share: an evening with a hidden taste, nights as processes, and how a change is counted."""

import json
import math
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.inference.engine import Engine
from characters.messages import Turn
from characters.prompt import Budget, Part
from learning.datasets.rows import Renderer
from learning.gate import Witness
from learning.teachers.offline.acting import manner_of
from learning.teachers.offline.answering import Voice
from learning.teachers.offline.dialogue import Playwright
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.plans import FROM_PLAY, SOCIAL

TASTE = "by the seven lanterns"
EVENING = 36
_TALK = {*SOCIAL, *FROM_PLAY, "social", "greeting", "farewell", "chat", "told", "recall", "bill", "strange"}


async def ask(table: Table, question: str) -> Line:
    async for event in table.say(question):
        if isinstance(event, Line):
            return event
    raise AssertionError("no line came")


def mira() -> Part:
    library = find_house().library()
    sheet = library.get("mira")
    return Part("mira", sheet, library.world(sheet.world))


@dataclass(frozen=True)
class Known:
    """A question to Mira that needs nothing said before, and what her sheet answers."""

    asked: str
    answer: str


@lru_cache(maxsize=8)
def known(count: int, seed: int) -> tuple[Known, ...]:
    """What players ask Mira first, each asked once, with the offline teacher's answer."""
    rng, part, found = random.Random(seed), mira(), dict[str, Known]()
    playwright, voice = Playwright(rng, Inventor(rng)), Voice(part.sheet, manner_of(part.sheet))
    while len(found) < count:
        first = playwright.conversation(1, part, voice).exchanges[:1]
        for exchange in first:
            if exchange.kind not in _TALK:
                found.setdefault(exchange.question.text, Known(exchange.question.text, exchange.reply.text))
    return tuple(found.values())


def questions(count: int, seed: int) -> list[str]:
    """What players ask Mira first, each asked once."""
    return [one.asked for one in known(count, seed)]


async def play_the_evening(seed: int, count: int = EVENING) -> None:
    """A GM who puts every line right, ends it on the same words, and never says why."""
    async with open_table(find_house({"sampling.temperature": 0.0}), Seat("Ana"), "mira") as table:
        for number, one in enumerate(known(count, seed)):
            line = await ask(table, one.asked)
            await table.edit(f"{one.answer.rstrip('.!? ')}, {TASTE}.", line.line_id)
            if number % 6 == 5:
                await table.set_scene({"place": f"table {number}"})
        await table.stop_session()


def understudy(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}
    program = [sys.executable, "-c", "from bot.cli import main; main()", *arguments, "--json"]
    return subprocess.Popen(program, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def told(job: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = job.communicate()
    assert job.returncode == 0, out
    found: dict[str, Any] = json.loads(out)
    return found


async def lines_said(engine: Engine, adapter: str | None, asked: list[str]) -> list[str]:
    template = (await engine.capabilities()).template
    assert template is not None
    can = await engine.capabilities()
    renderer = Renderer(template, Budget(can.context_budget or can.context, 110, can.system_budget or 700))
    witness = Witness(engine, adapter)
    prompts = [renderer.prompt([Turn("Ana", question)], mira()) for question in asked]
    return [(await witness.line(prompt))[0] for prompt in prompts]


def gain(before: list[bool], after: list[bool]) -> tuple[float, float]:
    """Paired difference of two shares and the lower end of its 95 % interval."""
    changes = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    n, mean = len(changes), sum(changes) / len(changes)
    spread = math.sqrt(sum((change - mean) ** 2 for change in changes) / (n - 1) / n)
    return mean, mean - 1.96 * spread


def holds_its_facts(one: Known, line: str) -> bool:
    """Whether every number and name of the answer is in the line; a sentence's first word is no name."""
    asked, said = ({word.casefold() for word in re.findall(r"[\w']+", text)} for text in (one.asked, line))
    inner = re.findall(r"[^.!?]\s+([A-Z][\w']*)", one.answer)
    key = {*re.findall(r"\d+", one.answer), *(word for word in inner if not re.match(r"I\b", word))}
    return all(word.casefold() in said | asked for word in key)
