"""What the long proofs share: an evening with a hidden taste, nights as processes, and how a change is counted."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.inference.engine import Engine
from characters.messages import Turn
from characters.prompt import Budget, Part
from learning.anchors import anchor_candidates
from learning.datasets.rows import Renderer
from learning.gate import Witness

TASTE = "by the seven lanterns"
EVENING = 36


async def ask(table: Table, question: str) -> Line:
    async for event in table.say(question):
        if isinstance(event, Line):
            return event
    raise AssertionError("no line came")


def mira() -> Part:
    library = find_house().library()
    sheet = library.get("mira")
    return Part("mira", sheet, library.world(sheet.world))


def questions(count: int, seed: int) -> list[str]:
    """What players ask Mira, each asked once."""
    asked = [turn.text for row in anchor_candidates(mira(), 4 * count, seed) if (turn := row.turns[-1]).npc is None]
    return list(dict.fromkeys(asked))[:count]


async def play_the_evening(seed: int, count: int = EVENING) -> None:
    """A GM who ends every line on the same words, and never says why."""
    async with open_table(find_house({"sampling.temperature": 0.0}), Seat("Ana"), "mira") as table:
        for number, question in enumerate(questions(count, seed)):
            line = await ask(table, question)
            await table.edit(f"{line.text.rstrip('.!? ')}, {TASTE}.", line.line_id)
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


def holds_its_facts(row: Any, line: str) -> bool:
    """Whether every number and name of the teacher's answer is in the line; a sentence's first word is no name."""
    asked, said = ({word.casefold() for word in re.findall(r"[\w']+", text)} for text in (row.turns[-1].text, line))
    inner = re.findall(r"[^.!?]\s+([A-Z][\w']*)", row.completion)
    key = {*re.findall(r"\d+", row.completion), *(word for word in inner if not re.match(r"I\b", word))}
    return all(word.casefold() in said | asked for word in key)
