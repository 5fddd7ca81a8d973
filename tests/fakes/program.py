"""The real command in a process of its own, as a person or a script would start it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).parent / "understudy")
# One thread, for two that wait for each other crawl on a busy machine; no proof of the native build
# in every new home; short lines.
QUICK = {
    "UNDERSTUDY_ENGINE_THREADS": "1", "UNDERSTUDY_ENGINE_EXTRA_BUFFERS": "false", "UNDERSTUDY_SAMPLING_MAX_TOKENS": "24",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; a line that is none fails the test."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def value(self) -> dict[str, Any]:
        """Standard output as one JSON object."""
        value: dict[str, Any] = json.loads(self.out)
        return value


def understudy(*arguments: str | Path, stdin: str | bytes = "", **environment: str) -> Done:
    """Run a command to its end."""
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], input=given, capture_output=True, timeout=60, check=False,
        env={**QUICK, **os.environ, **environment},
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Conversation:
    """A table that stays open: say a line, hear the events, look at its processes."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [PROGRAM, "play", "--terminal", "--json", *map(str, arguments)], env={**QUICK, **os.environ}, text=True,
            encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def say(self, text: str) -> None:
        """Send one input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def hear(self, *kinds: str) -> list[dict[str, Any]]:
        """Read events up to the first of these kinds."""
        assert self.process.stdout is not None
        events: list[dict[str, Any]] = []
        while not events or events[-1]["event"] not in kinds:
            line = self.process.stdout.readline()
            assert line, f"the output ended after {events}"
            events.append(json.loads(line))
        return events

    def end(self) -> Done:
        """Close the input and wait for the end."""
        out, err = self.process.communicate(timeout=60)
        return Done(self.process.returncode, out, err)
