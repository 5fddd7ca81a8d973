"""One NPC's night: what the table liked becomes how it speaks.

    harvest → dataset → training → GGUF adapter → gate → registered, for the GM to promote

Every stage hands over files with manifests or rows in the database; only this module knows their order.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from characters.inference.engine import Capabilities, Engine
from characters.inference.llama_cpp_engine import file_id
from characters.library import Library
from characters.prompt import Budget, Part
from db.home import Home
from db.provenance import Policy
from db.queries import adapters, harvest, reactions
from db.queries.adapters import Version
from db.queries.harvest import CandidateRecord
from db.store import Store
from learning.anchors import anchor_candidates
from learning.datasets.rows import Renderer, Row
from learning.datasets.snapshot import Snapshot, write_snapshot
from learning.errors import NothingToLearn
from learning.gate import GateVerdict, Trial, judge, speak
from learning.gguf.adapter import write_adapter
from learning.harvest import Candidate, counts
from learning.harvest import harvest as to_candidates
from learning.recipes.config import SftConfig
from learning.recipes.sft import Trained, train_sft

_FIRST_TRAINING = 8
_FIRST_PREFERENCE = (30, 60)
_HELD_OUT_FROM = 12

Say = Callable[[str], None]


@dataclass
class Night:
    """Everything a night works with, and what it found so far."""

    store: Store
    engine: Engine
    library: Library
    home: Home
    base: Path
    campaign: int
    npc: str
    config: SftConfig
    policy: Policy
    now: datetime
    say: Say
    reply_tokens: int = 110
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a night came to; `adapter` is None where nothing was trained."""

    npc: str
    counts: dict[str, int]
    candidates: tuple[Candidate, ...]
    missing: str
    adapter: str | None = None
    dataset: str = ""
    trained: Trained | None = None
    verdict: GateVerdict | None = None
    samples: tuple[tuple[str, str, str], ...] = ()


async def run(night: Night) -> Outcome:
    """Run a whole night for one NPC.

    Raises:
        UnderstudyError: one sentence; what was harvested is kept.
    """
    night.say("harvest: reading what the table heard")
    await _harvest(night)
    found = counts(night.candidates)
    human = [c for c in night.candidates if c.trainable and c.kind == "sft"]
    missing = what_is_missing(found)
    if len(human) < _FIRST_TRAINING:
        return Outcome(night.npc, found, tuple(night.candidates), missing)
    snapshot, trial = await _dataset(night, human)
    night.say(f"training: {len(snapshot.rows('sft', 'train'))} rows, {night.config.epochs:g} passes at most")
    trained, file = _train(night, snapshot)
    adapter = file.stem
    night.say("gate: candidate against incumbent, in llama.cpp")
    incumbent = await _incumbent(night)
    await night.engine.load_adapter(adapter, file)
    stop = (await night.engine.capabilities()).template
    verdict = await judge(night.engine, adapter, incumbent, trial, stop.eos if stop else "")
    await _register(night, adapter, file, verdict)
    samples = await _samples(night, trial, adapter, incumbent)
    rows = tuple(night.candidates)
    return Outcome(night.npc, found, rows, missing, adapter, snapshot.hash, trained, verdict, samples)


def what_is_missing(found: dict[str, int]) -> str:
    """What the table would have to give for the next tier."""
    if found["sft"] < _FIRST_TRAINING:
        return (f"{_FIRST_TRAINING - found['sft']} more lines that you approve, edit or speak yourself, "
                "and the NPC trains; until then it follows your examples from its prompt")  # fmt: skip
    pairs, labels = _FIRST_PREFERENCE
    more_pairs, more_labels = max(0, pairs - found["pair"]), max(0, labels - found["label"])
    return f"{more_pairs} more pairs (edits, kept takes) or {more_labels} more votes for a preference stage"


async def _harvest(night: Night) -> None:
    async with night.store.session() as session:
        heard = await harvest.heard_lines(session, night.campaign, night.npc)
        night.candidates = to_candidates(heard, night.policy)
        records = [
            CandidateRecord(c.kind, c.source, c.line, _payload(c), c.trainable, c.reason) for c in night.candidates
        ]
        await harvest.replace_candidates(session, night.campaign, night.npc, records, night.now)


def _payload(candidate: Candidate) -> dict[str, Any]:
    return {"signal": candidate.signal, "completion": candidate.completion, "rejected": candidate.rejected,
            "label": candidate.label, "weight": candidate.weight, "people": list(candidate.people)}  # fmt: skip


async def _part(night: Night) -> Part:
    sheet = night.library.get(night.npc)
    async with night.store.session() as session:
        style = await reactions.style_examples(session, night.campaign, night.npc)
    return Part(night.npc, sheet, night.library.world(sheet.world), style)


