"""Does bootstrap plus growth beat plain fine-tuning? Five arms, one NPC, the same held-out sets.

    base         the model as it is
    teacher      fine-tuned on what a teacher wrote
    + grown      and on what the small model grew from it
    no sheet     the same rows, with neither the sheet nor anything at hand in the prompt
    preferences  `+ grown`, gone on with by pairs: the teacher's line above its own

Every arm trains from the base (`preferences` goes on from `+ grown`). All are asked the NPC's exam and
score the teacher's held-out lines, an arm without the sheet without it. Splits are made once, of whole
conversations, and stand for all arms; what an arm trained is kept, so that a broken run goes on.
"""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from characters.inference.engine import Engine
from characters.inference.llama_cpp_engine import file_id
from characters.prompt import Part
from learning.datasets.building import Built, DatasetOrder, build_dataset
from learning.datasets.rows import Renderer, Row
from learning.errors import NothingToLearn
from learning.exam.matching import Mark
from learning.exam.running import sit
from learning.exam.values import Item
from learning.gate import Witness
from learning.gguf.adapter import architecture_of, write_adapter
from learning.harvest import Candidate, differ
from learning.recipes.config import DpoConfig, SftConfig
from learning.recipes.dpo import train_dpo
from learning.recipes.preferences import Start
from learning.recipes.sft import train_sft

ARMS = ("base", "teacher", "+ grown", "no sheet", "preferences")
_PAIRS, _DIFFERENT = 80, 0.3
_RESAMPLES = 2000


@dataclass(frozen=True)
class Lab:
    """What an experiment works with.

    Attributes:
        root: where datasets, trainings and replies are kept.
        teacher, grown: candidates by who wrote them.
        items: the exam.
    """

    engine: Engine
    base: Path
    part: Part
    renderer: Renderer
    root: Path
    teacher: Sequence[Candidate]
    grown: Sequence[Candidate]
    items: tuple[Item, ...]
    sft: SftConfig
    dpo: DpoConfig
    about: dict[str, Any]
    say: Callable[[str], None]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Arm:
    """What one arm came to.

    Attributes:
        rows: rows trained on.
        marks: its exam.
        loss: nats a token on the teacher's held-out lines.
    """

    name: str
    rows: int
    marks: list[Mark]
    loss: Interval
    samples: tuple[tuple[str, str], ...] = field(default=())


def without_sheet(part: Part) -> Part:
    """The NPC by name and manner alone: everything else it has to know by heart."""
    known = part.sheet
    bare = type(known)(name=known.name, kind=known.kind, description=known.description, world=known.world,
                       speech=known.speech.model_copy(update={"examples": (), "mottos": ()}))  # fmt: skip
    return Part(part.slug, bare)


async def run(lab: Lab) -> list[Arm]:
    """Run all arms, one after the other.

    Raises:
        NothingToLearn: there is nothing a teacher wrote, or nothing that was grown.
    """
    for made, command in ((lab.teacher, "teach bootstrap"), (lab.grown, "teach grow")):
        if not made:
            raise NothingToLearn(f"{lab.part.sheet.name} has no rows of `understudy {command}` yet; run it first.")
    bare = without_sheet(lab.part)
    alone = _build(lab, lab.part, lab.teacher)
    both = _build(lab, lab.part, [*lab.teacher, *lab.grown])
    by_heart = _build(lab, bare, [replace(one, at_hand=()) for one in (*lab.teacher, *lab.grown)])
    held = alone.splits["held_out"] or alone.splits["validation"]
    wanted = {(row.conversation, row.asked, row.line) for row in held}
    bare_held = [row for split in ("held_out", "validation") for row in by_heart.splits[split]
                 if (row.conversation, row.asked, row.line) in wanted]  # fmt: skip
    sft = {"teacher": alone, "+ grown": both, "no sheet": by_heart}
    folders = {name: _supervised(lab, name, built) for name, built in sft.items()}
    arms = [await _arm(lab, "base", lab.part, held, None, 0)]
    for name, built in sft.items():
        part, rows = (bare, bare_held) if name == "no sheet" else (lab.part, held)
        arms.append(await _arm(lab, name, part, rows, folders[name], len(built.splits["train"])))
    pairs = await _pairs(lab, both, folders["+ grown"])
    preferred = _preferred(lab, folders["+ grown"], pairs)
    return [*arms, await _arm(lab, "preferences", lab.part, held, preferred, len(pairs))]


def _build(lab: Lab, part: Part, candidates: Sequence[Candidate]) -> Built:
    return build_dataset(candidates, DatasetOrder(
        lab.root / "datasets", part, lab.renderer, lab.about, guarded=[item.question for item in lab.items],
    ))  # fmt: skip


