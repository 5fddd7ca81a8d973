"""What nights left in the home's files: curves, the report's samples, and the log of one that runs."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from db.queries.timeline import NightSeen
from db.values import wilson_interval

STAGES = ("harvest", "dataset", "training", "gate")
_USUAL = {"harvest": 2.0, "dataset": 20.0, "training": 240.0, "gate": 180.0}  # seconds, until a night was seen
_TAIL = 40_000  # bytes of the log
_SHOWN = 14  # lines of it
_TOLD = re.compile(r"^(?P<npc>[\w-]+): (?P<what>[^:]+):\s+(?P<share>\d+)%, about (?P<left>\d+) s left")


@dataclass(frozen=True)
class Progress:
    """How far a night is.

    Attributes:
        left: seconds, by the nights before and by what the training says of itself.
    """

    stage: str
    share: float
    left: float


def log_tail(home: Path) -> list[str]:
    """The last lines the nightly service wrote."""
    try:
        with (home / "logs" / "nights.log").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            return file.read().decode("utf-8", "replace").splitlines()[-_SHOWN:]
    except OSError:
        return []


def progress(night: NightSeen, before: Sequence[NightSeen], log: Sequence[str], now: datetime) -> Progress:
    """How far a running night is."""
    usual = {stage: _lasted(stage, before) for stage in STAGES}
    done = sum(usual[s.name] for s in night.stages if s.state == "done" and s.name in usual)
    running = next((s for s in reversed(night.stages) if s.state == "running"), None)
    if running is None or running.name not in usual:
        whole = sum(usual.values())
        return Progress("starting", done / whole, whole - done)
    spent = (now - running.started_at).total_seconds()
    left = max(5.0, usual[running.name] - spent)
    told = next((m for line in reversed(log) if (m := _TOLD.match(line)) and m["npc"] == night.npc), None)
    if told is not None and running.name == "training":
        left = float(told["left"])
    later = sum(usual[name] for name in STAGES[STAGES.index(running.name) + 1 :])
    share = done + spent
    return Progress(running.name, share / (share + left + later), left + later)


def _lasted(stage: str, before: Sequence[NightSeen]) -> float:
    known = [
        (s.ended_at - s.started_at).total_seconds()
        for night in before for s in night.stages if s.name == stage and s.state == "done" and s.ended_at
    ]  # fmt: skip
    return max(1.0, median(known)) if known else _USUAL[stage]


@dataclass(frozen=True)
class Curves:
    """What was measured while a voice was trained, as (step, value)."""

    loss: tuple[tuple[int, float], ...] = ()
    validation: tuple[tuple[int, float], ...] = ()
    perplexity: tuple[tuple[int, float], ...] = ()
    margin: tuple[tuple[int, float], ...] = ()
    preference: tuple[tuple[int, float], ...] = ()


def curves(home: Path, dataset: str) -> Curves:
    """The curves of the trainings on a dataset; of the one that runs where no dataset is named."""
    folders = _of_dataset(home, dataset) if dataset else _running(home)
    supervised = [line for f in folders if f.name.startswith("run-") for line in _lines(f)]
    preferred = [line for f in folders if f.name.startswith(("dpo-", "kto-")) for line in _lines(f)]
    margin = _series(preferred, "validation_margin") or _series(preferred, "margin")
    return Curves(
        _series(supervised, "loss"), _series(supervised, "validation_loss"),
        _series(supervised, "validation_perplexity"), margin, _series(preferred, "loss"),
    )  # fmt: skip


def _of_dataset(home: Path, dataset: str) -> list[Path]:
    found = []
    for note in home.glob("runs/*/dataset.json"):
        if not note.parent.name.startswith("control-") and _json(note).get("dataset") == dataset:
            found.append(note.parent)
    return sorted(found, key=lambda folder: folder.stat().st_mtime)


def _running(home: Path) -> list[Path]:
    work = [f for f in home.glob("runs/*.work") if not f.name.startswith("control-") and f.is_dir()]
    return sorted(work, key=lambda folder: folder.stat().st_mtime)[-1:]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines():
            found.append(json.loads(line))
    except (OSError, ValueError):  # a last line may be half
        pass
    return found


def _series(lines: Sequence[dict[str, Any]], name: str) -> tuple[tuple[int, float], ...]:
    known = [(line.get("step"), line.get(name)) for line in lines]
    return tuple(
        (int(step), float(value)) for step, value in known
        if isinstance(step, int) and isinstance(value, int | float) and math.isfinite(value)
    )  # fmt: skip


def samples(home: Path, npc: str, made_at: datetime) -> list[dict[str, str]]:
    """The morning report's questions with the line before and after; [] where the report is gone."""
    path = home / "reports" / f"{made_at.astimezone(UTC):%Y-%m-%d-%H%M%S}-{npc}.md"
    try:
        lines = path.read_text("utf-8").partition("## Before and after")[2].splitlines()
    except OSError:
        return []
    found: list[dict[str, str]] = []
    for line in lines:
        if line.startswith("- "):
            found.append({"asked": line[2:], "before": "", "after": ""})
        elif found and line.startswith("  - before: "):
            found[-1]["before"] = line.removeprefix("  - before: ")
        elif found and line.startswith("  - after: "):
            found[-1]["after"] = line.removeprefix("  - after: ")
        elif line.startswith("#"):
            break
    return [one for one in found if one["before"] or one["after"]]


def measures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """A verdict's numbers for a table: before, after with its interval, and the control's."""
    control = {m["name"]: m for m in (report.get("control") or {}).get("measures", ())}
    return [_measure(m, control.get(m["name"])) for m in report.get("measures", ())]


def _measure(m: dict[str, Any], control: dict[str, Any] | None) -> dict[str, Any]:
    share = all(0 <= m[side] <= 1 for side in ("candidate", "incumbent")) and m["n"] > 0
    low, high = wilson_interval(m["candidate"] * m["n"], m["n"]) if share else (None, None)
    return {
        "name": m["name"], "before": m["incumbent"], "after": m["candidate"], "n": m["n"], "low": low, "high": high,
        "passed": m.get("passed", True), "decides": m.get("decides", False),
        "control": control["candidate"] if control else None,
    }  # fmt: skip
