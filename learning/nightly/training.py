"""The night's training, planned into the time there is: supervised, by preferences, by rewards.

Preferences are trained where there are enough of them, rewards where the settings want it.
"""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from characters.files import write_whole
from characters.inference.llama_cpp_engine import file_id
from learning.anchors import general_candidates
from learning.datasets.rows import Renderer
from learning.datasets.snapshot import Snapshot
from learning.errors import BaseUntrainable
from learning.gguf.adapter import architecture_of, write_adapter
from learning.gguf.base_model import verify_base
from learning.nightly.preferring import Preferred, prefer
from learning.nightly.reinforcing import reinforce
from learning.nightly.runs import done, named_by, progress_of, say_of_what
from learning.nightly.values import Night
from learning.recipes.config import SftConfig
from learning.recipes.planning import Plan, measure_speed, plan, tier
from learning.recipes.run import Trained
from learning.recipes.sft import train_sft

_VERIFIED_ON = 200
_TRAINING_SHARE = 0.35  # of the night's time box, for each of its trainings

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Work:
    """What was trained tonight: folders of PEFT adapters, the file that serves, and what could not be done, and why."""

    plan: Plan
    supervised: Trained | None = None
    preference: Trained | None = None
    reinforced: Trained | None = None
    file: Path | None = None
    note: str = ""


async def verify(night: Night, renderer: Renderer) -> None:
    """Prove once per base file that it is trained as it is served.

    Raises:
        BaseUntrainable: it is not.
    """
    proof = night.home.folder("models") / f"verified-{file_id(night.base)}.json"
    if not proof.is_file():
        night.say("base: proving that it is trained as it is served (once per model)")
        rows = [renderer.row(c, part) for part, c in general_candidates(_VERIFIED_ON, 97)]
        found = await verify_base(night.base, night.engine, [row.prompt + row.completion for row in rows])
        said = {"ok": found.ok, "reason": found.reason, "texts": found.texts, "tokens_equal": found.tokens_equal,
                "words": found.scored, "difference": found.difference, "worst": found.worst}  # fmt: skip
        write_whole(proof, json.dumps(said, indent=2))
    known = json.loads(proof.read_text("utf-8"))
    if not known["ok"]:
        raise BaseUntrainable(known["reason"])


def train(night: Night, snapshot: Snapshot, found: dict[str, int]) -> Work:
    """Train what the data allows in the time there is, and write the adapter that serves."""
    rows = snapshot.rows("sft", "train")
    planned = _plan(night, rows)
    if not planned.trains:
        return Work(planned, note=planned.reason)
    config = planned.config(night.config)
    night.say(f"training: {len(planned.keep)} rows, {config.epochs:g} passes at most"
              + (f"; {planned.reason}" if planned.reason else ""))  # fmt: skip
    held = snapshot.rows("sft", "validation")
    folder, trained = _supervised(night, snapshot.hash, planned.rows(rows), held, config, "run")
    preferred = prefer(night, snapshot, folder, found) if tier(found) == "preference" else Preferred(folder)
    last, reinforced = preferred.folder, None
    if night.reinforce != "never":
        last, reinforced = reinforce(night, snapshot, last)
    note = " ".join(part for part in (planned.reason, preferred.note) if part)
    return Work(planned, trained, preferred.trained, reinforced, _write(night, snapshot, last), note)


def train_control(night: Night, snapshot: Snapshot, planned: Plan) -> Path:
    """The same training with every answer given to another question; returns the adapter's file."""
    rows = planned.rows(snapshot.rows("sft", "train"))
    answers = [row["completion"] for row in rows]
    random.Random(night.config.seed).shuffle(answers)
    shuffled = [{**row, "completion": answer} for row, answer in zip(rows, answers, strict=True)]
    folder, _ = _supervised(night, snapshot.hash, shuffled, [], planned.config(night.config), "control")
    return write_adapter(folder, folder / "control.gguf", {}, architecture=_architecture(night.base))


def _plan(night: Night, rows: Rows) -> Plan:
    """Fit the rows into the time box, measured on this machine; remembered, so that a resumed night is the same."""
    minutes = min(night.config.minutes, night.minutes * _TRAINING_SHARE)
    name = named_by([file_id(night.base), list(rows), night.config.model_dump(), minutes])
    file = night.home.folder("runs") / f"plan-{name}.json"
    if not file.is_file():
        night.say("training: measuring what this machine manages")
        speed = measure_speed(night.base, rows, night.config)
        told = {"tokens_per_second": speed.tokens_per_second, "tokens_per_row": list(speed.tokens_per_row)}
        write_whole(file, json.dumps(told))
    known = json.loads(file.read_text("utf-8"))
    return plan(night.config, rows, known["tokens_per_row"], known["tokens_per_second"], minutes)


def _supervised(
    night: Night, dataset: str, rows: Rows, held: Rows, config: SftConfig, name: str
) -> tuple[Path, Trained | None]:
    """Train, unless the same was trained before."""
    folder = night.home.folder("runs") / f"{name}-{named_by([file_id(night.base), list(rows), config.model_dump()])}"
    if done(folder):
        say_of_what(folder, dataset)
        return folder, None
    label = "training" if name == "run" else name
    trained = train_sft(night.base, rows, config, folder, progress_of(night, label), validation=held)
    say_of_what(folder, dataset)
    return folder, trained


def _write(night: Night, snapshot: Snapshot, folder: Path) -> Path:
    """The adapter as the file that serves, named by its content."""
    lineage: dict[str, str | int] = {
        "base": file_id(night.base), "dataset": snapshot.hash, "run": folder.name,
        "template": str(snapshot.manifest["template"]),
    }  # fmt: skip
    raw = write_adapter(folder, folder / "adapter.gguf", lineage, architecture=_architecture(night.base))
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()[:12]
    target = night.home.folder(f"adapters/{night.campaign}/{night.npc}") / f"{night.npc}-{digest}.gguf"
    raw.replace(target)
    return target


def _architecture(base: Path) -> Any:
    from transformers import AutoConfig

    return architecture_of(AutoConfig.from_pretrained(base.parent, gguf_file=base.name))
