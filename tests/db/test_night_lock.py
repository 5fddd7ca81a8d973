"""One night at a time in a home, and no lock outlives its holder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.night_lock import LOOKS_EVERY, RENEWED_EVERY, STALE_AFTER, YIELDED, NightHeld, NightLock

Lock = Callable[..., NightLock]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "night.lock"


def lock(file: Path, later: float = 0) -> NightLock:
    return NightLock(file, lambda: datetime.now(UTC) + timedelta(seconds=later))


def left_by(file: Path, **changes: object) -> None:
    """A lock as another process would leave it."""
    with lock(file):
        holder = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**holder, **changes}), "utf-8")


def dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_whoever_comes_second_is_told_in_one_sentence_who_holds_it(file: Path) -> None:
    with lock(file) as first:
        assert first.holder() is not None
        with pytest.raises(NightHeld) as caught, lock(file):
            pytest.fail("two hold the lock")
    sentence = str(caught.value)
    assert sentence.startswith(f"A night is running already (process {os.getpid()} on ")
    assert sentence.endswith("wait for its end, or stop that process.")
    assert "\n" not in sentence


def test_a_lock_is_free_again_afterwards_whatever_happened(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(file):
        raise ZeroDivisionError
    assert lock(file).holder() is None
    with lock(file):
        pass
    assert list(file.parent.iterdir()) == []


def test_another_process_is_kept_out_while_it_is_held(file: Path) -> None:
    code = (
        "import sys, pathlib, datetime\nfrom db.night_lock import NightHeld, NightLock\n"
        "try:\n    NightLock(pathlib.Path(sys.argv[1]), lambda: datetime.datetime.now(datetime.UTC)).__enter__()\n"
        "except NightHeld as error:\n    print(error)\n"
    )
    with lock(file):
        told = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True).stdout
        assert f"process {os.getpid()}" in told


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by id on POSIX alone")
def test_a_lock_of_a_process_that_is_gone_is_taken_over(file: Path) -> None:
    left_by(file, pid=dead_process(), birth="")
    assert lock(file).holder() is None
    with lock(file) as taken:
        assert taken.holder() is not None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc tells when a process was born")
def test_a_later_process_with_the_same_id_does_not_hold_the_lock(file: Path) -> None:
    left_by(file, birth="17")
    with lock(file):
        pass


def test_a_lock_of_another_machine_counts_while_it_is_renewed(file: Path) -> None:
    left_by(file, host="elsewhere", pid=1)
    with pytest.raises(NightHeld, match="on elsewhere"), lock(file, later=STALE_AFTER - 10):
        pass
    with lock(file, later=STALE_AFTER + 10):
        pass


def test_a_lock_without_a_name_is_being_written_for_a_moment_and_then_counts_as_left(file: Path) -> None:
    file.write_text("", "utf-8")
    with pytest.raises(NightHeld, match=r"night\.lock"), lock(file):
        pass
    with lock(file, later=RENEWED_EVERY + 1):
        pass


def test_a_holder_that_lost_its_lock_does_not_remove_the_next_ones(file: Path) -> None:
    with lock(file):
        left = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps({**left, "host": "elsewhere"}), "utf-8")
    assert json.loads(file.read_text("utf-8"))["host"] == "elsewhere"


# --- whoever comes before a night ----------------------------------------------------------------

HOLDER = """
import datetime, pathlib, sys, time
from db.night_lock import NightLock
file, says = pathlib.Path(sys.argv[1]), sys.argv[2]
farewell = (lambda: print(says, flush=True)) if says else None
with NightLock(file, lambda: datetime.datetime.now(datetime.UTC), "A night", farewell):
    print("held", flush=True)
    while True:
        (file.parent / "beat").write_text("still here")
        time.sleep(0.01)
"""


@contextmanager
def held_by_another(file: Path, says: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the lock and goes on writing until it is ended."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(file), says], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_night_makes_way_for_whoever_claims_its_lock_and_writes_no_more(file: Path) -> None:
    with held_by_another(file, "goodbye") as night, lock(file).claimed(30):
        assert night.wait(10) == YIELDED
        (file.parent / "beat").unlink()
        assert night.stdout is not None
        assert night.stdout.read() == "goodbye\n"
        assert lock(file).holder() is not None, "and nobody gets in between"
    assert list(file.parent.iterdir()) == []


def test_whoever_does_not_make_way_is_named_and_no_claim_is_left(file: Path) -> None:
    with held_by_another(file, "") as other:
        with pytest.raises(NightHeld, match=rf"A night is running already \(process {other.pid} on "), lock(file).claimed(0.6):
            pytest.fail("two hold the lock")
        assert other.poll() is None
        assert sorted(path.name for path in file.parent.iterdir()) == ["beat", "night.lock"]


def test_a_claim_that_a_crash_left_behind_ends_no_night(file: Path) -> None:
    claim = file.with_suffix(".claimed")
    claim.touch()
    os.utime(claim, (0, 0))
    with held_by_another(file, "goodbye") as night, pytest.raises(subprocess.TimeoutExpired):
        night.wait(3 * LOOKS_EVERY)


def test_a_night_that_comes_while_somebody_is_forgotten_is_told_so(file: Path) -> None:
    forgetting = NightLock(file, lambda: datetime.now(UTC), "The forgetting of a person")
    with forgetting.claimed(1), pytest.raises(NightHeld, match="The forgetting of a person is running already"), lock(file):
        pass
