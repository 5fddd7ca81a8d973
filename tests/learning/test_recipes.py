"""Recipes on a tiny model: the real trainers, a few steps each."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from learning.datasets.snapshot import DatasetMissing
from learning.errors import LearningError, NothingToLearn, RecipeInvalid
from learning.recipes.config import SHIPPED, DpoConfig, KtoConfig, LoraSettings, SftConfig, load_config, load_recipe
from learning.recipes.kto import balance, spread, train_kto
from learning.recipes.planning import measure_speed, plan, tier
from learning.recipes.preferences import Start, ranking
from learning.recipes.series import alarm
from learning.recipes.sft import train_sft
from learning.starter.tokens import TEMPLATE

_LORA = LoraSettings(rank=4, alpha=8)
_SFT = SftConfig(lora=_LORA, learning_rate=5e-3, epochs=3, batch=2, checkpoint_every=4, patience=5, threads=1)
_WORDS = "ale bell bridge cellar copper flood ferry guest lantern market".split()


def _silent(done: float, left: float) -> None:
    pass


def _sft_rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": f"Ana: What about the {_WORDS[i % 10]}, number {i}?\n", "weight": 1, "source": "gm", "signal": "edit",
             "completion": f"The {_WORDS[(i * 3) % 10]}? Aye, it stands by the river.{TEMPLATE.eos}"}
            for i in range(first, first + count)]  # fmt: skip


def _pairs(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": row["prompt"], "weight": 1, "source": "gm", "signal": "edit", "chosen": row["completion"],
             "rejected": f"As an assistant I cannot say, number {i}.{TEMPLATE.eos}"}
            for i, row in enumerate(_sft_rows(count, first))]  # fmt: skip


def _labels(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": row["prompt"], "weight": 1, "source": "npc", "signal": "thumbs_up", "label": good,
             "completion": row["chosen"] if good else row["rejected"]}
            for row, good in ((row, i % 3 == 0) for i, row in enumerate(_pairs(count, first)))]  # fmt: skip


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def _distance(one: Path, other: Path) -> float:
    a, b = _weights(one), _weights(other)
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def _told(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


class Interrupted(Exception):
    """Stands for a killed process: nothing after it runs."""


def _until(share: float) -> Any:
    def progress(done: float, left: float) -> None:
        if done >= share:
            raise Interrupted

    return progress


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
        train_sft(tiny_model, _sft_rows(4), _SFT.model_copy(update={"quantize": "4bit"}), tmp_path / "out", _silent)


@pytest.mark.gpu
def test_a_base_in_four_bits_trains_on_a_cuda_card(tmp_path: Path, tiny_model: Path) -> None:
    pytest.importorskip("bitsandbytes")
    found = train_sft(tiny_model, _sft_rows(6), _SFT.model_copy(update={"quantize": "4bit"}), tmp_path / "out", _silent)
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
    return [*_sft_rows(own), *[{**row, "source": "offline_teacher"} for row in _sft_rows(guards, own)]]


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
    once, thrice = _sft_rows(10), [{**row, "weight": 3} for row in _sft_rows(10)]
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


# --- training


@pytest.mark.parametrize("last_checkpoint", ["whole", "half"])
def test_an_interrupted_training_ends_as_the_straight_one(
    tmp_path: Path, tiny_model: Path, last_checkpoint: str
) -> None:
    rows, held = _sft_rows(12), _sft_rows(4, 12)
    straight = train_sft(tiny_model, rows, _SFT, tmp_path / "straight", _silent, validation=held)
    with pytest.raises(Interrupted):
        train_sft(tiny_model, rows, _SFT, tmp_path / "resumed", _until(0.55), validation=held)
    assert not (tmp_path / "resumed").exists()
    if last_checkpoint == "half":
        checkpoint = tmp_path / "resumed.work" / "checkpoint-8"
        (checkpoint / "whole").unlink()
        (checkpoint / "optimizer.pt").unlink()
    resumed = train_sft(tiny_model, rows, _SFT, tmp_path / "resumed", _silent, validation=held)
    assert _distance(straight.folder, resumed.folder) < 1e-6
    assert resumed.losses == pytest.approx(straight.losses, abs=1e-6)
    assert (resumed.best_step, len(resumed.losses)) == (straight.best_step, 18)
    assert [line["step"] for line in _told(resumed.folder)] == [line["step"] for line in _told(straight.folder)]


def test_another_dataset_does_not_go_on_with_what_was_interrupted(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(Interrupted):
        train_sft(tiny_model, _sft_rows(12), _SFT, tmp_path / "out", _until(0.55))
    fresh = train_sft(tiny_model, _sft_rows(8, 40), _SFT, tmp_path / "out", _silent)
    assert len(fresh.losses) == 12


def test_the_weights_of_the_best_validation_loss_are_kept_and_training_stops_when_it_rises(
    tmp_path: Path, tiny_model: Path
) -> None:
    config = _SFT.model_copy(update={"epochs": 12, "learning_rate": 3e-2, "patience": 2})
    held = [{**row, "completion": f"Quite another thing altogether, {i * 37}!{TEMPLATE.eos}"}
            for i, row in enumerate(_sft_rows(4, 50))]  # fmt: skip
    found = train_sft(tiny_model, _sft_rows(6), config, tmp_path / "out", _silent, validation=held)
    evaluated = [evaluation for evaluation in found.evaluations if evaluation.step]
    assert found.stopped == "patience"
    assert len(found.losses) < 36
    assert found.best_step == min(evaluated, key=lambda evaluation: evaluation.loss).step
    assert evaluated[-1].step == found.best_step + 2 * 3
    lines = {line["step"]: line for line in _told(found.folder) if "validation_loss" in line}
    assert lines[found.best_step]["validation_perplexity"] > 1
    assert found.evaluations[0].step == 0


def test_rows_that_would_be_cut_or_dropped_are_counted_by_reason(tmp_path: Path, tiny_model: Path) -> None:
    long, empty, mute = _sft_rows(3, 20)
    rows = [*_sft_rows(4), {**long, "completion": "word " * 2000}, {**empty, "completion": " "}, {**mute, "weight": 0}]
    found = train_sft(
        tiny_model, rows, _SFT.model_copy(update={"epochs": 1}), tmp_path / "out", _silent, validation=[long, rows[4]]
    )
    assert (found.rows, found.left_out) == (4, 3)
    assert found.reasons == {"longer than 1024 tokens": 1, "empty answer": 1, "weight of zero": 1,
                             "for validation: longer than 1024 tokens": 1}  # fmt: skip


def test_a_row_of_weight_three_is_read_three_times(tmp_path: Path, tiny_model: Path) -> None:
    rows = [{**row, "weight": 3} for row in _sft_rows(4)]
    found = train_sft(tiny_model, rows, _SFT.model_copy(update={"epochs": 1}), tmp_path / "out", _silent)
    assert (found.rows, len(found.losses)) == (4, 6)


def test_the_adapter_appears_whole_and_the_workplace_is_gone(tmp_path: Path, tiny_model: Path) -> None:
    seen: list[tuple[float, float, bool]] = []

    def progress(done: float, left: float) -> None:
        seen.append((done, left, (tmp_path / "out").exists()))

    train_sft(tiny_model, _sft_rows(6), _SFT, tmp_path / "out", progress)
    assert [entry for entry in seen if entry[2]] == [(1.0, 0.0, True)]
    assert all(left > 0 for done, left, _ in seen if done < 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "metrics.jsonl", "recipe.json",
    }  # fmt: skip
    with pytest.raises(LearningError, match="holds something already"):
        train_sft(tiny_model, _sft_rows(6), _SFT, tmp_path / "out", _silent)


def test_training_stops_at_the_end_of_its_time_box_with_what_it_has(tmp_path: Path, tiny_model: Path) -> None:
    config = _SFT.model_copy(update={"minutes": 1e-4})
    found = train_sft(tiny_model, _sft_rows(12), config, tmp_path / "out", _silent, validation=_sft_rows(2, 30))
    assert (found.stopped, len(found.losses), found.best_step) == ("time", 1, 1)
    assert (found.folder / "adapter_model.safetensors").is_file()


def test_speed_is_measured_on_real_steps(tiny_model: Path) -> None:
    rows = _sft_rows(5)
    found = measure_speed(tiny_model, rows, _SFT)
    assert found.tokens_per_second > 0
    assert len(found.tokens_per_row) == 5
    assert measure_speed(tiny_model, _pairs(5), DpoConfig(batch=2)).tokens_per_row > found.tokens_per_row


# --- preferences


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """An adapter of `sft` to go on with."""
    out = tmp_path_factory.mktemp("supervised") / "sft"
    return train_sft(tiny_model, _sft_rows(6), _SFT, out, _silent).folder


_DPO = DpoConfig(lora=_LORA, learning_rate=5e-3, epochs=3, batch=4, checkpoint_every=2, threads=1)


def test_dpo_goes_on_with_the_supervised_adapter_and_saves_it_alone(
    tmp_path: Path, tiny_model: Path, supervised: Path
) -> None:
    from learning.recipes.dpo import train_dpo

    held, start = _pairs(4, 20), Start(tiny_model, supervised)
    found = train_dpo(start, _pairs(12), _DPO, tmp_path / "straight", _silent, validation=held)
    first, *_, last = found.evaluations
    assert (first.margin, first.accuracy) == (pytest.approx(0, abs=1e-5), pytest.approx(0, abs=0.6))
    assert last.margin is not None
    assert last.margin > 0.05
    assert last.accuracy == 1.0
    assert found.margin is not None
    assert not [path for path in found.folder.iterdir() if path.is_dir()]
    assert 0 < _distance(found.folder, supervised) < 0.2
    assert {"margin", "accuracy", "loss"} <= set(_told(found.folder)[1])
    with pytest.raises(Interrupted):
        train_dpo(start, _pairs(12), _DPO, tmp_path / "resumed", _until(0.5), validation=held)
    resumed = train_dpo(start, _pairs(12), _DPO, tmp_path / "resumed", _silent, validation=held)
    assert _distance(found.folder, resumed.folder) < 1e-6


def test_robust_dpo_on_kept_takes_trains_a_fresh_adapter(tmp_path: Path, tiny_model: Path) -> None:
    from learning.recipes.dpo import train_dpo

    takes = {
        "loss": ("robust",),
        "loss_weights": (1.0,),
        "label_smoothing": 0.1,
        "signals": ("keep",),
        "save_memory": True,
    }
    rows = [*[{**row, "signal": "keep"} for row in _pairs(8)], *_pairs(3, 30)]
    rows[0]["rejected"] = rows[0]["chosen"]
    found = train_dpo(Start(tiny_model), rows, _DPO.model_copy(update=takes), tmp_path / "out", _silent)
    assert found.rows == 7
    assert found.reasons == {"both answers are the same": 1, "not from keep": 3}
    assert found.margin is not None
    assert found.margin > 0


def test_kto_learns_from_votes_and_tells_accuracy_and_margin(
    tmp_path: Path, tiny_model: Path, supervised: Path
) -> None:
    config = KtoConfig(lora=_LORA, learning_rate=5e-3, epochs=4, batch=4, checkpoint_every=2, threads=1)
    rows, held = _labels(13), _labels(6, 30)
    found = train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "out", _silent, validation=held)
    first, *_, last = found.evaluations
    assert first.accuracy == 0.5
    assert last.accuracy == 1.0
    assert last.margin is not None
    assert last.margin > 0
    assert found.reasons == {"one too many for the batches": 1}
    assert not [path for path in found.folder.iterdir() if path.is_dir()]
    with pytest.raises(Interrupted):
        train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "resumed", _until(0.5), validation=held)
    resumed = train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "resumed", _silent, validation=held)
    assert _distance(found.folder, resumed.folder) < 1e-6


def test_votes_of_one_kind_teach_nothing(tmp_path: Path, tiny_model: Path) -> None:
    rows = [{**row, "label": False} for row in _labels(4)]
    with pytest.raises(NothingToLearn, match="some lines are liked and some disliked"):
        train_kto(Start(tiny_model), rows, KtoConfig(batch=2), tmp_path / "out", _silent)


# --- the command


def test_train_reads_a_dataset_by_its_hash_and_leaves_an_adapter_to_attach(
    tmp_path: Path, home: Path, tiny_model: Path
) -> None:
    from learning.commands.train import train
    from learning.datasets.rows import Row
    from learning.datasets.snapshot import write_snapshot

    rows = [Row("sft", r["prompt"], r["completion"], "gm", "edit", f"talk {i}") for i, r in enumerate(_sft_rows(6))]
    snapshot = write_snapshot(home / "datasets", {"train": rows[:5], "validation": rows[5:]}, {"npc": "mira"})
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("recipe: sft\nepochs: 1\nbatch: 2\nlora: {rank: 4, alpha: 8}\n", "utf-8")
    where = [
        "--dataset",
        snapshot.hash,
        "--config",
        str(recipe),
        "--out",
        str(tmp_path / "out"),
        "--base",
        str(tiny_model),
    ]
    done = CliRunner().invoke(train, ["sft", *where, "--full-speed", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["recipe"], told["rows"], told["steps"], told["left_out"]) == ("sft", 5, 3, {})
    assert told["evaluations"][0]["perplexity"] > 1
    assert Path(told["adapter"]).read_bytes()[:4] == b"GGUF"
    nowhere = CliRunner().invoke(train, ["sft", "--dataset", "nowhere", *where[2:]])
    assert isinstance(nowhere.exception, DatasetMissing)
    shutil.rmtree(tmp_path / "out")
    wrong = CliRunner().invoke(train, ["dpo", *where])
    assert "mine.yaml is a recipe for sft" in wrong.output
