"""One night at a time in a home, whoever starts it.

Two trainings on one machine take turns badly, and both would write the same adapter. The lock is a
file that is created only if it is not there and that says who holds it. It outlives nobody: a
holder of this machine is asked for by its process id, one of another machine (a home may be shared)
by the time of the file, which a holder renews.

Forgetting a person comes before a night: it claims the lock, and a night that holds it ends its
process at once and goes on later, from what was left. Nobody else is asked to leave.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from characters.errors import UnderstudyError
from db.home import Home

YIELDED = 75  # exit status of a night that was asked to leave
LOOKS_EVERY = 0.25  # seconds
RENEWED_EVERY = 15.0  # seconds
STALE_AFTER = 120.0  # seconds without renewal, where the process cannot be asked for


class NightHeld(UnderstudyError):
    """Another process holds the lock."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        birth: what tells a process from a later one with the same id; empty where nothing does.
        since: when it was taken, ISO 8601.
        what: what it does meanwhile.
    """

    pid: int
    host: str
    birth: str
    since: str
    what: str = "A night"

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since[:16].replace('T', ' ')}"


class NightLock:
    """A lock; use it as a context manager.

    Args:
        file: the lock file, in a folder that exists.
        now: the time.
        what: what this holder is called in the sentence for whoever comes second.
        farewell: a holder that has one ends its process when the lock is claimed, and says this before;
            it is called from another thread.

    Raises:
        NightHeld: on entering, if somebody holds it: one sentence saying who.
    """

    def __init__(
        self, file: Path, now: Callable[[], datetime], what: str = "A night", farewell: Callable[[], None] | None = None
    ) -> None:
        self.file = file
        self.what = what
        self._farewell = farewell
        self._claim = file.with_suffix(".claimed")
        self._now = now
        self._mine: Holder | None = None
        self._released = threading.Event()

    def holder(self) -> Holder | None:
        """Who holds the lock now; None if it is free, or left behind by somebody who is gone."""
        found = self._read()
        return found if found is not None and self._alive(found) else None

    @contextlib.contextmanager
    def claimed(self, patience: float) -> Iterator[Self]:
        """Hold the lock, and let a night that holds it leave first.

        Args:
            patience: seconds to wait for whoever holds it.

        Raises:
            NightHeld: somebody held it all the time.
        """
        deadline = time.monotonic() + patience
        with contextlib.ExitStack() as held:
            try:
                while True:
                    try:
                        held.enter_context(self)
                        break
                    except NightHeld:
                        if time.monotonic() >= deadline:
                            raise
                    self._claim.touch()
                    time.sleep(LOOKS_EVERY / 2)
            finally:
                self._claim.unlink(missing_ok=True)
            yield self

    def __enter__(self) -> Self:
        mine = Holder(os.getpid(), socket.gethostname(), _birth(os.getpid()), self._now().isoformat(), self.what)
        for _ in range(3):  # a lock left behind is removed, and another process may be quicker
            try:
                handle = os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                self._remove_if_left_behind()
                continue
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(asdict(mine), out)
            self._mine = mine
            self._released.clear()
            threading.Thread(target=self._renew, daemon=True, name="night lock").start()
            return self
        raise self._held()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        if self._mine is not None and self._read() == self._mine:
            self.file.unlink(missing_ok=True)
        self._mine = None

    def _held(self) -> NightHeld:
        who = self._read()
        what, named = (who.what, str(who)) if who else (self.what, f"the lock is {self.file}")
        return NightHeld(f"{what} is running already ({named}); wait for its end, or stop that process.")

    def _read(self) -> Holder | None:
        try:
            return Holder(**json.loads(self.file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _remove_if_left_behind(self) -> None:
        """Remove the lock of somebody who is gone.

        It is moved aside first and looked at again: whoever took it in between gets it back.

        Raises:
            NightHeld: somebody is there.
        """
        seen = self._read()
        if self._alive(seen):
            raise self._held()
        aside = self.file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            self.file.replace(aside)
            if self._read_from(aside) != seen:
                with contextlib.suppress(OSError):
                    os.link(aside, self.file)
            aside.unlink()

    def _read_from(self, file: Path) -> Holder | None:
        return NightLock(file, self._now)._read()

    def _alive(self, holder: Holder | None) -> bool:
        """Whether a holder is still there; one that is just writing its name (None) is, for a moment."""
        if holder is not None and holder.host == socket.gethostname() and os.name == "posix":
            return _runs(holder.pid, holder.birth)
        try:
            age = self._now().timestamp() - self.file.stat().st_mtime
        except OSError:
            return False
        return age < (STALE_AFTER if holder is not None else RENEWED_EVERY)

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._released.wait(LOOKS_EVERY):
            if time.monotonic() - renewed >= RENEWED_EVERY:
                renewed = time.monotonic()
                with contextlib.suppress(OSError):
                    os.utime(self.file)
            if self._farewell is not None and self._is_claimed():
                self._leave(self._farewell)

    def _is_claimed(self) -> bool:
        """Whether somebody waits for the lock now; a claim that was left behind by a crash is none."""
        try:
            return time.time() - self._claim.stat().st_mtime < RENEWED_EVERY
        except OSError:
            return False

    def _leave(self, farewell: Callable[[], None]) -> None:
        """End this process. It is in the middle of something; what that leaves is made good by the next night."""
        try:
            farewell()
        finally:
            if self._mine is not None and self._read() == self._mine:
                self.file.unlink(missing_ok=True)
            os._exit(YIELDED)


def night_lock(
    home: Home, now: Callable[[], datetime], what: str = "A night", farewell: Callable[[], None] | None = None
) -> NightLock:
    """The lock every night of a home takes, and whoever must not meet one."""
    return NightLock(home.folder("") / "night.lock", now, what, farewell)


def teach_lock(
    home: Home, now: Callable[[], datetime], what: str = "Teaching", farewell: Callable[[], None] | None = None
) -> NightLock:
    """The lock of whoever asks teachers: one at a time, and none while a person is being forgotten."""
    return NightLock(home.folder("") / "teach.lock", now, what, farewell)


def _runs(pid: int, birth: str) -> bool:
    """Whether a process of this machine lives, and is the one that was born then (POSIX)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not birth or _birth(pid) == birth


def _birth(pid: int) -> str:
    """When a process started, in ticks since the machine did (Linux); empty elsewhere, "dead" for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "dead" if fields[0] in {"Z", "X"} else fields[19]
