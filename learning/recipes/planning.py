"""Fits a night into the time there is: which tier the data allows, what the machine manages, what is trained.

A plan keeps, in this order: every row and every pass; every row and fewer passes; the rows that one
pass has time for, the table's own first and short ones before long ones; nothing, in one sentence.
"""

import itertools
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from db.tonight import FIRST_LABELS, FIRST_PAIRS, FIRST_TRAINING
from learning.errors import NothingToLearn
from learning.recipes.batching import near_lengths
from learning.recipes.config import DpoConfig, KtoConfig, SftConfig, TrainingConfig
from learning.recipes.training import Row, common_arguments, count_tokens, fitting, fresh_lora, load_model, prepare

Tier = Literal["context", "sft", "preference"]
C = TypeVar("C", bound=TrainingConfig)
T = TypeVar("T")

_USABLE = 0.8  # of the time box; the rest is loading, evaluating and saving
_OWN_SHARE = 0.6  # of a pass that has not time for all: the table's rows, the rest guards what was known before
_GUARDS = {"teacher", "offline_teacher"}
_ANSWERS = {"sft": ("completion",), "dpo": ("chosen", "rejected"), "kto": ("completion",)}
# What a token costs against supervised training (forward and back): the reference reads it too, and for
# KTO both read it a second time behind another prompt.
_COST = {"sft": 1.0, "dpo": 1.5, "kto": 2.5}


@dataclass(frozen=True)
class Plan:
    """What is trained in the time there is.

    Attributes:
        epochs: passes over the rows; 0 where nothing is trained.
        keep: the places of the rows to train on, in their order.
        longest: tokens of the longest row among them.
        seconds: how long it should take, loading and saving not counted.
        reason: one sentence where it is less than what was configured, else "".
    """

    epochs: float
    keep: tuple[int, ...]
    longest: int
    seconds: float
    reason: str = ""

    @property
    def trains(self) -> bool:
        """Whether anything is trained; else the NPC goes on with examples in its prompt."""
        return self.epochs > 0 and bool(self.keep)

    def rows(self, rows: Sequence[T]) -> list[T]:
        """The rows to train on, of those that were planned with."""
        return [rows[place] for place in self.keep]

    def config(self, config: C) -> C:
        """The configuration with the plan's passes."""
        return config.model_copy(update={"epochs": self.epochs})


@dataclass(frozen=True)
class Speed:
    """What a machine manages with a base.

    Attributes:
        tokens_per_second: of supervised training, padding not counted.
        tokens_per_row: of every row that was measured with, in their order.
    """

    tokens_per_second: float
    tokens_per_row: tuple[int, ...]


def tier(counts: Mapping[str, int]) -> Tier:
    """The furthest stage the data allows.

    Args:
        counts: trainable rows that people made, by kind: sft, pair, label.
    """
    if counts.get("pair", 0) >= FIRST_PAIRS or counts.get("label", 0) >= FIRST_LABELS:
        return "preference"
    return "sft" if counts.get("sft", 0) >= FIRST_TRAINING else "context"


def plan(
    config: SftConfig | DpoConfig | KtoConfig,
    rows: Sequence[Row],
    tokens_per_row: Sequence[int],
    tokens_per_second: float,
    minutes: float,
) -> Plan:
    """Fit rows and passes into a time box.

    Args:
        rows: with weight (a row of weight n is read n times a pass) and source.
        tokens_per_row: of prompt and answers, one number a row.
        tokens_per_second: of supervised training on this machine, as `measure_speed` finds it.
        minutes: the time box.
    """
    readings = [int(row.get("weight", 1)) for row in rows]
    cost = [_COST[config.recipe] * tokens * times / tokens_per_second
            for tokens, times in zip(tokens_per_row, readings, strict=True)]  # fmt: skip
    places = _fitting(config, tokens_per_row)
    usable, one_pass = minutes * 60 * _USABLE, sum(cost[place] for place in places)
    longest = max((tokens_per_row[place] for place in places), default=0)
    whole = Plan(config.epochs, tuple(places), longest, config.epochs * one_pass)
    if whole.seconds <= usable:
        return whole
    if one_pass <= usable:
        passes = int(usable / one_pass)
        named = "one pass" if passes == 1 else f"{passes} passes"
        reason = f"In {minutes:g} min there is time for {named} over {len(places)} rows, not for {config.epochs:g}."
        return replace(whole, epochs=float(passes), seconds=passes * one_pass, reason=reason)
    return _shortened(config, rows, tokens_per_row, cost, usable)


