"""Spares a processor what teaches nothing: padding, and the scoring of prompts.

Rows of a table are 250 to 700 tokens long; batches drawn at random are a quarter padding. And TRL, without a
graphics card, scores every token of a prompt before it throws those scores away, a third of a step.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

_WINDOW = 4  # batches whose rows are sorted among themselves; more would leave too little to chance


def near_lengths(lengths: Sequence[int], batch: int, seed: int) -> list[int]:
    """Places in an order that is shuffled, and yet has rows of like length in each batch.

    Args:
        lengths: tokens of every row.
        batch: rows a batch.
    """
    rng = random.Random(seed)
    places = list(range(len(lengths)))
    rng.shuffle(places)
    ordered: list[list[int]] = []
    for at in range(0, len(places), batch * _WINDOW):
        window = sorted(places[at : at + batch * _WINDOW], key=lambda place: lengths[place])
        ordered += [window[start : start + batch] for start in range(0, len(window), batch)]
    whole = [rows for rows in ordered if len(rows) == batch]
    rng.shuffle(whole)
    return [place for rows in [*whole, *(rows for rows in ordered if len(rows) < batch)] for place in rows]


class NearLengths:
    """A sampler of `near_lengths`: another order every epoch, and the same one again when a run goes on."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed, self._epoch = lengths, batch, seed, 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(near_lengths(self._lengths, self._batch, self._seed * 1_000_003 + self._epoch))

    def set_epoch(self, epoch: int) -> None:
        """Told by the trainer's loader at the beginning of an epoch."""
        self._epoch = epoch


def batched_by_length(trainer: Any, seed: int) -> None:
    """Let a trainer draw its batches so."""

    def sampler(dataset: Any = None) -> NearLengths:
        rows = trainer.train_dataset if dataset is None else dataset
        return NearLengths([len(ids) for ids in rows["input_ids"]], trainer.args.train_batch_size, seed)

    trainer._get_train_sampler = sampler


def score_answers_alone() -> None:
    """Let TRL score the tokens that count, on a processor too; the loss is the same to the last digit it can be."""
    from trl.trainer import utils

    setattr(utils, "_use_triton", lambda device: True)  # noqa: B010  (asked there for nothing else; see the test)
