"""The order of a night, and its record."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from characters.errors import UnderstudyError
from characters.inference.llama_cpp_engine import file_id
from db.queries import adapters, nights, teaching
from db.queries.adapters import Version
from db.tonight import enough, what_is_missing
from learning.datasets.snapshot import Snapshot
from learning.desk import refresh
from learning.gate import GateVerdict, Trial, Witness
from learning.harvest import counts
from learning.nightly.datasets import make_dataset, make_renderer
from learning.nightly.ended import NightEnded, clear, written
from learning.nightly.judging import incumbent_of, judge_candidate, judge_control
from learning.nightly.series import perplexity_of, series
from learning.nightly.training import train, train_control, verify
from learning.nightly.values import STAGES, Night, Outcome
from learning.nightly.withheld import withheld_from
from learning.recipes.series import alarm


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
    before = await asyncio.to_thread(written, night)
    try:
        outcome = await _stages(night)
    except NightEnded:
        return await _ended(night, before)
    except UnderstudyError as error:
        async with night.store.session() as session:
            await nights.finish_night(session, night.record, "failed", night.clock(), reason=str(error))
        raise
    if night.until == STAGES[-1]:
        report = {"adapter": outcome.adapter, "counts": outcome.counts, "missing": outcome.missing}
        async with night.store.session() as session:
            stands = await nights.finish_night(session, night.record, "done", night.clock(), report)
            known = outcome.adapter is not None and await adapters.in_good_standing(session, outcome.adapter)
        if not (stands or known):
            return await _ended(night, before)
    return outcome


async def _ended(night: Night, before: frozenset[Path]) -> Outcome:
    """Clear up, and say so without a word of what was read."""
    await asyncio.to_thread(clear, night, before)
    night.candidates = []
    found = counts([])
    return Outcome(night.npc, found, (), what_is_missing(found), note=(
        "The night was ended from outside, because somebody whose words it reads was forgotten. Nothing of it is "
        "kept; the next night begins anew."
    ))  # fmt: skip


async def _stages(night: Night) -> Outcome:
    async with _stage(night, "harvest"):
        night.say("harvest: reading what the table heard")
        await _harvest(night)
    found = counts(night.candidates)
    outcome = Outcome(night.npc, found, tuple(night.candidates), what_is_missing(found))
    if not enough(found["sft"], len(night.taught)) or night.until == "harvest":
        return outcome
    async with _stage(night, "dataset"):
        renderer = await make_renderer(night)
        built, trial = await make_dataset(night, renderer)
    snapshot = built.snapshot
    outcome = replace(outcome, dataset=snapshot.hash, left_out=built.left_out)
    if night.until == "dataset":
        return outcome
    async with _stage(night, "training"):
        await verify(night, renderer)
        work = train(night, snapshot, found)
    outcome = replace(outcome, trained=work.supervised, preference=work.preference,
                      reinforced=work.reinforced, note=work.note)
    if work.file is None:
        return outcome
    outcome = replace(outcome, adapter=work.file.stem)
    if night.until == "training":
        return outcome
    async with _stage(night, "gate"):
        incumbent, control = await incumbent_of(night), None
        verdict = await judge_candidate(night, renderer, work.file, incumbent, trial)
        if night.control:
            shuffled = train_control(night, snapshot, work.plan)
            control = await judge_control(night, renderer, shuffled, incumbent, trial)
        samples = await _samples(night, trial, work.file.stem, incumbent)
        perplexity = perplexity_of(night, work.file, work.supervised)
        points = await series(night, work.file.stem, perplexity)
        await _register(night, work.file, verdict, snapshot, {
            "control": control.as_json() if control else None, "perplexity": perplexity,
        })  # fmt: skip
    return replace(outcome, verdict=verdict, control=control, samples=samples, nights=points,
                   alarm=alarm([point.perplexity for point in points]))  # fmt: skip


@contextlib.asynccontextmanager
async def _stage(night: Night, name: str) -> AsyncIterator[None]:
    """Record that a stage runs, and how it ended."""

    async def note(state: str) -> None:
        async with night.store.session() as session:
            if not await nights.record_stage(session, night.record, name, state, night.clock()):
                raise NightEnded

    await note("running")
    try:
        yield
    except UnderstudyError:
        await note("failed")
        raise
    await note("done")


async def _harvest(night: Night) -> None:
    async with night.store.session() as session:
        if not await nights.still_runs(session, night.record):
            raise NightEnded
        night.taught = await teaching.taught_rows(session, night.campaign, night.npc)
        night.candidates = await refresh(session, night.campaign, night.npc, night.policy, night.now)
        night.withheld = await withheld_from(session, night.library, night.campaign, night.part())


async def _register(
    night: Night, file: Path, verdict: GateVerdict, snapshot: Snapshot, more: dict[str, Any]
) -> None:
    if _emptied(snapshot):
        raise NightEnded
    report = {**verdict.as_json(), "dataset": snapshot.hash, **more}
    state = "candidate" if verdict.passed else "held"
    version = Version(file.stem, night.npc, str(file), file_id(night.base), state, report, night.now)
    async with night.store.session() as session:
        if not await nights.still_runs(session, night.record):
            raise NightEnded
        await adapters.add_version(session, night.campaign, version)


def _emptied(snapshot: Snapshot) -> bool:
    manifest = snapshot.folder / "manifest.json"
    return not manifest.is_file() or "emptied" in json.loads(manifest.read_text("utf-8"))


async def _samples(night: Night, trial: Trial, adapter: str, incumbent: Witness) -> tuple[tuple[str, str, str], ...]:
    """Five questions with the line before and after."""
    candidate, found = await night.witness(adapter), []
    for row in [*trial.targets[:3], *trial.anchors[:2]]:
        before, after = [(await witness.line(row["prompt"]))[0] for witness in (incumbent, candidate)]
        found.append((row["asked"], before, after))
    incumbent.remember()
    candidate.remember()
    return tuple(found)