def _shortened(
    config: SftConfig | DpoConfig | KtoConfig,
    rows: Sequence[Row],
    tokens_per_row: Sequence[int],
    cost: Sequence[float],
    usable: float,
) -> Plan:
    """One pass over as many rows as there is time for."""
    short_first = sorted(_fitting(config, tokens_per_row), key=lambda place: tokens_per_row[place])
    guards = [place for place in short_first if rows[place].get("source") in _GUARDS]
    own = [place for place in short_first if rows[place].get("source") not in _GUARDS]
    ours = list(_within(own, cost, usable * (_OWN_SHARE if guards else 1.0)))
    others = list(_within(guards, cost, usable - sum(cost[place] for place in ours)))
    keep = tuple(sorted([*ours, *others]))
    if len(ours) < min(len(own), FIRST_TRAINING) or not keep:
        share = (_OWN_SHARE if guards else 1.0) * _USABLE * 60
        needed = sum(cost[place] for place in own[:FIRST_TRAINING]) / share
        return Plan(0, (), 0, 0.0, (
            f"This machine would need {needed:.1f} min for {FIRST_TRAINING} rows and has {usable / _USABLE / 60:g}; "
            "the NPC goes on with examples in its prompt."
        ))  # fmt: skip
    longest = max(tokens_per_row[place] for place in keep)
    return Plan(min(1.0, config.epochs), keep, longest, sum(cost[place] for place in keep), (
        f"In {usable / _USABLE / 60:g} min there is time for one pass over {len(keep)} of {len(short_first)} rows, "
        f"{len(ours)} of them the table's own, none longer than {longest} tokens."
    ))  # fmt: skip


def _fitting(config: SftConfig | DpoConfig | KtoConfig, tokens_per_row: Sequence[int]) -> list[int]:
    """The places of the rows that the recipe does not leave out for their length."""
    most = config.max_length * len(_ANSWERS[config.recipe])
    return [place for place, tokens in enumerate(tokens_per_row) if 0 < tokens <= most]


def _within(places: Sequence[int], cost: Sequence[float], seconds: float) -> Iterator[int]:
    """The first places that together cost no more than so many seconds."""
    spent = itertools.accumulate(cost[place] for place in places)
    return (place for place, so_far in zip(places, spent, strict=True) if so_far <= seconds)


def measure_speed(base: Path, rows: Sequence[Row], config: SftConfig | DpoConfig | KtoConfig, steps: int = 3) -> Speed:
    """Train a few supervised steps on rows like the night's and throw the result away.

    Args:
        rows: with prompt and the recipe's answers; batches are drawn evenly over those that fit.
        steps: timed steps; one more warms up.

    Raises:
        NothingToLearn: no row fits.
        LearningError: the base or the configuration cannot be used here.
    """
    prepare(config)
    from datasets import Dataset
    from trl import SFTConfig as Arguments
    from trl import SFTTrainer

    model, tokenizer = load_model(base, config)
    answers = _ANSWERS[config.recipe]
    tokens = tuple(sum(count_tokens(tokenizer, row["prompt"] + row[answer]) for answer in answers) for row in rows)
    kept, _ = fitting(tokenizer, rows, config.max_length, answers)
    if not kept:
        raise NothingToLearn("No row is left to learn from; play, approve or edit some lines first.")
    wanted = config.batch * (steps + 1)
    drawn = [kept[at * len(kept) // wanted] for at in random.Random(config.seed).sample(range(wanted), wanted)]
    lengths = [count_tokens(tokenizer, row["prompt"] + row[answers[0]]) for row in drawn]
    drawn = [drawn[place] for place in near_lengths(lengths, config.batch, config.seed)]
    data = [{"prompt": row["prompt"], "completion": row[answers[0]]} for row in drawn]
    with tempfile.TemporaryDirectory() as folder:
        told = {**common_arguments(config, Path(folder)), "save_strategy": "no", "num_train_epochs": 1,
                "train_sampling_strategy": "sequential", "completion_only_loss": True}  # fmt: skip
        trainer = SFTTrainer(
            model=model, args=Arguments(**told), train_dataset=Dataset.from_list(data), processing_class=tokenizer,
            peft_config=fresh_lora(config),
        )  # fmt: skip
        ends = _step_ends(trainer)
        trainer.train()
    timed = sum(count_tokens(tokenizer, row["prompt"] + row["completion"]) for row in data[config.batch :])
    return Speed(timed / (ends[-1] - ends[0]), tokens)


def _step_ends(trainer: Any) -> list[float]:
    """A list that fills with the moments the trainer's steps end at, seconds."""
    from transformers import PrinterCallback, TrainerCallback

    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            ends.append(time.perf_counter())

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Clock())
    return ends
