"""`understudy train`: one recipe over one dataset, by hand, without a night around it."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from characters.inference.llama_cpp_engine import check_model, file_id
from db.home import Home
from db.night_lock import night_lock
from learning.commands.place import Place, farewell, now, quiet
from learning.datasets.snapshot import Snapshot, open_snapshot
from learning.errors import BaseUntrainable, NothingToLearn
from learning.recipes.config import SHIPPED, AnyConfig, DpoConfig, RlooConfig, SftConfig, load_recipe
from learning.recipes.dpo import train_dpo
from learning.recipes.kto import train_kto
from learning.recipes.preferences import Start
from learning.recipes.rloo import train_rloo
from learning.recipes.run import Evaluation, Trained
from learning.recipes.sft import train_sft
from learning.recipes.training import lower_priority

if TYPE_CHECKING:
    from learning.judges.seat import OpenSeat

_KINDS = {"sft": ("sft",), "dpo": ("pair",), "kto": ("label",), "rloo": ("sft", "pair")}
_SMALL_BASE = 40_000_000  # bytes
_EVERY = 2.0  # seconds between two lines of progress

Option = Callable[[Callable[..., None]], Callable[..., None]]


@dataclass(frozen=True)
class _Asked:
    """What a person asked for."""

    dataset: str
    config: Path | None
    out: Path
    base: Path | None
    full_speed: bool
    as_json: bool
    adapter: Path | None = None


@click.group("train")
def train() -> None:
    """Train an adapter on a dataset; a night does this by itself."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What the three recipes have in common."""
    file, folder = click.Path(path_type=Path, dir_okay=False), click.Path(path_type=Path, file_okay=False)
    options: list[Option] = [
        click.option("--dataset", required=True, metavar="HASH", help="A dataset of the home, by its hash."),
        click.option("--config", metavar="FILE", type=file, help="Instead of the shipped one for bases of this size."),
        click.option("--out", required=True, metavar="DIR", type=folder, help="A new folder for the adapter."),
        click.option("--base", metavar="GGUF", type=file, help="Instead of the model that serves."),
        click.option("--full-speed", is_flag=True, help="Do not let other programs go first."),
        click.option("--json", "as_json", is_flag=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


_adapter = click.option(
    "--adapter", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Go on with one of `train sft`."
)


@train.command("sft")
@_options
def _sft(**asked: Any) -> None:
    """Learn lines that were approved, edited or spoken."""
    _train("sft", _Asked(**asked))


@train.command("dpo")
@_options
@_adapter
def _dpo(**asked: Any) -> None:
    """Learn from pairs which of two lines is the better one."""
    _train("dpo", _Asked(**asked))


@train.command("kto")
@_options
@_adapter
def _kto(**asked: Any) -> None:
    """Learn from votes which lines are liked and which are not."""
    _train("kto", _Asked(**asked))


@train.command("rloo")
@_options
@_adapter
def _rloo(**asked: Any) -> None:
    """Learn from rewards for its own answers, by rules or evaluators, which answers are the better ones."""
    _train("rloo", _Asked(**asked))


def _train(recipe: str, asked: _Asked) -> None:
    quiet()
    place = Place.find(None)
    with night_lock(place.home, now, "A training", farewell=lambda: farewell("The training", asked.as_json)):
        _trained(recipe, asked, place)


def _trained(recipe: str, asked: _Asked, place: Place) -> None:
    base = asked.base or place.base
    check_model(base)
    snapshot = open_snapshot(place.home.folder("datasets"), asked.dataset)
    _check_base(place.home, base, snapshot)
    config = _config(recipe, asked.config, base)
    kinds = _KINDS[recipe]
    rows, held = [[row for kind in kinds for row in snapshot.rows(kind, split)] for split in ("train", "validation")]
    if not rows:
        raise NothingToLearn(
            f"{snapshot.hash} has no {' or '.join(kinds)} rows to train on; build it from longer evenings."
        )
    if not asked.full_speed:
        lower_priority()
    start = Start(base, asked.adapter)
    if isinstance(config, SftConfig):
        trained = train_sft(base, rows, config, asked.out, _told(), validation=held)
    elif isinstance(config, DpoConfig):
        trained = train_dpo(start, rows, config, asked.out, _told(), validation=held)
    elif isinstance(config, RlooConfig):
        from learning.recipes.evaluating import rewarding

        with rewarding(_seats(place, snapshot), config.rewards, rows) as evaluators:
            trained = train_rloo(start, rows, config, asked.out, _told(), evaluators=evaluators)
    else:
        trained = train_kto(start, rows, config, asked.out, _told(), validation=held)
    _report(recipe, trained, _as_gguf(trained.folder, base, snapshot), asked.as_json)


def _seats(place: Place, snapshot: Snapshot) -> "OpenSeat":
    """What opens a judge of the NPC whose dataset this is."""
    from learning.commands.seats import seats

    return seats(place, int(snapshot.manifest.get("campaign", 0)), str(snapshot.manifest.get("npc", "")))


def _config(recipe: str, named: Path | None, base: Path) -> AnyConfig:
    """The configuration that was named, else the shipped one for bases of this size."""
    small = "_starter" if base.stat().st_size < _SMALL_BASE else ""
    config = load_recipe(named or SHIPPED / f"{recipe}{small}.yaml")
    if config.recipe != recipe:
        raise click.UsageError(f"{named} is a recipe for {config.recipe}; run `understudy train {config.recipe}`.")
    return config


def _check_base(home: Home, base: Path, snapshot: Snapshot) -> None:
    """The rows are text of one base's template: another base would learn another's prompts."""
    made_for = snapshot.manifest.get("base")
    if made_for not in {None, file_id(base)}:
        raise BaseUntrainable(f"{snapshot.hash} was made for another base than {base.name}; name that one with --base.")
    proof = home.folder("models") / f"verified-{file_id(base)}.json"
    known = json.loads(proof.read_text("utf-8")) if proof.is_file() else {"ok": True}
    if not known["ok"]:
        raise BaseUntrainable(known["reason"])


def _as_gguf(folder: Path, base: Path, snapshot: Snapshot) -> Path:
    """The adapter as the engine attaches it, beside PEFT's files."""
    from transformers import AutoConfig

    from learning.gguf.adapter import architecture_of, write_adapter

    read = AutoConfig.from_pretrained(base.parent, gguf_file=base.name)
    lineage: dict[str, str | int] = {"base": file_id(base), "dataset": snapshot.hash, "run": folder.name,
                                     "template": str(snapshot.manifest.get("template", ""))}  # fmt: skip
    return write_adapter(folder, folder / "adapter.gguf", lineage, architecture=architecture_of(read))


def _told() -> Callable[[float, float], None]:
    """Progress on standard error, a line every few seconds."""
    last = 0.0

    def progress(done: float, left: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY or done >= 1:
            last = time.monotonic()
            click.echo(f"training: {done:4.0%}, about {left:.0f} s left", err=True)

    return progress


def _report(recipe: str, trained: Trained, file: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({
            "recipe": recipe, "folder": str(trained.folder), "adapter": str(file), "rows": trained.rows,
            "left_out": dict(trained.reasons), "steps": len(trained.losses), "best_step": trained.best_step,
            "stopped": trained.stopped, "seconds": round(trained.seconds, 1), "margin": trained.margin,
            "accuracy": trained.accuracy, "rewards": trained.rewards,
            "evaluations": [_evaluation(recipe, found) for found in trained.evaluations],
        }))  # fmt: skip
        return
    stopped = {"": "", "time": ", stopped by the time box", "patience": ", stopped because nothing got better"}
    click.echo(f"Trained on {trained.rows} rows in {trained.seconds:.0f} s, {len(trained.losses)} steps"
               f"{stopped[trained.stopped]}: {file}")  # fmt: skip
    for reason, count in trained.reasons.items():
        click.echo(f"left out: {count}, {reason}")
    if trained.rewards:
        late = trained.rewards[-max(1, len(trained.rewards) // 4) :]
        early = trained.rewards[: len(late)]
        click.echo(f"mean reward: {sum(early) / len(early):.3f} in the first quarter, "
                   f"{sum(late) / len(late):.3f} in the last one")  # fmt: skip
    for found in trained.evaluations:
        told = ", ".join(f"{name} {value:.3f}" for name, value in _evaluation(recipe, found).items()
                         if name != "step" and value is not None)  # fmt: skip
        click.echo(f"validation at step {found.step}: {told}{' (kept)' if found.step == trained.best_step else ''}")


def _evaluation(recipe: str, found: Evaluation) -> dict[str, Any]:
    """What an evaluation found; None stands for what the recipe does not know and for what is not finite."""
    told: dict[str, float | None]
    if recipe == "sft":
        told = {"loss": found.loss, "perplexity": found.perplexity}
    else:
        told = {"loss": found.loss, "accuracy": found.accuracy, "margin": found.margin}
    return {"step": found.step} | {
        name: value if value is not None and math.isfinite(value) else None for name, value in told.items()
    }
