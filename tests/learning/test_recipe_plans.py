"""Recipes before anything is trained: their files, what a machine has time for, and what is fed to KTO."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from learning.errors import RecipeInvalid
from learning.recipes.config import SHIPPED, KtoConfig, SftConfig, load_config, load_recipe
from learning.recipes.kto import balance, spread
from learning.recipes.planning import plan, tier
from learning.recipes.preferences import ranking
from learning.recipes.series import alarm
from learning.recipes.sft import train_sft
from tests.fakes.training import SFT, sft_rows, silent

# --- configurations


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*")), ids=lambda file: file.name)
def test_every_shipped_recipe_is_valid_and_tells_how_to_launch_it(file: Path) -> None:
    config = load_recipe(file)
    header = [line for line in file.read_text("utf-8").splitlines() if line.startswith("#")]
    launch = f"understudy train {config.recipe} --config learning/recipes/configs/{file.name} --dataset HASH --out DIR"
    assert file.suffix == ".yaml"
    assert f"# {launch}" in header
    assert file.name.startswith(config.recipe)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("recipe: sft\nlearning_rat: 0.1\n", "learning_rat: unknown key"),
        ("recipe: dpo\nlora: {rnk: 4}\n", "lora.rnk: unknown key"),
        ("recipe: sft\nbatch: many\n", "batch: input should be a valid integer"),
        ("recipe: kto\nbatch: 1\n", "batch: input should be greater than or equal to 2"),
        ("recipe: sft\nquantize: 8bit\n", "quantize: input should be 'none' or '4bit'"),
        ("recipe: sft\ncontext: world\n", "context: input should be 'sheet' or 'none'"),
        ("recipe: ppo\n", "recipe: 'ppo' is not one of sft, dpo, kto, rloo"),
        ("recipe: dpo\nloss: [sigmoid]\n", "loss_weights must give one number for each loss"),
        ("recipe: dpo\nloss: [robust]\nloss_weights: [1]\n", "label_smoothing must be above zero"),
        ("- a\n- list\n", "is not a list of keys and values"),
        ("recipe: [\n", "is not valid YAML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(RecipeInvalid) as refused:
        load_recipe(file)
    assert "mine.yaml" in str(refused.value)
    assert key in str(refused.value)


def test_another_recipe_than_sft_is_refused_where_sft_is_needed() -> None:
    with pytest.raises(RecipeInvalid, match=r"kto\.yaml: recipe: it is kto where sft is needed"):
        load_config(SHIPPED / "kto.yaml")


def test_four_bits_are_refused_in_a_sentence_without_a_cuda_card(tmp_path: Path, tiny_model: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA card")
    with pytest.raises(
        RecipeInvalid, match="4bit needs a CUDA graphics card, and this machine has none; set quantize: none"
    ):
        train_sft(tiny_model, sft_rows(4), SFT.model_copy(update={"quantize": "4bit"}), tmp_path / "out", silent)


@pytest.mark.gpu
def test_a_base_in_four_bits_trains_on_a_cuda_card(tmp_path: Path, tiny_model: Path) -> None:
    pytest.importorskip("bitsandbytes")
    found = train_sft(tiny_model, sft_rows(6), SFT.model_copy(update={"quantize": "4bit"}), tmp_path / "out", silent)
    assert found.losses[-1] < found.losses[0]


# --- planning


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"sft": 7, "pair": 29, "label": 59}, "context"),
        ({"sft": 8, "pair": 0, "label": 0}, "sft"),
        ({"sft": 8, "pair": 30, "label": 0}, "preference"),
        ({"sft": 0, "pair": 0, "label": 60}, "preference"),
        ({}, "context"),
    ],
)
def test_the_tier_follows_from_the_counts(counts: dict[str, int], expected: str) -> None:
    assert tier(counts) == expected


def _mixed(own: int, guards: int) -> list[dict[str, Any]]:
    return [*sft_rows(own), *[{**row, "source": "offline_teacher"} for row in sft_rows(guards, own)]]


def test_a_plan_keeps_everything_where_there_is_time() -> None:
    found = plan(SftConfig(epochs=3), _mixed(20, 100), [200] * 120, 200.0, minutes=10)
    assert (found.trains, found.epochs, len(found.keep), found.reason) == (True, 3, 120, "")
    assert found.seconds == pytest.approx(360)


def test_a_plan_gives_up_passes_before_rows() -> None:
    found = plan(SftConfig(epochs=5), _mixed(20, 100), [200] * 120, 200.0, minutes=6)
    assert (found.epochs, len(found.keep)) == (2, 120)
    assert found.seconds <= 6 * 60
    assert found.config(SftConfig(epochs=5, seed=9)) == SftConfig(epochs=2, seed=9)


def test_a_plan_keeps_the_tables_own_rows_and_the_short_ones_first() -> None:
    rows = _mixed(20, 100)
    tokens = [100 + 10 * (place % 7) for place in range(120)]
    found = plan(SftConfig(epochs=3), rows, tokens, 100.0, minutes=1)
    kept = found.rows(rows)
    assert found.epochs == 1
    assert sum(row["source"] == "gm" for row in kept) == 20
    assert 20 < len(kept) < 120
    assert max(tokens[place] for place in found.keep if place >= 20) < max(tokens)
    assert found.seconds <= 60
    assert "one pass over" in found.reason


def test_a_machine_too_slow_for_eight_rows_stays_with_examples() -> None:
    found = plan(SftConfig(epochs=3), _mixed(20, 100), [200] * 120, 1.0, minutes=5)
    assert not found.trains
    assert found.rows(_mixed(20, 100)) == []
    assert "goes on with examples in its prompt" in found.reason


def test_weights_and_references_cost_time() -> None:
    once, thrice = sft_rows(10), [{**row, "weight": 3} for row in sft_rows(10)]
    config = SftConfig(epochs=1)
    assert plan(config, thrice, [100] * 10, 50.0, 10).seconds == 3 * plan(config, once, [100] * 10, 50.0, 10).seconds
    assert plan(KtoConfig(), once, [100] * 10, 50.0, 10).seconds > plan(config, once, [100] * 10, 50.0, 10).seconds


def test_perplexity_far_above_the_nights_before_raises_the_alarm() -> None:
    assert alarm([8.0, None, 9.0, 8.5, 9.5]) == ""
    assert "Validation perplexity is 17, 2.0 times" in alarm([8.0, None, 9.0, 8.5, 17.0])
    assert alarm([8.0, 9.0, 30.0]) == "", "two nights are no series"
    assert alarm([]) == alarm([8.0, 8.0, 8.0, None]) == ""


# --- what is fed to KTO


@pytest.mark.parametrize("seed", range(4))
def test_variants_of_a_prompt_lie_in_different_batches(seed: int) -> None:
    sizes = {"a": 5, "b": 4, "c": 4, "d": 2, "e": 1, "f": 1, "g": 3}
    rows = [{"prompt": name, "completion": f"{name}{i}", "label": True} for name, n in sizes.items() for i in range(n)]
    dealt = spread(rows, 4, seed)
    batches = [dealt[at : at + 4] for at in range(0, len(dealt), 4)]
    assert Counter(row["completion"] for row in dealt) == Counter(row["completion"] for row in rows)
    assert all(len({row["prompt"] for row in batch}) == len(batch) for batch in batches)


def test_a_row_alone_in_the_last_batch_is_left_out() -> None:
    rows = [{"prompt": str(i % 3), "completion": str(i), "label": True} for i in range(9)]
    assert len(spread(rows, 4, 1)) == 8


@pytest.mark.parametrize(("liked", "disliked"), [(10, 50), (50, 10), (30, 30)])
def test_both_kinds_of_votes_count_alike(liked: int, disliked: int) -> None:
    desirable, undesirable = balance(liked, disliked)
    assert desirable * liked == pytest.approx(undesirable * disliked)


def test_the_rarer_kind_does_not_drown_the_other() -> None:
    assert balance(1, 59) == (6.0, 1.0)


def test_accuracy_is_the_share_of_couples_in_the_right_order() -> None:
    assert ranking([2.0, 0.0], [1.0, 0.0]) == pytest.approx(2.5 / 4)
    assert ranking([], [1.0]) is None
