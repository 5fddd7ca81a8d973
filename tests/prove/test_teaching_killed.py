"""A bootstrap of 300 rows is killed ten times: every row is there once, and nothing is paid for twice."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.program import PROGRAM, QUICK
from tests.fakes.teacher_server import TeacherServer
from tests.fakes.teaching import question_or_answer

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]
ROWS, KILLS = 300, 10


def start(home: Path) -> "subprocess.Popen[str]":
    command = [PROGRAM, "teach", "bootstrap", "brug", "--rows", str(ROWS), "--teacher", "openai", "--json"]
    environment = {**os.environ, **QUICK, "UNDERSTUDY_HOME": str(home)}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait(home: Path, goal: int, process: "subprocess.Popen[str]") -> None:
    while count(home) < goal and process.poll() is None:
        time.sleep(0.05)


def count(home: Path) -> int:
    try:
        with sqlite3.connect(home / "db.sqlite", timeout=20) as database:
            return int(database.execute("SELECT count(*) FROM candidate_rows").fetchone()[0])
    except sqlite3.Error:
        return 0


async def test_kill_nine_ten_times_and_no_request_is_paid_twice(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(7)
    home.mkdir()
    async with TeacherServer(lambda request: ("slow", 0.01, question_or_answer(request))) as server:
        settings = f'[teacher]\nurl = "{server.url}"\nmodel = "m"\nprompt_price = 1.0\ncompletion_price = 2.0\nconcurrency = 8\n'
        (home / "understudy.toml").write_text(settings)
        for kill in range(KILLS):
            process = start(home)
            goal = (kill + 1) * (ROWS - 20) // KILLS
            await asyncio.to_thread(wait, home, goal, process)
            await asyncio.sleep(rng.random() * 0.5)
            assert process.poll() is None, "it ended before it could be killed"
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = start(home)
        out, err = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, err
    told = json.loads(out.splitlines()[-1])
    with sqlite3.connect(home / "db.sqlite") as database:
        origins = [row[0] for row in database.execute("SELECT origin FROM candidate_rows")]
        states = Counter(row[0] for row in database.execute("SELECT state FROM teacher_calls"))
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(origins)} rows after {KILLS} kills; {server.received.total()} requests came in, the same one at most "
            f"{max(server.received.values())} times; calls {dict(states)}; cost {told['cost']:.4f}\n"
        )
    assert len(origins) == len(set(origins)) == told["rows"] == ROWS
    assert max(server.received.values()) == 1
    assert server.paid.total() >= states["answered"]
