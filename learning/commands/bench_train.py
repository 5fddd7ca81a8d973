"""`understudy bench train`: our recipe against a bare TRL script, the same rows and settings, in one run."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from characters.prompt import Budget
from learning.anchors import general_candidates
from learning.commands.place import Place, quiet
from learning.datasets.rows import Renderer
from learning.recipes.config import SHIPPED, SftConfig, load_config
from learning.starter.tokens import TEMPLATE


@click.command("train")
@click.option("--rows", default=96, show_default=True, help="Rows to train on, one pass.")
@click.option("--rounds", default=3, show_default=True, help="How often each is measured, taking turns.")
@click.option("--json", "as_json", is_flag=True)
def bench_train(rows: int, rounds: int, as_json: bool) -> None:
    """Rows a second of the recipe and of a bare TRL script: loading the base, training, saving."""
    quiet()
    base = Place.find(None).base
    config = load_config(SHIPPED / "sft_starter.yaml").model_copy(update={"epochs": 1.0, "minutes": 60.0})
    assert isinstance(config, SftConfig)
    renderer = Renderer(TEMPLATE, Budget(1100, 110, 260))
    data = [
        {"prompt": row.prompt, "completion": row.completion, "weight": 1}
        for row in (renderer.row(candidate, part) for part, candidate in general_candidates(rows, 5))
    ]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            theirs.append(_rate(_bare, base, data, config, Path(folder) / f"bare-{turn}"))
            ours.append(_rate(_recipe, base, data, config, Path(folder) / f"ours-{turn}"))
    found = {"rows": rows, "rounds": rounds, "understudy": round(statistics.median(ours), 2),
             "bare_trl": round(statistics.median(theirs), 2),
             "ratio": round(statistics.median(ours) / statistics.median(theirs), 3)}  # fmt: skip
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| measure | understudy | bare TRL | ratio |\n|---|---|---|---|")
    click.echo(f"| rows a second, median of {rounds} × {rows} rows | {found['understudy']} | {found['bare_trl']} "
               f"| {found['ratio']} |")  # fmt: skip


Work = Callable[[Path, Sequence[dict[str, Any]], SftConfig, Path], None]


def _rate(work: Work, base: Path, rows: Sequence[dict[str, Any]], config: SftConfig, out: Path) -> float:
    began = time.monotonic()
    work(base, rows, config, out)
    return len(rows) / (time.monotonic() - began)


def _recipe(base: Path, rows: Sequence[dict[str, Any]], config: SftConfig, out: Path) -> None:
    from learning.recipes.sft import train_sft

    train_sft(base, rows, config, out, lambda done, left: None)


def _bare(base: Path, rows: Sequence[dict[str, Any]], config: SftConfig, out: Path) -> None:
    """What anybody would write by hand after TRL's documentation."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig as Arguments
    from trl import SFTTrainer

    from learning.gguf.base_model import load_base
    from learning.processor import multiplies_bfloat16

    torch.set_num_threads(config.threads)
    model, tokenizer = load_base(base)
    arguments = Arguments(
        output_dir=str(out), per_device_train_batch_size=config.batch, num_train_epochs=config.epochs,
        learning_rate=config.learning_rate, max_length=config.max_length, use_cpu=True, bf16=multiplies_bfloat16(),
        gradient_checkpointing=False, report_to=[], save_strategy="no", disable_tqdm=True, seed=config.seed,
    )  # fmt: skip
    lora = LoraConfig(r=config.lora.rank, lora_alpha=config.lora.alpha, target_modules="all-linear",
                      task_type="CAUSAL_LM")  # fmt: skip
    data = Dataset.from_list([{"prompt": row["prompt"], "completion": row["completion"]} for row in rows])
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer, peft_config=lora)
    trainer.remove_callback(PrinterCallback)  # standard output is the bench's
    trainer.train()
    trainer.save_model(str(out))
