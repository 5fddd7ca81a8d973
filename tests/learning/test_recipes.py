"""Recipes on a tiny model: the real trainers, a few steps each."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from learning.datasets.snapshot import DatasetMissing
from learning.errors import LearningError, NothingToLearn
from learning.recipes.config import DpoConfig, KtoConfig
from learning.recipes.kto import train_kto
from learning.recipes.planning import measure_speed
from learning.recipes.preferences import Start
from learning.recipes.sft import train_sft
from learning.starter.tokens import TEMPLATE
from tests.fakes.training import LORA, SFT, Interrupted, distance, labels, metrics, pairs, sft_rows, silent, until

# --- training


@pytest.mark.parametrize("last_checkpoint", ["whole", "half"])
def test_an_interrupted_training_ends_as_the_straight_one(
    tmp_path: Path, tiny_model: Path, last_checkpoint: str
) -> None:
    rows, held = sft_rows(12), sft_rows(4, 12)
    straight = train_sft(tiny_model, rows, SFT, tmp_path / "straight", silent, validation=held)
    with pytest.raises(Interrupted):
        train_sft(tiny_model, rows, SFT, tmp_path / "resumed", until(0.55), validation=held)
    assert not (tmp_path / "resumed").exists()
    if last_checkpoint == "half":
        checkpoint = tmp_path / "resumed.work" / "checkpoint-8"
        (checkpoint / "whole").unlink()
        (checkpoint / "optimizer.pt").unlink()
    resumed = train_sft(tiny_model, rows, SFT, tmp_path / "resumed", silent, validation=held)
    assert distance(straight.folder, resumed.folder) < 1e-6
    assert resumed.losses == pytest.approx(straight.losses, abs=1e-6)
    assert (resumed.best_step, len(resumed.losses)) == (straight.best_step, 18)
    assert [line["step"] for line in metrics(resumed.folder)] == [line["step"] for line in metrics(straight.folder)]


def test_another_dataset_does_not_go_on_with_what_was_interrupted(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(Interrupted):
        train_sft(tiny_model, sft_rows(12), SFT, tmp_path / "out", until(0.55))
    fresh = train_sft(tiny_model, sft_rows(8, 40), SFT, tmp_path / "out", silent)
    assert len(fresh.losses) == 12


def test_the_weights_of_the_best_validation_loss_are_kept_and_training_stops_when_it_rises(
    tmp_path: Path, tiny_model: Path
) -> None:
    config = SFT.model_copy(update={"epochs": 12, "learning_rate": 3e-2, "patience": 2})
    held = [{**row, "completion": f"Quite another thing altogether, {i * 37}!{TEMPLATE.eos}"}
            for i, row in enumerate(sft_rows(4, 50))]  # fmt: skip
    found = train_sft(tiny_model, sft_rows(6), config, tmp_path / "out", silent, validation=held)
    evaluated = [evaluation for evaluation in found.evaluations if evaluation.step]
    assert found.stopped == "patience"
    assert len(found.losses) < 36
    assert found.best_step == min(evaluated, key=lambda evaluation: evaluation.loss).step
    assert evaluated[-1].step == found.best_step + 2 * 3
    lines = {line["step"]: line for line in metrics(found.folder) if "validation_loss" in line}
    assert lines[found.best_step]["validation_perplexity"] > 1
    assert found.evaluations[0].step == 0


def test_rows_that_would_be_cut_or_dropped_are_counted_by_reason(tmp_path: Path, tiny_model: Path) -> None:
    long, empty, mute = sft_rows(3, 20)
    rows = [*sft_rows(4), {**long, "completion": "word " * 2000}, {**empty, "completion": " "}, {**mute, "weight": 0}]
    found = train_sft(
        tiny_model, rows, SFT.model_copy(update={"epochs": 1}), tmp_path / "out", silent, validation=[long, rows[4]]
    )
    assert (found.rows, found.left_out) == (4, 3)
    assert found.reasons == {"longer than 1024 tokens": 1, "empty answer": 1, "weight of zero": 1,
                             "for validation: longer than 1024 tokens": 1}  # fmt: skip


def test_a_row_of_weight_three_is_read_three_times(tmp_path: Path, tiny_model: Path) -> None:
    rows = [{**row, "weight": 3} for row in sft_rows(4)]
    found = train_sft(tiny_model, rows, SFT.model_copy(update={"epochs": 1}), tmp_path / "out", silent)
    assert (found.rows, len(found.losses)) == (4, 6)


def test_the_adapter_appears_whole_and_the_workplace_is_gone(tmp_path: Path, tiny_model: Path) -> None:
    seen: list[tuple[float, float, bool]] = []

    def progress(done: float, left: float) -> None:
        seen.append((done, left, (tmp_path / "out").exists()))

    train_sft(tiny_model, sft_rows(6), SFT, tmp_path / "out", progress)
    assert [entry for entry in seen if entry[2]] == [(1.0, 0.0, True)]
    assert all(left > 0 for done, left, _ in seen if done < 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "metrics.jsonl", "recipe.json",
    }  # fmt: skip
    with pytest.raises(LearningError, match="holds something already"):
        train_sft(tiny_model, sft_rows(6), SFT, tmp_path / "out", silent)


def test_training_stops_at_the_end_of_its_time_box_with_what_it_has(tmp_path: Path, tiny_model: Path) -> None:
    config = SFT.model_copy(update={"minutes": 1e-4})
    found = train_sft(tiny_model, sft_rows(12), config, tmp_path / "out", silent, validation=sft_rows(2, 30))
    assert (found.stopped, len(found.losses), found.best_step) == ("time", 1, 1)
    assert (found.folder / "adapter_model.safetensors").is_file()


def test_speed_is_measured_on_real_steps(tiny_model: Path) -> None:
    rows = sft_rows(5)
    found = measure_speed(tiny_model, rows, SFT)
    assert found.tokens_per_second > 0
    assert len(found.tokens_per_row) == 5
    assert measure_speed(tiny_model, pairs(5), DpoConfig(batch=2)).tokens_per_row > found.tokens_per_row


# --- preferences


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """An adapter of `sft` to go on with."""
    out = tmp_path_factory.mktemp("supervised") / "sft"
    return train_sft(tiny_model, sft_rows(6), SFT, out, silent).folder


_DPO = DpoConfig(lora=LORA, learning_rate=5e-3, epochs=3, batch=4, checkpoint_every=2, threads=1)


def test_dpo_goes_on_with_the_supervised_adapter_and_saves_it_alone(
    tmp_path: Path, tiny_model: Path, supervised: Path
) -> None:
    from learning.recipes.dpo import train_dpo

    held, start = pairs(4, 20), Start(tiny_model, supervised)
    found = train_dpo(start, pairs(12), _DPO, tmp_path / "straight", silent, validation=held)
    first, *_, last = found.evaluations
    assert (first.margin, first.accuracy) == (pytest.approx(0, abs=1e-5), pytest.approx(0, abs=0.6))
    assert last.margin is not None
    assert last.margin > 0.05
    assert last.accuracy == 1.0
    assert found.margin is not None
    assert not [path for path in found.folder.iterdir() if path.is_dir()]
    assert 0 < distance(found.folder, supervised) < 0.2
    assert {"margin", "accuracy", "loss"} <= set(metrics(found.folder)[1])
    with pytest.raises(Interrupted):
        train_dpo(start, pairs(12), _DPO, tmp_path / "resumed", until(0.5), validation=held)
    resumed = train_dpo(start, pairs(12), _DPO, tmp_path / "resumed", silent, validation=held)
    assert distance(found.folder, resumed.folder) < 1e-6


def test_robust_dpo_on_kept_takes_trains_a_fresh_adapter(tmp_path: Path, tiny_model: Path) -> None:
    from learning.recipes.dpo import train_dpo

    takes = {
        "loss": ("robust",),
        "loss_weights": (1.0,),
        "label_smoothing": 0.1,
        "signals": ("keep",),
        "save_memory": True,
    }
    rows = [*[{**row, "signal": "keep"} for row in pairs(8)], *pairs(3, 30)]
    rows[0]["rejected"] = rows[0]["chosen"]
    found = train_dpo(Start(tiny_model), rows, _DPO.model_copy(update=takes), tmp_path / "out", silent)
    assert found.rows == 7
    assert found.reasons == {"both answers are the same": 1, "not from keep": 3}
    assert found.margin is not None
    assert found.margin > 0


def test_kto_learns_from_votes_and_tells_accuracy_and_margin(
    tmp_path: Path, tiny_model: Path, supervised: Path
) -> None:
    config = KtoConfig(lora=LORA, learning_rate=5e-3, epochs=4, batch=4, checkpoint_every=2, threads=1)
    rows, held = labels(13), labels(6, 30)
    found = train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "out", silent, validation=held)
    first, *_, last = found.evaluations
    assert first.accuracy == 0.5
    assert last.accuracy == 1.0
    assert last.margin is not None
    assert last.margin > 0
    assert found.reasons == {"one too many for the batches": 1}
    assert not [path for path in found.folder.iterdir() if path.is_dir()]
    with pytest.raises(Interrupted):
        train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "resumed", until(0.5), validation=held)
    resumed = train_kto(Start(tiny_model, supervised), rows, config, tmp_path / "resumed", silent, validation=held)
    assert distance(found.folder, resumed.folder) < 1e-6


def test_votes_of_one_kind_teach_nothing(tmp_path: Path, tiny_model: Path) -> None:
    rows = [{**row, "label": False} for row in labels(4)]
    with pytest.raises(NothingToLearn, match="some lines are liked and some disliked"):
        train_kto(Start(tiny_model), rows, KtoConfig(batch=2), tmp_path / "out", silent)


# --- the command


def test_train_reads_a_dataset_by_its_hash_and_leaves_an_adapter_to_attach(
    tmp_path: Path, home: Path, tiny_model: Path
) -> None:
    from learning.commands.train import train
    from learning.datasets.rows import Row
    from learning.datasets.snapshot import write_snapshot

    rows = [Row("sft", r["prompt"], r["completion"], "gm", "edit", f"talk {i}") for i, r in enumerate(sft_rows(6))]
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
