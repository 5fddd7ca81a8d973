"""Batches of like length, and answers scored alone, teach the same as TRL's own way and cost less."""

from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from learning.recipes.batching import NearLengths, near_lengths, score_answers_alone

LENGTHS = [250 + (place * 137) % 400 for place in range(100)]


def padded(order: list[int], batch: int = 8) -> int:
    return sum(max(LENGTHS[p] for p in order[at : at + batch]) * len(order[at : at + batch]) for at in range(0, len(order), batch))


def test_every_row_comes_once_an_epoch_in_another_order_and_again_the_same_when_a_run_goes_on() -> None:
    sampler = NearLengths(LENGTHS, 8, 3)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    resumed = NearLengths(LENGTHS, 8, 3)
    resumed.set_epoch(1)
    assert list(resumed) == second


def test_little_is_padded_and_long_rows_do_not_come_first() -> None:
    order = near_lengths(LENGTHS, 8, 3)
    assert padded(order) < 1.15 * sum(LENGTHS) < padded(list(range(100)))
    means = [sum(LENGTHS[p] for p in order[at : at + 8]) / 8 for at in range(0, 96, 8)]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


def test_the_loss_of_answers_scored_alone_is_that_of_all_tokens(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from trl.trainer import utils

    model = AutoModelForCausalLM.from_pretrained(tiny_model.parent, gguf_file=tiny_model.name)
    utils.add_fused_lm_head(model)
    ids = torch.randint(5, 60, (2, 24))
    labels = ids.clone()
    labels[:, :15] = -100
    monkeypatch.setattr(utils, "_use_triton", utils._use_triton)  # put back afterwards
    found = []
    for alone in (False, True):
        if alone:
            score_answers_alone()
        else:
            monkeypatch.setattr(utils, "_use_triton", lambda device: False)
        model.zero_grad()
        loss = -model(input_ids=ids, labels=labels, fused_lm_head=True).log_probs.sum()
        loss.backward()
        found.append((loss.item(), model.model.layers[0].mlp.up_proj.weight.grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)
