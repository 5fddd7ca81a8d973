"""What every recipe does before it trains: set the process up, load the base, choose the rows that fit."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learning.errors import RecipeInvalid
from learning.gguf.base_model import load_base
from learning.recipes.batching import score_answers_alone
from learning.recipes.config import TrainingConfig

_NICE = 10

Row = Mapping[str, Any]


def lower_priority() -> None:
    """Let everything else on the machine go first, once; for the process that trains."""
    if hasattr(os, "nice"):
        os.nice(max(0, _NICE - os.nice(0)))


def prepare(config: TrainingConfig) -> None:
    """Set the process up, before the first heavy import of a recipe.

    Raises:
        RecipeInvalid: the configuration asks for what this machine does not have.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import datasets
    import torch

    score_answers_alone()
    if config.quantize == "4bit" and not torch.cuda.is_available():
        raise RecipeInvalid("quantize: 4bit needs a CUDA graphics card, and this machine has none; set quantize: none.")
    datasets.disable_progress_bars()
    torch.set_num_threads(config.threads)


def load_model(base: Path, config: TrainingConfig) -> tuple[Any, Any]:
    """The base and its tokenizer, ready for an adapter; everything random after this follows the seed."""
    from transformers import set_seed

    model, tokenizer = load_base(base)
    model.register_forward_pre_hook(_without_mask, with_kwargs=True)
    if config.quantize == "4bit":
        from learning.recipes.four_bits import in_four_bits

        model = in_four_bits(model)
    set_seed(config.seed)
    return model, tokenizer


def _without_mask(_model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Leave the attention mask out: rows are padded at their end, and no token looks ahead.

    Attention with a mask takes the slow path. Where padding comes first the mask stays.
    """
    mask = kwargs.get("attention_mask")
    if mask is not None and mask.dim() == 2 and bool((mask[:, 1:] <= mask[:, :-1]).all()):
        kwargs = {**kwargs, "attention_mask": None}
    return args, kwargs


def fresh_lora(config: TrainingConfig) -> Any:
    """The shape of an adapter that starts at nothing."""
    from peft import LoraConfig

    return LoraConfig(r=config.lora.rank, lora_alpha=config.lora.alpha, use_rslora=config.lora.rslora,
                      target_modules="all-linear", task_type="CAUSAL_LM")  # fmt: skip


def fitting(
    tokenizer: Any, rows: Sequence[Row], max_length: int, answers: Sequence[str]
) -> tuple[list[Row], Counter[str]]:
    """The rows that are trained on whole, and how many are not, by reason; TRL would cut or drop them silently.

    Args:
        answers: the columns that follow the prompt, each on its own.
    """
    kept: list[Row] = []
    left: Counter[str] = Counter()
    for row in rows:
        if reason := _why_not(tokenizer, row, max_length, answers):
            left[reason] += 1
        else:
            kept.append(row)
    return kept, left


def _why_not(tokenizer: Any, row: Row, max_length: int, answers: Sequence[str]) -> str:
    if int(row.get("weight", 1)) < 1:
        return "weight of zero"
    if any(not row[answer].strip() for answer in answers):
        return "empty answer"
    if len(answers) > 1 and len({row[answer] for answer in answers}) == 1:
        return "both answers are the same"
    if any(count_tokens(tokenizer, row["prompt"] + _ended(row[answer], tokenizer)) > max_length for answer in answers):
        return f"longer than {max_length} tokens"
    return ""


def _ended(answer: str, tokenizer: Any) -> str:
    """The answer as TRL reads it: it ends every answer that does not end."""
    return answer if answer.endswith(tokenizer.eos_token) else str(answer + tokenizer.eos_token)


def count_tokens(tokenizer: Any, text: str) -> int:
    """Tokens of a rendered text, nothing added."""
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


def repeated(rows: Sequence[Row], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The columns a trainer reads; a row of weight n comes n times."""
    return [{column: row[column] for column in columns} for row in rows for _ in range(int(row.get("weight", 1)))]


def common_arguments(config: TrainingConfig, work: Path) -> dict[str, Any]:
    """The arguments that TRL's trainers share."""
    import torch

    from learning.processor import multiplies_bfloat16

    cuda = torch.cuda.is_available()
    return {
        "output_dir": str(work), "num_train_epochs": config.epochs, "learning_rate": config.learning_rate,
        "per_device_train_batch_size": config.batch, "per_device_eval_batch_size": config.batch,
        "lr_scheduler_type": "linear", "warmup_steps": 0.03, "logging_steps": 1, "logging_nan_inf_filter": False,
        "save_strategy": "steps", "save_steps": config.checkpoint_every, "save_total_limit": 2,
        "eval_strategy": "no", "prediction_loss_only": True, "report_to": [], "seed": config.seed,
        "data_seed": config.seed, "max_length": config.max_length, "disable_tqdm": True, "use_cpu": not cuda,
        "bf16": torch.cuda.is_bf16_supported() if cuda else multiplies_bfloat16(),
        "gradient_checkpointing": config.save_memory,
    }  # fmt: skip