def budget(can: Capabilities, reply: int) -> Budget:
    """The serving budget of an engine, so that rows are what serving reads."""
    return Budget(min(can.context, can.context_budget or can.context), reply, can.system_budget or 700)


async def _dataset(night: Night, human: Sequence[Candidate]) -> tuple[Snapshot, Trial]:
    can = await night.engine.capabilities()
    if can.template is None:
        raise NothingToLearn(f"{night.base.name} has no chat template inside; choose a base model that has one.")
    renderer, part = Renderer(can.template, budget(can, night.reply_tokens)), await _part(night)
    wanted = max(0, min(night.config.anchors, 150))
    # What is in the prompt need not be learnt: the table's lines are trained without their own examples.
    bare = Part(part.slug, part.sheet, part.world)
    rows = [renderer.row(c, bare) for c in human]
    anchors = [renderer.row(c, bare) for c in anchor_candidates(bare, wanted + 40, night.config.seed)]
    others = [renderer.row(c, bare) for c in night.candidates if c.trainable and c.kind != "sft"]
    train, held = split(rows)
    guard = anchors[: wanted - len(train)] if wanted > len(train) else []
    splits = {"train": [*train, *guard, *others], "validation": [*held, *anchors[wanted:]]}
    about = {"npc": night.npc, "base": file_id(night.base), "template": can.template.hash, "sheet": part.sheet.version,
             "seed": night.config.seed, "made_at": night.now.isoformat()}  # fmt: skip
    snapshot = write_snapshot(night.home.folder("datasets"), splits, about)
    disliked = [_as_dict(row) for row in others if row.kind == "label" and not row.label]
    targets = [_as_dict(row) for row in (held or train)]
    return snapshot, Trial(targets, [_as_dict(row) for row in anchors[wanted:]], disliked)


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Whole conversations to train and validation; with few conversations everything trains.

    From twelve rows in three conversations on, the last conversation is left out of training.
    """
    conversations = list(dict.fromkeys(row.conversation for row in rows))
    if len(rows) < _HELD_OUT_FROM or len(conversations) < 3:
        return list(rows), []
    out = conversations[-1]
    return [r for r in rows if r.conversation != out], [r for r in rows if r.conversation == out]


def _as_dict(row: Row) -> dict[str, Any]:
    return {"prompt": row.prompt, "completion": row.completion, "weight": row.weight, "asked": row.asked}


def _train(night: Night, snapshot: Snapshot) -> tuple[Trained, Path]:
    """Train, unless the same dataset was trained with the same recipe before."""
    key = json.dumps([snapshot.hash, night.config.model_dump()], sort_keys=True)
    name = "run-" + hashlib.sha256(key.encode()).hexdigest()[:12]
    folder = night.home.folder("runs") / name
    rows = snapshot.rows("sft", "train")

    def progress(done: float, left: float) -> None:
        night.say(f"training: {done:4.0%}, about {left:.0f} s left")

    if not (folder / "adapter_model.safetensors").is_file():
        trained = train_sft(night.base, rows, night.config, folder, progress)
    else:
        trained = Trained(folder, (), len(rows), 0, 0.0)
    lineage: dict[str, str | int] = {
        "base": file_id(night.base), "dataset": snapshot.hash, "run": name,
        "template": str(snapshot.manifest["template"]),
    }  # fmt: skip
    raw = write_adapter(folder, folder / "adapter.gguf", lineage, architecture=_architecture(night.base))
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()[:12]
    target = night.home.folder(f"adapters/{night.campaign}/{night.npc}") / f"{night.npc}-{digest}.gguf"
    raw.replace(target)
    return trained, target


def _architecture(base: Path) -> Any:
    from transformers import AutoConfig

    from learning.gguf.adapter import architecture_of

    return architecture_of(AutoConfig.from_pretrained(base.parent, gguf_file=base.name))


async def _incumbent(night: Night) -> str | None:
    async with night.store.session() as session:
        active = await adapters.active_adapter(session, night.campaign, night.npc)
    if active is None:
        return None
    await night.engine.load_adapter(active.adapter, Path(active.path))
    return active.adapter


async def _register(night: Night, adapter: str, file: Path, verdict: GateVerdict) -> None:
    state = "candidate" if verdict.passed else "held"
    version = Version(adapter, night.npc, str(file), file_id(night.base), state, verdict.as_json(), night.now)
    async with night.store.session() as session:
        await adapters.add_version(session, night.campaign, version)


async def _samples(night: Night, trial: Trial, adapter: str, incumbent: str | None) -> tuple[tuple[str, str, str], ...]:
    """Five questions with the line before and after."""
    found = []
    for row in [*trial.targets[:3], *trial.anchors[:2]]:
        before, after = [await speak(night.engine, row["prompt"], name) for name in (incumbent, adapter)]
        found.append((row["asked"], before.text.strip(), after.text.strip()))
    return tuple(found)
