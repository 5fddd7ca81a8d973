"""The night's verdict: candidate against incumbent through gate and exam, and the shuffled control beside it."""

import time
from collections.abc import Sequence
from pathlib import Path

from characters.inference.errors import AdapterRefused, ModelMissing
from db.queries import adapters
from db.queries.adapters import Speaking
from learning.datasets.rows import Renderer
from learning.exam.matching import Mark
from learning.exam.running import sit
from learning.exam.scoring import compare
from learning.gate import GateVerdict, Measure, Stage, Trial, Witness, judge
from learning.gate.measures import EXAM
from learning.nightly.datasets import exam_items
from learning.nightly.judged import Marks, judged
from learning.nightly.values import Night
from learning.nightly.votes import blind_votes

_GATE_SHARE = 0.25  # of the night's time box
_EXAM_TOLERANCE = 0.03
_EXAM_TOLERANCES = {"unknown": 0.05}  # what it cannot know is refused in many ways, and matched less surely
_FEW_ANSWERS = 2  # that may change by chance, however few were asked
_CONTROL = "control"


async def incumbent_of(night: Night) -> Witness:
    """The voice in force, loaded; the bare base where it cannot speak on tonight's, as at the table."""
    async with night.store.session() as session:
        active = await adapters.active_adapter(session, night.campaign, night.npc)
    if active is None or not await _loaded(night, active):
        return await night.witness(None)
    return await night.witness(active.adapter)


async def _loaded(night: Night, active: Speaking) -> bool:
    """Put the voice in force into the engine; False where it is another base's, or its file is gone."""
    if not (await night.engine.capabilities()).carries(active.base_id):
        night.say(f"gate: {active.adapter} was trained on another base model; the bare base stands for it")
        return False
    try:
        await night.engine.load_adapter(active.adapter, Path(active.path))
    except (AdapterRefused, ModelMissing) as error:
        night.say(f"gate: the bare base stands for {active.adapter}; {error}")
        return False
    return True


async def judge_candidate(
    night: Night, renderer: Renderer, file: Path, incumbent: Witness, trial: Trial
) -> GateVerdict:
    """Ask the gate, then the exam, then the judge, where there is one that may decide."""
    await night.engine.load_adapter(file.stem, file)
    exam: Stage = ("exam", lambda: _exam(night, renderer, file.stem, incumbent.adapter))
    votes, deadline = blind_votes(night, file.stem, incumbent.adapter), _deadline(night)

    def marks(adapter: str | None) -> Marks:  # the exam's own, which were kept
        return lambda: _marks(night, renderer, adapter, keep=True)

    opinions = judged(night, marks(file.stem), marks(incumbent.adapter), deadline)
    return await judge(await night.witness(file.stem), incumbent, trial, further=[votes, exam, opinions],
                       deadline=deadline, say=night.say)  # fmt: skip


async def judge_control(night: Night, renderer: Renderer, file: Path, incumbent: Witness, trial: Trial) -> GateVerdict:
    """The same questions to the night with shuffled answers: the gate must hold it.

    A gate that lets this one through would let anything through, and its verdict is worth nothing.
    """
    await night.engine.load_adapter(_CONTROL, file)
    exam: Stage = ("exam", lambda: _exam(night, renderer, _CONTROL, incumbent.adapter, keep=False))
    try:
        return await judge(Witness(night.engine, _CONTROL), incumbent, trial, further=[exam], deadline=_deadline(night))
    finally:
        await night.engine.unload_adapter(_CONTROL)


def _deadline(night: Night) -> float:
    return time.monotonic() + night.minutes * 60 * _GATE_SHARE


async def _exam(
    night: Night, renderer: Renderer, candidate: str, incumbent: str | None, *, keep: bool = True
) -> list[Measure]:
    """What the NPC must know, asked of both; the incumbent is asked once."""
    before = await _marks(night, renderer, incumbent, keep=True)
    after = await _marks(night, renderer, candidate, keep=keep)
    return exam_measures(before, after)


def exam_measures(before: Sequence[Mark], after: Sequence[Mark]) -> list[Measure]:
    """What the exam holds a candidate to: some points of a hundred, and never less than two answers.

    Args:
        before: the incumbent's marks; `after`: the candidate's, of the same items.
    """
    return [
        Measure(f"{EXAM}{name}", found.second, found.first, found.n,
                tolerance=max(_EXAM_TOLERANCES.get(name, _EXAM_TOLERANCE), _FEW_ANSWERS / found.n))
        for name, found in compare(before, after).items() if found.n
    ]  # fmt: skip


async def _marks(night: Night, renderer: Renderer, adapter: str | None, *, keep: bool) -> list[Mark]:
    part = night.part()
    items = exam_items(part)
    folder = night.home.folder("runs/exams") if keep else None
    result = await sit(night.engine, part, items, adapter=adapter, budget=renderer.budget,
                       template=renderer.template, folder=folder)  # fmt: skip
    return result.marks(items, (part.sheet.name, part.sheet.first_name))
