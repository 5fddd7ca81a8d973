"""A hidden taste is learnt, what the NPC knows is kept, shuffled answers are held, and a killed night goes on."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import find_house, make_engine
from characters.inference.starter import STARTER
from learning.gguf.files import read_lineage
from tests.prove.evening import (
    EVENING,
    TASTE,
    gain,
    holds_its_facts,
    known,
    lines_said,
    play_the_evening,
    questions,
    told,
    understudy,
)

pytestmark = [pytest.mark.prove, pytest.mark.timeout(3600), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

HELD_OUT = 200


async def test_a_hidden_taste_is_learnt_and_nothing_is_forgotten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await play_the_evening(7)
    began = time.monotonic()
    [report] = (await asyncio.to_thread(lambda: told(understudy(home, "night", "--npc", "mira"))))["npcs"]
    minutes = (time.monotonic() - began) / 60
    asked = [question for question in questions(HELD_OUT + EVENING, 99) if question not in questions(EVENING, 7)][:HELD_OUT]
    graded = [one for one in known(600, 1234) if any(word.isdigit() for word in one.answer.split())]
    engine = make_engine(find_house())
    try:
        await engine.load_adapter("tonight", next((home / "adapters").rglob("*.gguf")))
        before, after = [await lines_said(engine, name, asked) for name in (None, "tonight")]
        facts = [one.asked for one in graded]
        knew, knows = [await lines_said(engine, name, facts) for name in (None, "tonight")]
    finally:
        await engine.close()
    up, low = gain([TASTE in line for line in before], [TASTE in line for line in after])
    then = [holds_its_facts(one, line) for one, line in zip(graded, knew, strict=True)]
    now = [holds_its_facts(one, line) for one, line in zip(graded, knows, strict=True)]
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


async def test_a_night_over_three_hundred_rows_takes_at_most_ten_minutes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await play_the_evening(3, 300)
    began = time.monotonic()
    [report] = (await asyncio.to_thread(lambda: told(understudy(home, "night", "--npc", "mira"))))["npcs"]
    minutes = (time.monotonic() - began) / 60
    with capsys.disabled():
        sys.stdout.write(f"\n{report['counts']}: {minutes:.1f} minutes, verdict: {report['verdict']['reason']}\n")
    assert report["counts"]["sft"] == 300
    assert minutes <= 10
