"""Perplexity on an NPC's validation lines, night by night: what drifts is seen before it is heard."""

import json
import math
from pathlib import Path

from characters.inference.llama_cpp_engine import file_id
from db.queries import adapters
from learning.gguf.files import read_lineage
from learning.nightly.values import Night, Point
from learning.recipes.run import Trained


def perplexity_of(night: Night, file: Path, trained: Trained | None) -> float | None:
    """The validation perplexity of an adapter's supervised training, at its best step.

    Args:
        trained: the training as it ended; where another attempt of the night ended it, what it wrote
            is read.
    """
    if trained is not None:
        told = [evaluation.perplexity for evaluation in trained.evaluations if evaluation.step]
        return _finite(min(told)) if told else None
    told = [value for folder in _supervised(night, file) if (value := _best(folder)) is not None]
    return _finite(told[-1]) if told else None


def _supervised(night: Night, file: Path) -> list[Path]:
    """The supervised trainings on an adapter's dataset, oldest first; a preference stage names itself alone."""
    dataset = str(read_lineage(file).get("dataset", ""))
    notes = [
        note for note in night.home.root.glob("runs/run-*/dataset.json")
        if json.loads(note.read_text("utf-8")).get("dataset") == dataset
    ]  # fmt: skip
    return [note.parent for note in sorted(notes, key=lambda note: note.stat().st_mtime)]


def _best(folder: Path) -> float | None:
    """The lowest validation perplexity a training wrote down."""
    try:
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    except (OSError, ValueError):
        return None
    return min((line["validation_perplexity"] for line in lines
                if line["step"] and line.get("validation_perplexity")), default=None)  # fmt: skip


async def series(night: Night, adapter: str, tonight: float | None) -> tuple[Point, ...]:
    """The nights of an NPC on this base model, oldest first, tonight's last."""
    async with night.store.session() as session:
        known = await adapters.versions(session, night.campaign, night.npc)
    before = [
        Point(version.made_at.isoformat(), version.adapter, version.report.get("perplexity"))
        for version in reversed(known)
        if version.adapter != adapter and version.base_id == file_id(night.base)
    ]
    return (*before, Point(night.now.isoformat(), adapter, tonight))


def _finite(value: float) -> float | None:
    """A number JSON can hold."""
    return value if math.isfinite(value) else None
