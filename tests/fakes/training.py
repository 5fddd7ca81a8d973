"""Rows to train a tiny model on, and what is looked at when it was trained."""

import json
from pathlib import Path
from typing import Any

from learning.recipes.config import LoraSettings, SftConfig
from learning.starter.tokens import TEMPLATE

LORA = LoraSettings(rank=4, alpha=8)
SFT = SftConfig(lora=LORA, learning_rate=5e-3, epochs=3, batch=2, checkpoint_every=4, patience=5, threads=1)
_WORDS = "ale bell bridge cellar copper flood ferry guest lantern market".split()


def silent(done: float, left: float) -> None:
    pass


def sft_rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": f"Ana: What about the {_WORDS[i % 10]}, number {i}?\n", "weight": 1, "source": "gm", "signal": "edit",
             "completion": f"The {_WORDS[(i * 3) % 10]}? Aye, it stands by the river.{TEMPLATE.eos}"}
            for i in range(first, first + count)]  # fmt: skip


def pairs(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": row["prompt"], "weight": 1, "source": "gm", "signal": "edit", "chosen": row["completion"],
             "rejected": f"As an assistant I cannot say, number {i}.{TEMPLATE.eos}"}
            for i, row in enumerate(sft_rows(count, first))]  # fmt: skip


def labels(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": row["prompt"], "weight": 1, "source": "npc", "signal": "thumbs_up", "label": good,
             "completion": row["chosen"] if good else row["rejected"]}
            for row, good in ((row, i % 3 == 0) for i, row in enumerate(pairs(count, first)))]  # fmt: skip


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def distance(one: Path, other: Path) -> float:
    a, b = _weights(one), _weights(other)
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


class Interrupted(Exception):
    """Stands for a killed process: nothing after it runs."""


def until(share: float) -> Any:
    def progress(done: float, left: float) -> None:
        if done >= share:
            raise Interrupted

    return progress
