"""Supervised fine-tuning: rows in, a PEFT adapter out. Reads from top to bottom.

TRL gets plain prompt and completion text that our renderer made, and applies no template of its
own. Rows that would be cut are counted before, because TRL cuts and drops them silently.
"""

from collections.abc import Sequence
from pathlib import Path

from characters.inference.llama_cpp_engine import file_id
from learning.errors import NothingToLearn
from learning.recipes.batching import batched_by_length
from learning.recipes.config import SftConfig
from learning.recipes.run import Progress, Run, Trained
from learning.recipes.training import Row, common_arguments, fitting, fresh_lora, load_model, prepare, repeated

__all__ = ["Progress", "Trained", "train_sft"]

_COLUMNS = ("prompt", "completion")


def train_sft(
    base: Path, rows: Sequence[Row], config: SftConfig, out: Path, progress: Progress, *, validation: Sequence[Row] = ()
) -> Trained:
    """Train a LoRA adapter on a base model.

    Args:
        base: the GGUF that will serve the adapter.
        rows: dicts with prompt, completion and weight; a row of weight n is read n times an epoch.
        out: a folder for the adapter, new or empty; it appears whole. A call with the same arguments
            goes on with an interrupted one.
        progress: told (share done, seconds left) from the third step on, when a step's time is known.
        validation: rows the weights are chosen by, after every pass; without any the last ones are kept.

    Raises:
        NothingToLearn: no row is left to train on.
        LearningError: the base or the configuration cannot be used here, or `out` is taken.
    """
    prepare(config)
    from datasets import Dataset
    from trl import SFTConfig as Arguments
    from trl import SFTTrainer

    run = Run(out, config, progress)
    run.open([file_id(base), list(rows), list(validation)])
    model, tokenizer = load_model(base, config)
    kept, left = fitting(tokenizer, rows, config.max_length, ("completion",))
    held, held_left = fitting(tokenizer, validation, config.max_length, ("completion",))
    if not kept:
        raise NothingToLearn("No row is left to learn from; play, approve or edit some lines first.")
    data = repeated(kept, _COLUMNS)
    arguments = Arguments(**common_arguments(config, run.work), completion_only_loss=True)
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(data), peft_config=fresh_lora(config),
        eval_dataset=Dataset.from_list([{name: row[name] for name in _COLUMNS} for row in held]) if held else None,
        processing_class=tokenizer,
    )  # fmt: skip
    batched_by_length(trainer, config.seed)
    run.train(trainer, len(data))
    return run.finish(len(kept), left, held_left)
