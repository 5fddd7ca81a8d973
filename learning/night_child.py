"""A night runs in a process of its own, with low priority, and is gone within a second when it has to be.

It is ended, not paused. A paused process keeps its gigabytes while the table wants them for its
model, and one that was paused in the middle of a write keeps the database locked for everybody. An
ended one gives all of it back at once, and costs little: every stage is recorded and training goes
on from its last checkpoint.

`python -m learning.night_child PARENT ARGUMENT…` is the process: it takes low priority, watches
that the service that started it still lives, and runs the program with the arguments.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Protocol

_NICE = 15
_POLITE = 0.75  # seconds between asking a night to end and ending it
_PROGRAM = "understudy"
_LAST_WORDS = 20_000  # characters


class Child(Protocol):
    """A night that runs, as the service sees it."""

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...

    async def stop(self) -> None:
        """End it and everything it started, within a second."""
        ...

    def fault(self) -> str:
        """The sentence it ended with, if it failed."""
        ...


class NightChild:
    """A night in a process of its own, which leads a group with everything it starts."""

    def __init__(self, command: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  (closed with us)
        options: dict[str, int | bool] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NEW_PROCESS_GROUP
            options = {"creationflags": flags}
        self._process = subprocess.Popen(  # type: ignore[call-overload]  # the options are the platform's
            command, stdin=subprocess.DEVNULL, stdout=self._said, **options
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        number: int = self._process.pid
        return number

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        status: int | None = self._process.poll()
        return status

    async def stop(self) -> None:
        """Ask the whole group to end, then end it."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, _POLITE)
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))  # also what the leader left behind
        await asyncio.to_thread(self._process.wait)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                os.killpg(self._process.pid, number)

    def fault(self) -> str:
        """The sentence of its last JSON line, if that is an error."""
        self._said.seek(0)
        last = self._said.read()[-_LAST_WORDS:].strip().rpartition("\n")[2]
        try:
            event = json.loads(last)
        except ValueError:
            event = None
        if isinstance(event, dict) and event.get("event") == "error":
            return str(event.get("message", ""))
        return f"The night ended with status {self.poll()}; its log says why."


def start_night(campaign: str, npc: str) -> NightChild:
    """Run `understudy night` for one NPC of a campaign."""
    arguments = ["night", "--campaign", campaign, "--npc", npc, "--json"]
    return NightChild([sys.executable, "-m", "learning.night_child", str(os.getpid()), *arguments])


def main(arguments: Sequence[str]) -> None:
    """The process itself: be modest, watch the parent, run the program."""
    parent = int(arguments[0])
    if hasattr(os, "nice"):
        os.nice(_NICE)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    [program] = importlib.metadata.entry_points(group="console_scripts", name=_PROGRAM)
    sys.argv = [_PROGRAM, *arguments[1:]]
    program.load()()


def _leave_with(parent: int) -> None:
    """End this process and its group when the one that started it is gone: nobody else would stop it in time."""
    while sys.platform == "win32" or os.getppid() == parent:
        time.sleep(0.5)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
