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
    folder = night.home.folder("runs") / str(read_lineage(file).get("run", ""))
    try:
        recipe = json.loads((folder / "recipe.json").read_text("utf-8"))["recipe"]
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    except (OSError, ValueError, KeyError):
        return None
    found = [line["validation_perplexity"] for line in lines if line["step"] and line.get("validation_perplexity")]
    return _finite(min(found)) if recipe == "sft" and found else None


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
