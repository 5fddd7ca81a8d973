"""Supervised fine-tuning: rows in, a PEFT adapter out. Reads from top to bottom.

TRL gets plain prompt and completion text that our renderer made, and applies no template of its
own. Rows that would be cut are counted before, because TRL drops them silently.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learning.errors import NothingToLearn
from learning.gguf.base_model import load_base
from learning.recipes.config import SftConfig


@dataclass(frozen=True)
class Trained:
    """What a training left behind.

    Attributes:
        folder: PEFT's adapter_config.json and adapter_model.safetensors.
        losses: mean training loss at every logged step.
        left_out: rows longer than the configuration allows.
        seconds: wall time, loading included.
    """

    folder: Path
    losses: tuple[float, ...]
    rows: int
    left_out: int
    seconds: float


Progress = Callable[[float, float], None]


def train_sft(base: Path, rows: Sequence[dict[str, Any]], config: SftConfig, out: Path, progress: Progress) -> Trained:
    """Train a LoRA adapter on a base model.

    Args:
        base: the GGUF that will serve the adapter.
        rows: dicts with prompt, completion and weight; a row of weight n is read n times an epoch.
        out: a folder for the adapter; it appears whole.
        progress: told (share done, seconds left).

    Raises:
        NothingToLearn: no row is left to train on.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    began = time.monotonic()
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig as Arguments
    from trl import SFTTrainer

    torch.set_num_threads(config.threads)
    model, tokenizer = load_base(base)
    fitting = [row for row in rows if _length(tokenizer, row) <= config.max_length]
    repeated = [row for row in fitting for _ in range(int(row.get("weight", 1)))]
    if not repeated:
        raise NothingToLearn("No row is left to learn from; play, approve or edit some lines first.")
    data = Dataset.from_list([{"prompt": row["prompt"], "completion": row["completion"]} for row in repeated])
    arguments = Arguments(
        output_dir=str(out.with_suffix(".work")), per_device_train_batch_size=config.batch,
        num_train_epochs=config.epochs, learning_rate=config.learning_rate, lr_scheduler_type="linear",
        warmup_steps=0.03, logging_steps=5, save_strategy="no", report_to=[], seed=config.seed,
        max_length=config.max_length, use_cpu=not torch.cuda.is_available(), bf16=torch.cuda.is_available(),
        gradient_checkpointing=False, disable_tqdm=True, completion_only_loss=True,
    )  # fmt: skip
    lora = LoraConfig(r=config.lora.rank, lora_alpha=config.lora.alpha, use_rslora=config.lora.rslora,
                      target_modules="all-linear", task_type="CAUSAL_LM")  # fmt: skip
    watch = _watch(began, config.minutes * 60, progress)
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer,
                         peft_config=lora, callbacks=[watch])  # fmt: skip
    trainer.train()
    _save(trainer.model, out, config)
    losses = tuple(float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry)
    return Trained(out, losses, len(fitting), len(rows) - len(fitting), time.monotonic() - began)


def _length(tokenizer: Any, row: dict[str, Any]) -> int:
    return len(tokenizer(row["prompt"] + row["completion"], add_special_tokens=False)["input_ids"])


def _save(model: Any, out: Path, config: SftConfig) -> None:
    """Write the adapter under a name of its own first: a killed night leaves no half adapter."""
    partial = out.with_suffix(".partial")
    model.save_pretrained(str(partial))
    (partial / "recipe.json").write_text(json.dumps(config.model_dump(), indent=2), "utf-8")
    partial.replace(out)


def _watch(began: float, seconds: float, progress: Progress) -> Any:
    """A trainer callback that reports progress and keeps the time box."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            spent = time.monotonic() - began
            done = state.global_step / max(state.max_steps, 1)
            progress(done, spent / done - spent if done else 0.0)
            if spent > seconds:
                control.should_training_stop = True

    return Watch()
