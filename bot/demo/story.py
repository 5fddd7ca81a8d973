"""Plays the demo through the same JSON surface that scripts use, each step a program of its own.

Nothing in here reaches into the product: what the demo shows is what a user gets.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import TableError

_EVENING = Path(__file__).parent / "evening.yaml"


@dataclass(frozen=True)
class Script:
    """What is asked and corrected at the demo's table."""

    npc: str
    evening: tuple[tuple[str, str], ...]
    fresh: tuple[str, ...]


def load_script(path: Path = _EVENING) -> Script:
    """Read the shipped evening."""
    read = yaml.safe_load(path.read_text("utf-8"))
    pairs = tuple((entry["ask"], entry["edit"]) for entry in read["evening"])
    return Script(read["npc"], pairs, tuple(read["fresh"]))


@dataclass(frozen=True)
class Program:
    """`understudy` as a child process on a home of its own, always greedy so that runs can be compared."""

    home: Path

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "UNDERSTUDY_HOME": str(self.home), "UNDERSTUDY_SAMPLING_TEMPERATURE": "0",
                "UNDERSTUDY_TABLE_CAMPAIGN": "demo"}  # fmt: skip

    def _start(self, arguments: Sequence[str], **streams: Any) -> "subprocess.Popen[str]":
        program = [sys.executable, "-c", "from bot.cli import main; main()", *arguments]
        return subprocess.Popen(program, env=self._environment(), text=True, encoding="utf-8", **streams)

    def play(self, npc: str, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Type these inputs at a table; returns the last event each of them brought.

        Raises:
            TableError: the table did not open, or an input failed.
        """
        table = self._start(["play", "--terminal", "--json", "--no-nights", "--npc", npc], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        out, err = table.communicate("".join(line + "\n" for line in inputs))
        events = [json.loads(line) for line in out.splitlines()]
        if failed := next((event for event in events if event["event"] == "error"), None):
            raise TableError(f"The demo's table failed: {failed['message']}")
        if table.returncode:
            raise TableError(f"The demo's table ended with status {table.returncode}: {err.strip()[-300:]}")
        last = {event["id"]: event for event in events if event["event"] in {"line", "ack"}}
        return [last[number] for number in sorted(last)]

    def run(self, *arguments: str, tell: Callable[[str], None] | None = None) -> dict[str, Any]:
        """Run a command with `--json`, telling its progress line by line.

        Raises:
            TableError: it failed.
        """
        job = self._start([*arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = []
        for line in job.stderr or ():
            said.append(line.strip())
            if tell is not None and line.strip():
                tell(line.strip())
        out = job.stdout.read() if job.stdout else ""
        if job.wait():
            raise TableError(said[-1] if said else f"`understudy {arguments[0]}` failed.")
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found


def lines_of(events: Sequence[dict[str, Any]]) -> list[str]:
    """The lines among events, in order."""
    return [event["text"] for event in events if event["event"] == "line"]
