"""The nightly service and a night as processes of their own: small, modest, and gone when they have to be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from learning.night_child import NightChild
from tests.fakes.program import PROGRAM

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and groups of processes are POSIX's")

HEAVY = ("torch", "transformers", "trl", "peft", "llama_cpp", "openai", "numpy")
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


class Service:
    """The service in a process of its own, heard line by line."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [PROGRAM, "nights", "--json", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        event: dict[str, Any] = json.loads(self.process.stdout.readline())
        return event


@contextmanager
def running(*arguments: str) -> Iterator[Service]:
    service = Service(*arguments)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def started_by(child: NightChild) -> psutil.Process:
    """What a stubborn night started, told by its first line."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := psutil.Process(child.pid).children():
            return found[0]
        time.sleep(0.02)
    raise AssertionError("the night started nothing")


def test_the_service_tells_its_next_night_and_ends_in_order_within_two_seconds(home: Path) -> None:
    with running() as service:
        ready = service.hear()
        assert (ready["event"], ready["next"][11:16]) == ("ready", "04:00")
        service.process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert service.process.wait(timeout=10) == 0
        assert time.monotonic() - asked < 2
        assert service.hear()["event"] == "stopped"
        assert not (home / "nights.lock").exists()
        assert service.process.stderr is not None
        assert "Traceback" not in service.process.stderr.read()


def test_a_second_service_of_a_home_says_who_is_there_or_leaves_quietly_beside_a_table() -> None:
    with running() as service:
        service.hear()
        with running() as second:
            assert second.hear()["message"].startswith(f"The nightly service of this home is running already (process {service.process.pid} ")
            assert second.process.wait(timeout=30) == 1
        with running("--beside", str(os.getpid())) as beside:
            assert beside.process.wait(timeout=30) == 0


def test_a_service_takes_over_from_one_that_is_about_to_leave() -> None:
    with running() as first:
        first.hear()
        with running("--beside", "1") as second:
            first.process.send_signal(signal.SIGTERM)
            assert second.hear()["event"] == "ready"


def test_beside_a_table_that_is_gone_the_service_ends_by_itself() -> None:
    with running("--beside", "1") as service:
        assert service.hear()["event"] == "ready"
        assert service.hear()["event"] == "stopped"
        assert service.process.wait(timeout=30) == 0


def test_a_wrong_hour_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_NIGHTS_CRON", "0 25 * * *")
    with running() as service:
        assert "nights.cron" in service.hear()["message"]
        assert service.process.wait(timeout=30) == 1


def test_the_service_imports_nothing_that_trains_or_speaks() -> None:
    code = f"import sys, learning.commands.nights, learning.scheduler; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


async def test_a_stubborn_night_is_gone_within_a_second_with_all_it_started() -> None:
    child = NightChild([sys.executable, "-c", STUBBORN])
    grandchild = started_by(child)
    assert child.poll() is None
    asked = time.monotonic()
    await child.stop()
    assert time.monotonic() - asked < 1.5
    assert child.poll() == -signal.SIGKILL
    gone, _ = psutil.wait_procs([grandchild], timeout=5)
    assert gone == [grandchild] or grandchild.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import sys; print('{\"event\": \"error\", \"message\": \"The disk is full.\"}'); sys.exit(1)", "The disk is full."),
        ("import sys; print('[1, 2]'); sys.exit(3)", "The night ended with status 3; its log says why."),
        ("import os; os.kill(os.getpid(), 9)", "The night ended with status -9; its log says why."),
    ],
)
def test_why_a_night_failed_is_its_own_sentence(code: str, sentence: str) -> None:
    child = NightChild([sys.executable, "-c", code])
    child._process.wait()
    assert child.fault() == sentence


def test_a_night_runs_the_program_with_low_priority() -> None:
    code = (
        "import importlib.metadata as metadata, os, sys\nfrom learning import night_child\n"
        "class Program:\n    def load(self):\n        return lambda: print(os.nice(0), *sys.argv)\n"
        "metadata.entry_points = lambda **wanted: [Program()]\n"
        "night_child.main([str(os.getppid()), 'night', '--npc', 'mira'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(min(19, os.nice(0) + 15)), "understudy", "night", "--npc", "mira"]


def test_a_night_whose_service_was_killed_ends_too() -> None:
    nobody = "0"
    child = NightChild([sys.executable, "-m", "learning.night_child", nobody, "nights"])
    assert child._process.wait(timeout=30) == -signal.SIGKILL
