"""Direct preference optimisation: pairs in, a PEFT adapter out. Reads from top to bottom.

It goes on with the supervised adapter, whose frozen copy TRL keeps as the reference (named `ref`; it
is not saved), or trains a fresh one against the bare base.
"""

from collections.abc import Sequence
from pathlib import Path

from learning.errors import NothingToLearn
from learning.recipes.config import DpoConfig
from learning.recipes.preferences import Start, start_model
from learning.recipes.run import Progress, Run, Trained
from learning.recipes.training import Row, common_arguments, fitting, prepare, repeated

_COLUMNS = ("prompt", "chosen", "rejected")
_ANSWERS = ("chosen", "rejected")


def train_dpo(
    start: Start,
    rows: Sequence[Row],
    config: DpoConfig,
    out: Path,
    progress: Progress,
    *,
    validation: Sequence[Row] = (),
) -> Trained:
    """Train an adapter to prefer the better of two answers.

    Args:
        start: the base, and the supervised adapter to go on with.
        rows: dicts with prompt, chosen, rejected, weight and signal; one of weight n is read n times.
        out: a folder for the adapter, new or empty; it appears whole. A call with the same arguments
            goes on with an interrupted one.
        progress: told (share done, seconds left) from the third step on, when a step's time is known.
        validation: pairs the weights are chosen by, after every pass; without any the last ones are kept.

    Raises:
        NothingToLearn: no pair is left to train on.
        LearningError: the base or the configuration cannot be used here, or `out` is taken.
    """
    prepare(config)
    from datasets import Dataset
    from trl import DPOConfig as Arguments
    from trl import DPOTrainer

    run = Run(out, config, progress)
    run.open([start.identity(), list(rows), list(validation)])
    wanted = [row for row in rows if not config.signals or row.get("signal") in config.signals]
    held = [row for row in validation if not config.signals or row.get("signal") in config.signals]
    model, tokenizer, lora = start_model(start, config)
    kept, left = fitting(tokenizer, wanted, config.max_length, _ANSWERS)
    held, held_left = fitting(tokenizer, held, config.max_length, _ANSWERS)
    if len(wanted) < len(rows):
        left[f"not from {' or '.join(config.signals)}"] = len(rows) - len(wanted)
    if not kept:
        raise NothingToLearn("No pair is left to learn from; edit some lines, or keep one of several takes, first.")
    data = repeated(kept, _COLUMNS)
    arguments = Arguments(
        **common_arguments(config, run.work), loss_type=list(config.loss), loss_weights=list(config.loss_weights),
        label_smoothing=config.label_smoothing, beta=config.beta,
    )  # fmt: skip
    trainer = DPOTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(data), peft_config=lora,
        eval_dataset=Dataset.from_list([{name: row[name] for name in _COLUMNS} for row in held]) if held else None,
        processing_class=tokenizer,
    )  # fmt: skip
    run.train(trainer, len(data))
    return run.finish(len(kept), left, held_left)
