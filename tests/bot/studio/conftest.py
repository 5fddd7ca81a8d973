"""A studio in a process of its own, and a real browser in front of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def studio_at(home: Path, *options: str) -> Iterator[str]:
    """Serve a studio; yields its address."""
    command = [sys.executable, "-m", "tests.fakes.studio_server", str(home), *options]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, "the studio did not come up"
        yield json.loads(told)["url"]
    finally:
        process.terminate()
        process.wait(20)
