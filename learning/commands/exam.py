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
from learning.exam import plot, report, tables
from learning.exam.errors import ExamImpossible
from learning.exam.footprint import memory_of_all
from learning.exam.items import make_items
from learning.exam.running import sit
from learning.exam.scoring import compare, score
from learning.exam.sitting import Sitting, judged
from learning.exam.values import EVERY, Category, Item

if TYPE_CHECKING:
    from db.queries.adapters import Version
    from db.store import Store

SEED = 1
_BASE = "base"
_STEP = 100  # questions between two signs of life


@dataclass(frozen=True)
class Speaker:
    """Who is to answer.

    Attributes:
        model: another GGUF than the one that serves; None for that one.
        adapter: an id, ``base`` for none, None for the one that speaks.
    """

    model: Path | None
    adapter: str | None


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
@click.argument("npc", required=False)
@click.option("--all", "everybody", is_flag=True, help="Every shipped NPC, one after the other.")
@click.option("--adapter", metavar="ID", help="Another one than the one that speaks; `base` for none.")
@click.option("--model", "models", metavar="FILE", multiple=True, help="Another GGUF than the one that serves.")
@click.option("--compare", "both", nargs=2, metavar="A B", help="Two adapters or files, question by question.")
@click.option("--kinds", metavar="LIST", help=f"Only these, with commas: {', '.join(EVERY)}.")
@click.option("--out", metavar="FILE.md", type=click.Path(path_type=Path), help="Write the report and its plot there.")
@click.option("--table", metavar="FILE.md", type=click.Path(path_type=Path), help="With --all: write the table there.")
@click.option("--judge", type=click.Choice(["offline", "local", "openai"]), help="Let evaluators look at replies, too.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def exam(  # noqa: PLR0913  (a command takes its options by name)
    npc: str | None, everybody: bool, adapter: str | None, models: tuple[str, ...], both: tuple[str, str] | None,
    kinds: str | None, out: Path | None, table: Path | None, judge: str | None, campaign: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Ask an NPC what its sheet, its world and its players ask of it, and count what it gets right."""
    speakers = _speakers(adapter, models, both)
    _refuse_nonsense(npc, everybody, speakers, both, table)
    place, asked = Place.find(campaign), _categories(kinds)
    npcs = Library(None).slugs() if everybody else [str(npc)]
    sittings = place.run(lambda store, number: _hold_and_judge(place, store, number, npcs, speakers, asked, judge))
    if everybody:
        _tell_table(sittings, table, as_json)
    else:
        _tell(sittings, out, as_json)


def _speakers(adapter: str | None, models: Sequence[str], both: Sequence[str] | None) -> list[Speaker]:
    """Who is to answer; another model speaks alone unless an adapter is named."""
    if both:
        if adapter or len(models) > 1:
            raise click.UsageError("--adapter and --compare cannot go together; name both speakers after --compare.")
        base = _file(models[0]) if models else None
        return [Speaker(_file(name), _BASE) if name.endswith(".gguf") else Speaker(base, name) for name in both]
    return [Speaker(_file(name), adapter or _BASE) for name in models] or [Speaker(None, adapter)]


def _refuse_nonsense(
    npc: str | None, everybody: bool, speakers: Sequence[Speaker], both: Sequence[str] | None, table: Path | None
) -> None:
    if everybody is (npc is not None):
        raise click.UsageError("Name one NPC, or say --all for every one that ships.")
    if len(speakers) > 1 and not everybody and not both:
        raise click.UsageError("Several models go with --all; to compare two for one NPC, use --compare A B.")
    if table and not everybody:
        raise click.UsageError("--table goes with --all.")


def _file(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelMissing(f"There is no model file {path}; check the path.")
    return path


def _categories(kinds: str | None) -> tuple[Category, ...]:
    if not kinds:
        return EVERY
    wanted = [kind.strip() for kind in kinds.split(",")]
    if unknown := [kind for kind in wanted if kind not in EVERY]:
        raise click.UsageError(f"There is no kind {unknown[0]!r}; there are {', '.join(EVERY)}.")
    return tuple(category for category in EVERY if category in wanted)


def _tell(sittings: Sequence[Sitting], out: Path | None, as_json: bool) -> None:
    picture = out.with_suffix(".svg") if out else None
    name = picture.name if picture else ""
    first, last = sittings[0], sittings[-1]
    text = report.markdown_of_two(first, last, name) if len(sittings) == 2 else report.markdown(first, name)
    if out and picture:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
        shares = {f"{mark} {one.speaker}" if mark else one.speaker: score(one.marks)
                  for mark, one in zip("AB" if len(sittings) == 2 else [""], sittings, strict=True)}  # fmt: skip
        picture.write_text(plot.svg(f"{first.name}: the exam, 95 % intervals", shares), "utf-8")
    if as_json:
        told = _both_as_json(first, last) if len(sittings) == 2 else report.as_json(first)
        click.echo(json.dumps({**told, "file": str(out) if out else None}, ensure_ascii=False))
    else:
        click.echo(f"The report is in {out}." if out else text)


def _tell_table(sittings: Sequence[Sitting], file: Path | None, as_json: bool) -> None:
    text = tables.table(sittings)
    if file:
        tables.write_into(file, text)
    if as_json:
        told = {"exams": [report.as_json(one) for one in sittings], "file": str(file) if file else None}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"The table is in {file}." if file else text)


def _both_as_json(first: Sitting, second: Sitting) -> dict[str, Any]:
    found = {name: asdict(difference) for name, difference in compare(first.marks, second.marks).items()}
    return {"npc": first.result.npc, "differences": found, "a": report.as_json(first), "b": report.as_json(second)}


async def _hold_and_judge(  # noqa: PLR0913
    place: Place, store: Store, campaign: int, npcs: Sequence[str], speakers: Sequence[Speaker],
    categories: Sequence[Category], judge: str | None,
) -> list[Sitting]:  # fmt: skip
    from learning.commands.exam_judge import with_opinions

    sittings = await _hold_all(place, store, campaign, npcs, speakers, categories)
    if judge is None:
        return sittings
    return [await with_opinions(place, store, campaign, sitting, judge) for sitting in sittings]


async def _hold_all(
    place: Place, store: Store, campaign: int, npcs: Sequence[str], speakers: Sequence[Speaker],
    categories: Sequence[Category],
) -> list[Sitting]:  # fmt: skip
    """Hold an exam for every speaker and NPC, on one engine as long as the model stays."""
    candidates = [await _candidate(place, store, campaign, npc, categories) for npc in npcs]
    for speaker in speakers:  # a wrong id is told before an hour of questions, not after it
        for candidate in candidates:
            candidate.adapter(speaker.adapter)
    found: list[Sitting] = []
    engine: Engine | None = None
    for turn, speaker in enumerate(speakers):
        here = _with_model(place, speaker.model)
        engine = engine or here.engine()
        try:
            for candidate in candidates:
                found.append(await _sit(here, engine, candidate, candidate.adapter(speaker.adapter)))
        finally:
            if turn + 1 == len(speakers) or speakers[turn + 1].model != speaker.model:
                await engine.close()
                engine = None
    return found


def _with_model(place: Place, model: Path | None) -> Place:
    if model is None:
        return place
    engine = place.settings.engine.model_copy(update={"model": str(model)})
    return replace(place, settings=place.settings.model_copy(update={"engine": engine}))


async def _candidate(
    place: Place, store: Store, campaign: int, npc: str, categories: Sequence[Category]
) -> Candidate:
    from db.queries import adapters, reactions

    library = Library(place.home.root)
    slug = library.find(npc)
    sheet = library.get(slug)
    world = library.world(sheet.world)
    async with store.session() as session:
        style = await reactions.style_examples(session, campaign, slug)
        known = await adapters.versions(session, campaign, slug)
        speaking = await adapters.active_adapter(session, campaign, slug)
    others = [other for name, other in _cast().items() if name != slug]
    items = make_items(sheet, world, SEED, others=others, knower=slug, categories=categories)
    return Candidate(Part(slug, sheet, world, style), items, known, speaking.adapter if speaking else None)


def _cast() -> dict[str, Sheet]:
    """The NPCs that ship with the program: a home's own do not change the questions of the rest."""
    shipped = Library(None)
    return {slug: shipped.get(slug) for slug in shipped.slugs()}


def _serving_budget(place: Place, can: Capabilities) -> Budget:
    """The budget the table would serve with."""
    chosen = place.settings
    system = chosen.engine.system_budget or can.system_budget or 700
    return Budget(min(can.context, can.context_budget or can.context), chosen.sampling.max_tokens, system)


async def _sit(place: Place, engine: Engine, candidate: Candidate, version: Version | None) -> Sitting:
    can = await engine.capabilities()
    click.echo(f"{candidate.part.slug}: {len(candidate.items)} questions to {can.name}", err=True)
    if version is not None:
        if version.base_id != can.base_id:
            raise ExamImpossible(f"{version.adapter} was trained on another base model; name that one with --model.")
        await engine.load_adapter(version.adapter, Path(version.path))
    result = await sit(
        engine, candidate.part, candidate.items, adapter=version.adapter if version else None,
        budget=_serving_budget(place, can), template=can.template,
        folder=place.home.folder("runs/exams"), said=lambda n: _count(n, len(candidate.items)),
    )  # fmt: skip
    speaker = f"{can.name} with {version.adapter}" if version else can.name
    return judged(result, candidate.items, candidate.part.sheet, _cast(), speaker=speaker, megabytes=memory_of_all())


def _count(done: int, of: int) -> None:
    if done % _STEP == 0 and done < of:
        click.echo(f"  {done} of {of}", err=True)
