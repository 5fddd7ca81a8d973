"""`understudy exam`: how good an NPC is, in numbers that are fair to any model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from characters.inference.engine import Capabilities, Engine
from characters.inference.errors import ModelMissing
from characters.library import Library
from characters.prompt import Budget, Part
from characters.sheet import Sheet
from learning.commands.place import Place
from learning.exam import report
from learning.exam.errors import ExamImpossible
from learning.exam.items import make_items
from learning.exam.matching import Mark
from learning.exam.running import Result, sit
from learning.exam.scoring import compare
from learning.exam.values import Item

if TYPE_CHECKING:
    from db.queries.adapters import Version
    from db.store import Store

SEED = 1
_BASE = "base"

Held = tuple[Result, list[Mark]]


@dataclass(frozen=True)
class Candidate:
    """The one who sits the exam, and the questions."""

    part: Part
    items: tuple[Item, ...]
    known: Sequence[Version]
    speaking: str | None

    def adapter(self, wanted: str | None) -> Version | None:
        """The adapter that was asked for; None for the bare base. Without a wish, the one that speaks.

        Raises:
            ExamImpossible: there is no such adapter.
        """
        name = self.speaking if wanted is None else wanted
        if name in {None, _BASE}:
            return None
        for version in self.known:
            if version.adapter == name:
                return version
        raise ExamImpossible(
            f"There is no adapter {name!r} of {self.part.slug}; `understudy adapters` lists them, and `base` is none."
        )


@click.command()
@click.argument("npc")
@click.option("--adapter", metavar="ID", help="Another one than the one that speaks; `base` for none.")
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="Another GGUF than the one that serves.")
@click.option("--compare", "both", nargs=2, metavar="A B", help="Two adapters, question by question.")
@click.option("--out", metavar="FILE.md", type=click.Path(path_type=Path), help="Write the report there.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def exam(  # noqa: PLR0913  (a command takes its options by name)
    npc: str, adapter: str | None, model: Path | None, both: tuple[str, str] | None, out: Path | None,
    campaign: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Ask an NPC some 120 questions on its sheet and its world, and count what it gets right."""
    if both and adapter:
        raise click.UsageError("--adapter and --compare cannot go together; name both adapters after --compare.")
    place = _with_model(Place.find(campaign), model)
    alone = _BASE if model else None  # another model speaks alone unless an adapter is named
    wanted: list[str | None] = [*both] if both else [adapter or alone]
    held = place.run(lambda store, number: _hold(place, store, number, npc, wanted))
    name = Library(place.home.root).get(held[0][0].npc).name
    if both:
        text = report.markdown_of_two([result for result, _ in held], [marks for _, marks in held], name)
    else:
        text = report.markdown(*held[0], name)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
    if as_json:
        told = _both_as_json(held) if both else report.as_json(*held[0])
        click.echo(json.dumps({**told, "file": str(out) if out else None}, ensure_ascii=False))
    else:
        click.echo(f"The report is in {out}." if out else text)


def _with_model(place: Place, model: Path | None) -> Place:
    if model is None:
        return place
    if not model.is_file():
        raise ModelMissing(f"There is no model file {model}; check the path.")
    engine = place.settings.engine.model_copy(update={"model": str(model)})
    return replace(place, settings=place.settings.model_copy(update={"engine": engine}))


def _both_as_json(held: Sequence[Held]) -> dict[str, Any]:
    (first, before), (second, after) = held
    found = {name: asdict(difference) for name, difference in compare(before, after).items()}
    one, other = report.as_json(first, before), report.as_json(second, after)
    return {"npc": first.npc, "differences": found, "a": one, "b": other}


async def _hold(place: Place, store: Store, campaign: int, npc: str, wanted: Sequence[str | None]) -> list[Held]:
    """Hold an exam for every adapter that is wanted, on one engine."""
    candidate = await _candidate(Library(place.home.root), store, campaign, npc)
    versions = [candidate.adapter(name) for name in wanted]
    engine = place.engine()
    try:
        return [await _sit(place, engine, candidate, version) for version in versions]
    finally:
        await engine.close()


async def _candidate(library: Library, store: Store, campaign: int, npc: str) -> Candidate:
    from db.queries import adapters, reactions

    slug = library.find(npc)
    sheet = library.get(slug)
    world = library.world(sheet.world)
    async with store.session() as session:
        style = await reactions.style_examples(session, campaign, slug)
        known = await adapters.versions(session, campaign, slug)
        speaking = await adapters.active_adapter(session, campaign, slug)
    items = make_items(sheet, world, SEED, others=_others(slug), knower=slug)
    return Candidate(Part(slug, sheet, world, style), items, known, speaking.adapter if speaking else None)


def _others(slug: str) -> list[Sheet]:
    """The NPCs that ship with the program: a home's own do not change the questions of the rest."""
    shipped = Library(None)
    return [shipped.get(other) for other in shipped.slugs() if other != slug]


def _serving_budget(place: Place, can: Capabilities) -> Budget:
    """The budget the table would serve with."""
    chosen = place.settings
    system = chosen.engine.system_budget or can.system_budget or 700
    return Budget(min(can.context, can.context_budget or can.context), chosen.sampling.max_tokens, system)


async def _sit(place: Place, engine: Engine, candidate: Candidate, version: Version | None) -> Held:
    can = await engine.capabilities()
    click.echo(f"{candidate.part.slug}: {len(candidate.items)} questions to {can.name}", err=True)
    if version is not None:
        if version.base_id != can.base_id:
            raise ExamImpossible(f"{version.adapter} was trained on another base model; name that one with --model.")
        await engine.load_adapter(version.adapter, Path(version.path))
    result = await sit(
        engine, candidate.part, candidate.items, adapter=version.adapter if version else None,
        budget=_serving_budget(place, can), template=can.template,
        folder=place.home.folder("runs/exams"),
    )  # fmt: skip
    sheet = candidate.part.sheet
    return result, result.marks(candidate.items, (sheet.name, sheet.first_name))
