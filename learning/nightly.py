"""One NPC's night: what the table liked becomes how it speaks.

    harvest → dataset → training → GGUF adapter → gate → registered, for the GM to promote

Every stage hands over files with manifests or rows in the database; only this module knows their
order. Everything a stage makes is named by the hash of what it was made from, so that a night that
was killed finds what is done and goes on from there; each stage's beginning and end are recorded.
"""

import contextlib
import hashlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from characters.errors import UnderstudyError
from characters.inference.engine import Capabilities, Engine
from characters.inference.llama_cpp_engine import file_id
from characters.library import Library
from characters.prompt import Budget, Part
from db.home import Home
from db.provenance import Policy
from db.queries import adapters, harvest, nights, reactions
from db.queries.adapters import Version
from db.queries.harvest import CandidateRecord
from db.store import Store
from learning.anchors import anchor_candidates, general_candidates
from learning.datasets.rows import Renderer, Row
from learning.datasets.snapshot import Snapshot, write_snapshot
from learning.errors import BaseUntrainable, NothingToLearn
from learning.gate import GateVerdict, Trial, Witness, judge
from learning.gguf.adapter import write_adapter
from learning.gguf.base_model import verify_base
from learning.harvest import Candidate, counts
from learning.harvest import harvest as to_candidates
from learning.recipes.config import SftConfig
from learning.recipes.sft import Trained, train_sft
from learning.trials import make_trial

_FIRST_TRAINING = 8
_FIRST_PREFERENCE = (30, 60)
_HELD_OUT_FROM = 12
_REPLAYED = 24
_VERIFIED_ON = 200
_GATE_SHARE = 0.5  # of the training's time box
STAGES = ("harvest", "dataset", "training", "gate")

Say = Callable[[str], None]