def supervised_folder(lab: Lab, built: Built) -> Path:
    """Where an arm's adapter lies: named by all that it was made of, the base and what stopped it early among them."""
    made_of = [file_id(lab.base), _rows(built, "train"), _rows(built, "validation"), lab.sft.model_dump()]
    return lab.root / f"sft-{_hash(made_of)}"


def preferred_folder(lab: Lab, start: Path, pairs: Sequence[dict[str, Any]]) -> Path:
    """Where the adapter of the preferences lies; the rows it stands on are in the name of what it goes on from."""
    return lab.root / f"dpo-{_hash([file_id(lab.base), start.name, list(pairs), lab.dpo.model_dump()])}"


def _supervised(lab: Lab, name: str, built: Built) -> Path:
    rows, folder = _rows(built, "train"), supervised_folder(lab, built)
    if not folder.is_dir():
        lab.say(f"{name}: training on {len(rows)} rows")
        train_sft(lab.base, rows, lab.sft, folder, lambda done, left: None, validation=_rows(built, "validation"))
    return folder


def _preferred(lab: Lab, start: Path, pairs: Sequence[dict[str, Any]]) -> Path:
    folder = preferred_folder(lab, start, pairs)
    if not folder.is_dir():
        lab.say(f"preferences: training on {len(pairs)} pairs")
        train_dpo(Start(lab.base, start), pairs, lab.dpo, folder, lambda done, left: None)
    return folder


async def _pairs(lab: Lab, built: Built, folder: Path) -> list[dict[str, Any]]:
    """The teacher's lines above what the trained model says itself, where the two differ."""
    rows = [row for row in built.splits["train"] if row.kind == "sft" and row.signal != "grow"]
    witness, found = await _witness(lab, folder), []
    for row in random.Random(1).sample(rows, min(len(rows), 2 * _PAIRS)):
        said, ended = await witness.line(row.prompt)
        if said and differ(said, row.completion) >= _DIFFERENT:
            rejected = said + (lab.renderer.template.eos if ended else "")
            found.append({"prompt": row.prompt, "chosen": row.completion, "rejected": rejected, "weight": 1})
        if len(found) == _PAIRS:
            break
    witness.remember()
    if not found:
        raise NothingToLearn("The trained model says what the teacher says; there is nothing to prefer.")
    return found


async def _arm(
    lab: Lab, name: str, part: Part, held: Sequence[Row], folder: Path | None, rows: int
) -> Arm:  # fmt: skip
    lab.say(f"{name}: {len(lab.items)} questions and {len(held)} held-out lines")
    witness = await _witness(lab, folder)
    result = await sit(lab.engine, part, lab.items, adapter=witness.adapter, budget=lab.renderer.budget,
                       template=lab.renderer.template, folder=lab.root / "exams")  # fmt: skip
    scores = [await witness.score(row.prompt, row.completion) for row in held]
    samples = [(row.asked, (await witness.line(row.prompt))[0]) for row in held[:3]]
    witness.remember()
    marks = result.marks(lab.items, (lab.part.sheet.name, lab.part.sheet.first_name))
    return Arm(name, rows, marks, _nats_a_token(scores), tuple(samples))


async def _witness(lab: Lab, folder: Path | None) -> Witness:
    """An arm's voice, loaded as it would be served; what it says is remembered."""
    memory = lab.root / "said"
    base = (await lab.engine.capabilities()).base_id
    if folder is None:
        return Witness(lab.engine, None, memory / f"{base}-bare.json")
    file = folder / "adapter.gguf"
    if not file.is_file():
        from transformers import AutoConfig

        shape = AutoConfig.from_pretrained(lab.base.parent, gguf_file=lab.base.name)
        write_adapter(folder, file, {"base": base, "run": folder.name}, architecture=architecture_of(shape))
    await lab.engine.load_adapter(folder.name, file)
    return Witness(lab.engine, folder.name, memory / f"{base}-{folder.name}.json")


def _nats_a_token(scores: Sequence[tuple[float, int]]) -> Interval:
    """Minus log-probability a token, all tokens alike; rows are resampled."""
    if not scores:
        return Interval(0, 0.0, 0.0, 0.0)

    def mean(chosen: Sequence[tuple[float, int]]) -> float:
        return -sum(nats for nats, _ in chosen) / max(1, sum(tokens for _, tokens in chosen))

    rng = random.Random(len(scores))
    means = sorted(mean(rng.choices(scores, k=len(scores))) for _ in range(_RESAMPLES))
    return Interval(len(scores), mean(scores), means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES) - 1])


def _rows(built: Built, split: str) -> list[dict[str, Any]]:
    return [{"prompt": row.prompt, "completion": row.completion, "weight": row.weight, "source": row.source,
             "signal": row.signal} for row in built.splits[split]]  # fmt: skip


def _hash(made_of: object) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()[:12]
