"""What a table costs in memory, all processes together."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from characters.inference.starter import STARTER

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]


def pss_mb(process: psutil.Process) -> float:
    return sum(p.memory_full_info().pss for p in [process, *process.children(recursive=True)]) / 1e6


def test_a_terminal_with_the_starter_stays_within_200_megabytes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = [sys.executable, "-c", "from bot.cli import main; main()", "play", "--terminal", "--json"]
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}
    table = subprocess.Popen(program, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert table.stdin is not None
    assert table.stdout is not None
    try:
        most = 0.0
        for number in range(8):
            table.stdin.write(f"What is the price of thing number {number}?\n")
            table.stdin.flush()
            while json.loads(table.stdout.readline())["event"] != "line":
                pass
            most = max(most, pss_mb(psutil.Process(table.pid)))
        time.sleep(3)  # whatever runs beside the table has come up by now
        most = max(most, pss_mb(psutil.Process(table.pid)))
        with capsys.disabled():
            sys.stdout.write(f"\nall processes of a table: {most:.0f} MB PSS\n")
        assert most <= 200
    finally:
        table.stdin.close()
        table.wait(20)
