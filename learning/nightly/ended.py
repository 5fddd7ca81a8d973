"""A night that was ended from outside leaves nothing behind.

Somebody whose words it learns from was forgotten, by this machine or by another on the same
database: its record says so, and whatever it wrote since it began may hold those words.
"""

import shutil
from pathlib import Path

from learning.nightly.values import Night

_PLACES = ("datasets", "runs", "runs/exams", "cache/gate")


class NightEnded(Exception):
    """The night's record is gone, or says that it is over; nobody has to be told more."""


def written(night: Night) -> frozenset[Path]:
    """Everything that nights write, as it lies there now."""
    places = [night.home.root / name for name in (*_PLACES, f"adapters/{night.campaign}/{night.npc}")]
    return frozenset(path for place in places if place.is_dir() for path in place.iterdir())


def clear(night: Night, before: frozenset[Path]) -> None:
    """Remove what was written since; a home has one night at a time, so it is this one's."""
    for path in sorted(written(night) - before):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