@dataclass
class Night:
    """Everything a night works with, and what it found so far.

    Attributes:
        control: train and judge the same night with shuffled answers beside it.
        until: the stage to stop after.
        record: its row in the database, once it has begun.
    """

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
    clock: Callable[[], datetime]
    reply_tokens: int = 110
    control: bool = True
    until: str = "gate"
    record: int = 0
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a night came to; `adapter` is None where nothing was trained.

    Attributes:
        control: the verdict on the same night with its answers shuffled, which must be held.
        samples: (asked, before, after).
    """

    npc: str
    counts: dict[str, int]
    candidates: tuple[Candidate, ...]
    missing: str
    adapter: str | None = None
    dataset: str = ""
    trained: Trained | None = None
    verdict: GateVerdict | None = None
    control: GateVerdict | None = None
    samples: tuple[tuple[str, str, str], ...] = ()


async def run(night: Night) -> Outcome:
    """Run a whole night for one NPC, or go on with the one that was interrupted.

    Raises:
        UnderstudyError: one sentence; what was harvested is kept.
    """
    async with night.store.session() as session:
        record = await nights.begin_night(session, night.campaign, night.npc, night.now)
    night.record = record.id
    if record.attempts > 1:
        night.say("going on with the night that was interrupted")
    try:
        outcome = await _stages(night)
    except UnderstudyError as error:
        async with night.store.session() as session:
            await nights.finish_night(session, night.record, "failed", night.clock(), reason=str(error))
        raise
    if night.until == STAGES[-1] or outcome.adapter is None:
        report = {"adapter": outcome.adapter, "counts": outcome.counts, "missing": outcome.missing}
        async with night.store.session() as session:
            await nights.finish_night(session, night.record, "done", night.clock(), report)
    return outcome


async def _stages(night: Night) -> Outcome:
    async with _stage(night, "harvest"):
        night.say("harvest: reading what the table heard")
        await _harvest(night)
    found = counts(night.candidates)
    human = [c for c in night.candidates if c.trainable and c.kind == "sft"]
    so_far = Outcome(night.npc, found, tuple(night.candidates), what_is_missing(found))
    if len(human) < _FIRST_TRAINING or night.until == "harvest":
        return so_far
    async with _stage(night, "dataset"):
        renderer = await _renderer(night)
        await _verify(night, renderer)
        snapshot, trial = await _dataset(night, renderer, human)
    so_far = replace(so_far, dataset=snapshot.hash)
    if night.until == "dataset":
        return so_far
    rows = snapshot.rows("sft", "train")
    async with _stage(night, "training"):
        night.say(f"training: {len(rows)} rows, {night.config.epochs:g} passes at most")
        trained, file = _train(night, snapshot, rows, "run")
    so_far = replace(so_far, adapter=file.stem, trained=trained)
    if night.until == "training":
        return so_far
    async with _stage(night, "gate"):
        incumbent = await _incumbent(night)
        verdict = await _judge(night, file, incumbent, trial)
        control = await _control(night, snapshot, rows, incumbent, trial) if night.control else None
        samples = await _samples(night, trial, file.stem, incumbent)
        await _register(night, file, verdict, snapshot, control)
    return replace(so_far, verdict=verdict, control=control, samples=samples)


@contextlib.asynccontextmanager
async def _stage(night: Night, name: str) -> AsyncIterator[None]:
    """Record that a stage runs, and how it ended."""

    async def note(state: str) -> None:
        async with night.store.session() as session:
            await nights.record_stage(session, night.record, name, state, night.clock())

    await note("running")
    try:
        yield
    except UnderstudyError:
        await note("failed")
        raise
    await note("done")


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


async def _renderer(night: Night) -> Renderer:
    can = await night.engine.capabilities()
    if can.template is None:
        raise NothingToLearn(f"{night.base.name} has no chat template inside; choose a base model that has one.")
    return Renderer(can.template, budget(can, night.reply_tokens))


async def _verify(night: Night, renderer: Renderer) -> None:
    """Prove once per base file that it is trained as it is served."""
    proof = night.home.folder("models") / f"verified-{file_id(night.base)}.json"
    if not proof.is_file():
        night.say("base: proving that it is trained as it is served (once per model)")
        rows = [renderer.row(c, part) for part, c in general_candidates(_VERIFIED_ON, 97)]
        found = await verify_base(night.base, night.engine, [row.prompt + row.completion for row in rows])
        said = {"ok": found.ok, "reason": found.reason, "texts": found.texts, "tokens_equal": found.tokens_equal,
                "words": found.scored, "difference": found.difference, "worst": found.worst}  # fmt: skip
        proof.write_text(json.dumps(said, indent=2), "utf-8")
    known = json.loads(proof.read_text("utf-8"))
    if not known["ok"]:
        raise BaseUntrainable(known["reason"])


async def _dataset(night: Night, renderer: Renderer, human: Sequence[Candidate]) -> tuple[Snapshot, Trial]:
    can, part = await night.engine.capabilities(), await _part(night)
    wanted, seed = max(0, min(night.config.anchors, 150)), night.config.seed
    # What is in the prompt need not be learnt: the table's lines are trained without their own examples.
    bare = replace(part, style=())
    rows = [renderer.row(c, bare) for c in human]
    others = [renderer.row(c, bare) for c in night.candidates if c.trainable and c.kind != "sft"]
    train, held = split(rows)
    guard = [renderer.row(c, bare) for c in anchor_candidates(bare, max(0, wanted - len(train)), seed)]
    replayed = await _replay(night, renderer) if guard else []
    splits = {"train": [*train, *guard, *replayed, *others], "validation": held}
    about = {"npc": night.npc, "base": can.base_id, "template": renderer.template.hash, "sheet": part.sheet.version,
             "seed": seed, "made_at": night.now.isoformat()}  # fmt: skip
    snapshot = write_snapshot(night.home.folder("datasets"), splits, about)
    return snapshot, make_trial(renderer, bare, held or train, night.candidates, seen=not held, seed=seed + 1000)


async def _replay(night: Night, renderer: Renderer) -> list[Row]:
    """What the bare base says to strangers' questions, made once per base: it is to go on saying so."""
    base = (await night.engine.capabilities()).base_id
    witness = Witness(night.engine, None, night.home.folder("cache/gate") / f"{base}-replay.json")
    found = []
    for part, candidate in general_candidates(_REPLAYED, 41):
        row = renderer.row(candidate, part)
        text, ended = await witness.line(row.prompt)
        if ended and text:
            found.append(replace(row, completion=text + renderer.template.eos, signal="replay"))
    witness.remember()
    return found


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Whole conversations to train and validation; with few conversations everything trains.

    From twelve rows in three conversations on, the last conversation is left out of training.
    """
    conversations = list(dict.fromkeys(row.conversation for row in rows))
    if len(rows) < _HELD_OUT_FROM or len(conversations) < 3:
        return list(rows), []
    out = conversations[-1]
    return [r for r in rows if r.conversation != out], [r for r in rows if r.conversation == out]


def _train(night: Night, snapshot: Snapshot, rows: Sequence[dict[str, Any]], name: str) -> tuple[Trained, Path]:
    """Train, unless the same rows were trained with the same recipe before."""
    key = json.dumps([snapshot.hash, night.config.model_dump(), name], sort_keys=True)
    run_name = f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    folder = night.home.folder("runs") / run_name

    def progress(done: float, left: float) -> None:
        night.say(f"{'training' if name == 'run' else name}: {done:4.0%}, about {left:.0f} s left")

    if not (folder / "adapter_model.safetensors").is_file():
        trained = train_sft(night.base, rows, night.config, folder, progress)
    else:
        trained = Trained(folder, (), len(rows), 0, 0.0)
    lineage: dict[str, str | int] = {
        "base": file_id(night.base), "dataset": snapshot.hash, "run": run_name,
        "template": str(snapshot.manifest["template"]),
    }  # fmt: skip
    raw = write_adapter(folder, folder / "adapter.gguf", lineage, architecture=_architecture(night.base))
    if name != "run":
        return trained, raw
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()[:12]
    target = night.home.folder(f"adapters/{night.campaign}/{night.npc}") / f"{night.npc}-{digest}.gguf"
    raw.replace(target)
    return trained, target


def _architecture(base: Path) -> Any:
    from transformers import AutoConfig

    from learning.gguf.adapter import architecture_of

    return architecture_of(AutoConfig.from_pretrained(base.parent, gguf_file=base.name))


async def _incumbent(night: Night) -> Witness:
    async with night.store.session() as session:
        active = await adapters.active_adapter(session, night.campaign, night.npc)
    if active is not None:
        await night.engine.load_adapter(active.adapter, Path(active.path))
    return await _witness(night, active.adapter if active else None)


async def _witness(night: Night, adapter: str | None) -> Witness:
    base = (await night.engine.capabilities()).base_id
    memory = night.home.folder("cache/gate") / f"{base}-{adapter or 'bare'}.json"
    return Witness(night.engine, adapter, memory)


async def _judge(night: Night, file: Path, incumbent: Witness, trial: Trial) -> GateVerdict:
    await night.engine.load_adapter(file.stem, file)
    candidate = await _witness(night, file.stem)
    deadline = time.monotonic() + night.config.minutes * 60 * _GATE_SHARE
    return await judge(candidate, incumbent, trial, deadline=deadline, say=night.say)


async def _control(
    night: Night, snapshot: Snapshot, rows: Sequence[dict[str, Any]], incumbent: Witness, trial: Trial
) -> GateVerdict:
    """The same night with every answer given to another question: the gate must hold it.

    A gate that lets this one through would let anything through, and its verdict is worth nothing.
    """
    answers = [row["completion"] for row in rows]
    random.Random(night.config.seed).shuffle(answers)
    shuffled = [{**row, "completion": answer} for row, answer in zip(rows, answers, strict=True)]
    _, file = _train(night, snapshot, shuffled, "control")
    await night.engine.load_adapter("control", file)
    try:
        deadline = time.monotonic() + night.config.minutes * 60 * _GATE_SHARE
        return await judge(Witness(night.engine, "control"), incumbent, trial, deadline=deadline)
    finally:
        await night.engine.unload_adapter("control")


async def _register(
    night: Night, file: Path, verdict: GateVerdict, snapshot: Snapshot, control: GateVerdict | None
) -> None:
    report = {**verdict.as_json(), "dataset": snapshot.hash, "control": control.as_json() if control else None}
    state = "candidate" if verdict.passed else "held"
    version = Version(file.stem, night.npc, str(file), file_id(night.base), state, report, night.now)
    async with night.store.session() as session:
        await adapters.add_version(session, night.campaign, version)


async def _samples(night: Night, trial: Trial, adapter: str, incumbent: Witness) -> tuple[tuple[str, str, str], ...]:
    """Five questions with the line before and after."""
    candidate, found = await _witness(night, adapter), []
    for row in [*trial.targets[:3], *trial.anchors[:2]]:
        before, after = [(await witness.line(row["prompt"]))[0] for witness in (incumbent, candidate)]
        found.append((row["asked"], before, after))
    incumbent.remember()
    return tuple(found)


