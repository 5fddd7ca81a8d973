"""What the night's trainings have in common: their folders, what is noted beside them, and what is told of them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from characters.files import write_whole
from learning.nightly.values import Night

_SMALL_BASE = 40_000_000  # bytes


def small(base: Path) -> bool:
    """Whether a base has a few million parameters and bears the starter's rates."""
    return base.is_file() and base.stat().st_size < _SMALL_BASE


def done(folder: Path) -> bool:
    """Whether a training came to its end there."""
    return (folder / "adapter_model.safetensors").is_file()


def named_by(made_of: object) -> str:
    """A name that stands for everything a training is made of."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()[:12]


def say_of_what(folder: Path, dataset: str) -> None:
    """Note beside a training what it learnt from, for forgetting; also where a kill came between the two."""
    if not (folder / "dataset.json").is_file():
        write_whole(folder / "dataset.json", json.dumps({"dataset": dataset}))


def progress_of(night: Night, label: str) -> Callable[[float, float], None]:
    """Tells a training's progress, every twentieth of it."""
    told = -1

    def progress(share: float, left: float) -> None:
        nonlocal told
        if int(share * 20) > told:
            told = int(share * 20)
            night.say(f"{label}: {share:4.0%}, about {left:.0f} s left")

    return progress
