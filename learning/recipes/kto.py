"""Kahneman-Tversky optimisation: liked and disliked lines in, a PEFT adapter out. Reads from top to bottom.

It goes on with the supervised adapter, whose frozen copy TRL keeps as the reference (named `ref`; it
is not saved), or trains a fresh one against the bare base. TRL pairs every prompt with its neighbour's
answer to estimate how far the model has moved, so answers to one prompt must not be neighbours, and
a batch of one would be compared with itself.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learning.errors import NothingToLearn
from learning.recipes.config import KtoConfig
from learning.recipes.preferences import Start, ranks, start_model
from learning.recipes.run import Progress, Run, Trained
from learning.recipes.training import Row, common_arguments, fitting, prepare, repeated

_COLUMNS = ("prompt", "completion", "label")
_HEAVIEST = 6.0  # how much more one row of the rarer kind may count than one of the other


def train_kto(
    start: Start,
    rows: Sequence[Row],
    config: KtoConfig,
    out: Path,
    progress: Progress,
    *,
    validation: Sequence[Row] = (),
) -> Trained:
    """Train an adapter on lines that were liked or disliked.

    Args:
        start: the base, and the supervised adapter to go on with.
        rows: dicts with prompt, completion, label and weight; one of weight n is read n times.
        out: a folder for the adapter, new or empty; it appears whole. A call with the same arguments
            goes on with an interrupted one.
        progress: told (share done, seconds left) from the third step on, when a step's time is known.
        validation: rows the weights are chosen by, after every pass; without any the last ones are kept.

    Raises:
        NothingToLearn: not two rows are left to train on, or all are of one kind.
        LearningError: the base or the configuration cannot be used here, or `out` is taken.
    """
    prepare(config)
    from datasets import Dataset
    from trl import KTOConfig as Arguments
    from trl import KTOTrainer

    run = Run(out, config, progress)
    run.open([start.identity(), list(rows), list(validation)])
    model, tokenizer, lora = start_model(start, config)
    kept, left = fitting(tokenizer, rows, config.max_length, ("completion",))
    held, held_left = fitting(tokenizer, validation, config.max_length, ("completion",))
    data = spread(repeated(kept, _COLUMNS), config.batch, config.seed)
    liked = sum(row["label"] for row in data)
    if not liked or liked == len(data):
        raise NothingToLearn("Votes teach only where some lines are liked and some disliked; vote on more lines first.")
    if len(data) < sum(int(row.get("weight", 1)) for row in kept):
        left["one too many for the batches"] += 1
    checked = spread([{name: row[name] for name in _COLUMNS} for row in held], config.batch, config.seed)
    desirable, undesirable = balance(liked, len(data) - liked)
    arguments = Arguments(
        **common_arguments(config, run.work), loss_type=config.loss, beta=config.beta,
        desirable_weight=desirable, undesirable_weight=undesirable, train_sampling_strategy="sequential",
    )  # fmt: skip
    trainer = KTOTrainer(
        model=model, args=arguments, train_dataset=Dataset.from_list(data), peft_config=lora,
        eval_dataset=Dataset.from_list(checked) if checked else None, processing_class=tokenizer,
    )  # fmt: skip
    run.train(trainer, len(data), ranks(tokenizer, checked))
    return run.finish(len(kept), left, held_left)


def spread(rows: Sequence[dict[str, Any]], batch: int, seed: int) -> list[dict[str, Any]]:
    """Order rows so that rows of one prompt lie in different batches as far as there are enough batches.

    A row that would be alone in the last batch is left out, one of the prompt with the most rows.
    """
    by_prompt: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_prompt[row["prompt"]].append(row)
    rng = random.Random(seed)
    groups = [rng.sample(group, len(group)) for group in by_prompt.values()]
    rng.shuffle(groups)
    line = [row for group in sorted(groups, key=len, reverse=True) for row in group]
    if len(line) % batch == 1:
        line = line[1:]
    room = [min(batch, len(line) - first) for first in range(0, len(line), batch)]
    batches: list[list[dict[str, Any]]] = [[] for _ in room]
    at = 0
    for row in line:
        while len(batches[at % len(room)]) == room[at % len(room)]:
            at += 1
        batches[at % len(room)].append(row)
        at += 1
    return [row for dealt in batches for row in rng.sample(dealt, len(dealt))]


def balance(liked: int, disliked: int) -> tuple[float, float]:
    """The weights of a liked and of a disliked row that let both kinds count alike."""
    if liked < disliked:
        return min(disliked / liked, _HEAVIEST), 1.0
    return 1.0, min(liked / disliked, _HEAVIEST)
