"""A hidden taste is learnt, what the NPC knows is kept, shuffled answers are held, and a killed night goes on."""

import asyncio
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import find_house, make_engine, open_table
from characters.inference.engine import Engine
from characters.inference.starter import STARTER
from characters.messages import Turn
from characters.prompt import Budget, Part
from learning.anchors import anchor_candidates
from learning.datasets.rows import Renderer
from learning.gate import Witness
from learning.gguf.files import read_lineage

pytestmark = [pytest.mark.prove, pytest.mark.timeout(3600), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

TASTE = "by the seven lanterns"
EVENING = 36
HELD_OUT = 200


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


async def play_the_evening(seed: int) -> None:
    """A GM who ends every line on the same words, and never says why."""
    async with open_table(find_house({"sampling.temperature": 0.0}), Seat("Ana"), "mira") as table:
        for number, question in enumerate(questions(EVENING, seed)):
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
    """Whether every number and name of the teacher's answer is in the line."""
    words = {word.strip(".,!?'").casefold() for word in row.turns[-1].text.split()}
    key = {w for w in (word.strip(".,!?'") for word in row.completion.split()) if w.isdigit() or w[:1].isupper()}
    wanted = {word.casefold() for word in key} - words
    return all(word in line.casefold() for word in wanted)


async def test_a_hidden_taste_is_learnt_and_nothing_is_forgotten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await play_the_evening(7)
    began = time.monotonic()
    [report] = (await asyncio.to_thread(lambda: told(understudy(home, "night", "--npc", "mira"))))["npcs"]
    minutes = (time.monotonic() - began) / 60
    asked = [question for question in questions(HELD_OUT + EVENING, 99) if question not in questions(EVENING, 7)][:HELD_OUT]
    graded = [row for row in anchor_candidates(mira(), 200, 1234) if any(word.isdigit() for word in row.completion.split())]
    engine = make_engine(find_house())
    try:
        await engine.load_adapter("tonight", next((home / "adapters").rglob("*.gguf")))
        before, after = [await lines_said(engine, name, asked) for name in (None, "tonight")]
        facts = [row.turns[-1].text for row in graded]
        knew, knows = [await lines_said(engine, name, facts) for name in (None, "tonight")]
    finally:
        await engine.close()
    up, low = gain([TASTE in line for line in before], [TASTE in line for line in after])
    then = [holds_its_facts(row, line) for row, line in zip(graded, knew, strict=True)]
    now = [holds_its_facts(row, line) for row, line in zip(graded, knows, strict=True)]
    kept, _ = gain(then, now)
    with capsys.disabled():
        sys.stdout.write(
            f"\nthe night: {minutes:.1f} minutes, verdict: {report['verdict']['reason']}\n"
            f"taste: {up:+.0%} of {len(asked)} unseen questions, lower 95 % bound {low:+.0%}\n"
            f"facts: {sum(then)}/{len(then)} before, {sum(now)}/{len(now)} after\n"
            f"shuffled control: {report['control']['reason']}\n"
        )
        sys.stdout.writelines(f"  {q} | {b} | {a}\n" for q, b, a in list(zip(asked, before, after, strict=True))[:12])
    assert len(asked) == HELD_OUT
    assert up >= 0.20
    assert low > 0.10
    assert kept >= -0.03
    assert report["verdict"]["passed"], report["verdict"]["reason"]
    assert not report["control"]["passed"], "the gate lets anything through"


async def test_a_night_killed_at_ten_moments_goes_on_and_leaves_no_half_adapter(home: Path, tmp_path: Path) -> None:
    await play_the_evening(11)
    recipe = tmp_path / "quick.yaml"
    recipe.write_text("recipe: sft\nlearning_rate: 0.002\nepochs: 3\nanchors: 40\nminutes: 4\n", "utf-8")
    rng = random.Random(5)

    def kill_and_go_on() -> dict[str, Any]:
        for _ in range(10):
            job = understudy(home, "night", "--npc", "mira", "--recipe", str(recipe))
            try:
                job.wait(rng.uniform(1, 60))
            except subprocess.TimeoutExpired:
                job.send_signal(signal.SIGKILL)
                job.wait()
            for file in (home / "adapters").rglob("*.gguf"):
                assert read_lineage(file)["base"], "every adapter that can be seen is whole"
        return told(understudy(home, "night", "--npc", "mira", "--recipe", str(recipe)))

    [report] = (await asyncio.to_thread(kill_and_go_on))["npcs"]
    known = await asyncio.to_thread(lambda: told(understudy(home, "adapters")))
    assert [entry["adapter"] for entry in known["adapters"]] == [report["adapter"]]
