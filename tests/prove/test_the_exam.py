"""The exam with the starter: whole, in bearable time, and the same twice."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from characters.inference.starter import STARTER
from tests.fakes.program import PROGRAM

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

TWO_MINUTES = 120


def held(home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [PROGRAM, "exam", "mira", "--json"], capture_output=True, check=True, env={**os.environ, "UNDERSTUDY_HOME": str(home)}
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_whole_exam_takes_less_than_two_minutes_and_comes_out_the_same_again(tmp_path: Path) -> None:
    began = time.monotonic()
    first = held(tmp_path / "one")
    took = time.monotonic() - began
    shares = {name: f"{share['right']}/{share['n']}" for name, share in first["scores"].items()}
    sys.stdout.write(f"{first['items']} questions in {took:.0f} s: {shares}\n")
    assert took < TWO_MINUTES
    assert held(tmp_path / "two")["scores"] == first["scores"], "without chance, without difference"
