"""`understudy teach document`: an NPC learns what a document says, and has it at hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, now
from learning.commands.teach_bootstrap import makes_way, part_of, run_name
from learning.commands.teachers import KINDS, open_desk, teacher_for
from learning.errors import LearningError

if TYPE_CHECKING:
    from characters.prompt import Part
    from db.store import Store
    from learning.documents.prompts import Counts
    from learning.documents.reading import Chunk
    from learning.teachers.progress import Progress
    from learning.teachers.protocol import Teacher

_PAIR, _VERDICT = 60, 40  # tokens, usually
_SHIPPED = Path(__file__).resolve().parents[1] / "guides"


@dataclass(frozen=True)
class _Wish:
    npc: str
    files: tuple[Path, ...]
    counts: Counts
    seed: int
    licence: str
    by_heart: float
    teacher: str | None
    budget: float | None
    lore: bool
    dry: bool


@click.command()
@click.argument("npc")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--mean", default=3.0, show_default=True, type=click.FloatRange(0), help="Pairs a chunk, in the mean.")
@click.option("--deviation", default=3.5, show_default=True, type=click.FloatRange(0), help="Their standard deviation.")
@click.option("--least", default=2, show_default=True, type=click.IntRange(1), help="Pairs a chunk at least.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1), help="Pairs a chunk at most.")
@click.option("--by-heart", default=0.5, show_default=True, type=click.FloatRange(0, 1),
              help="Share of rows without the chunk's facts at hand.")  # fmt: skip
@click.option("--licence", default="the operator's own", show_default=True, help="Under which it may be used.")
@click.option("--lore/--no-lore", default=True, show_default=True, help="Also put its facts at hand.")
@click.option("--seed", default=1, show_default=True, help="Another seed draws other questions.")
@click.option("--teacher", type=click.Choice(KINDS), help="Another one than teacher.document names.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="AMOUNT", help="Stop before it is passed.")
@click.option("--dry-run", "dry", is_flag=True, help="Estimate requests, tokens and price; ask nothing.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def document(  # noqa: PLR0913  (a command takes its options by name)
    npc: str, files: tuple[Path, ...], mean: float, deviation: float, least: int, most: int, by_heart: float,
    licence: str, lore: bool, seed: int, teacher: str | None, budget: float | None, dry: bool, campaign: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Teach an NPC what documents say: Markdown, text, HTML, or folders of them.

    Questions and answers are drawn from every chunk, cleaned and checked against it; what the document says
    also comes to hand at the table. `crafting` names the guide that ships with the program.
    """
    from learning.documents.prompts import Counts

    if least > most:
        raise click.UsageError("--least is above --most.")
    wish = _Wish(npc, tuple(map(_file, files)), Counts(mean, deviation, least, most), seed, licence, by_heart, teacher,
                 budget, lore, dry)  # fmt: skip
    place = Place.find(campaign)
    told = place.run(lambda store, number: _document(place, store, number, wish))
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else told["summary"])


def _file(path: Path) -> Path:
    """A file as it was named; without such a file, a guide that ships under the name."""
    shipped = _SHIPPED / f"{path}.md"
    return shipped if not path.exists() and shipped.is_file() else path.expanduser()


async def _document(place: Place, store: Store, campaign: int, wish: _Wish) -> dict[str, Any]:
    from characters.library import Library
    from db.night_lock import teach_lock
    from learning.documents.reading import read_documents
    from learning.teachers.progress import Progress

    slug = Library(place.home.root).find(wish.npc)
    chunks = read_documents(wish.files)
    teacher = teacher_for(place, "document", wish.teacher)
    looks = None
    try:
        looks = _cleaner(place, wish, teacher)
        part = await part_of(place, store, campaign, slug, leaves=teacher.remote)
        if wish.dry:
            return _estimate(part, chunks, wish, teacher, looks)
        progress = Progress(say=lambda text: click.echo(f"{slug}: {text}", err=True))
        with teach_lock(place.home, now, "Teaching", makes_way):
            return await _run(place, store, campaign, part, chunks, wish, teacher, looks, progress)
    finally:
        await teacher.close()
        if looks is not None:
            await looks.close()


def _cleaner(place: Place, wish: _Wish, teacher: Teacher) -> Teacher | None:
    """Who looks the pairs over besides the rules: nobody, the same teacher or another."""
    kind = place.settings.teacher.clean
    if kind == "offline":
        return None
    return teacher if kind == (wish.teacher or place.settings.teacher.document) else teacher_for(place, "clean")


async def _run(  # noqa: PLR0913
    place: Place, store: Store, campaign: int, part: Part, chunks: list[Chunk], wish: _Wish, teacher: Teacher,
    looks: Teacher | None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    from learning.documents.running import Reading, tell_lore
    from learning.teachers.errors import BudgetReached

    run = run_name("document", part, campaign, wish.seed, teacher.name, vars(wish.counts), wish.by_heart,
                   [chunk.id for chunk in chunks])  # fmt: skip
    desk = await open_desk(place, store, campaign, teacher, run, progress, budget=wish.budget)
    cleaner = None
    if looks is not None:
        cleaner = desk if looks is teacher else await open_desk(place, store, campaign, looks, run, progress,
                                                                budget=wish.budget)  # fmt: skip
    note = ""
    lore = await tell_lore(desk, part.slug, chunks) if wish.lore else 0
    try:
        await Reading(desk, part, chunks, wish.counts, wish.seed, wish.licence, cleaner, wish.by_heart).run()
    except BudgetReached as error:
        note = str(error)
    except LearningError:
        click.echo(f"{part.slug}: {progress}", err=True)
        raise
    summary = f"{part.slug}: {len(chunks)} chunks, {progress}; {lore} facts are new at hand. {note}".strip()
    return {"npc": part.slug, "run": run, "teacher": teacher.name, "chunks": len(chunks), "facts_at_hand": lore,
            **progress.as_json(), "stopped": note, "summary": summary}  # fmt: skip


def _estimate(part: Part, chunks: list[Chunk], wish: _Wish, teacher: Teacher, looks: Teacher | None) -> dict[str, Any]:
    """What a run would ask and cost: the real prompts, and answers of usual length."""
    import random

    from learning.commands.estimating import Estimate
    from learning.documents.entries import entries_of
    from learning.documents.prompts import Variant, chunk_request, entity_request

    rng, asked, said = random.Random(wish.seed), "x" * _PAIR, "x" * 3 * _PAIR  # four letters a token
    drawn, checked, pairs = Estimate(teacher), Estimate(looks or teacher), 0
    for chunk in chunks:
        count = wish.counts.draw(rng)
        pairs += count
        request = chunk_request(part, chunk, tuple(entries_of(chunk)), count, Variant(False, ""), 1)
        drawn.add([request], 1, _PAIR * count)
        if looks is not None:
            checked.add([entity_request(asked, said, chunk, wish.seed)], count, _VERDICT)
    requests = round(drawn.requests + checked.requests)
    read, written = round(drawn.read + checked.read), round(drawn.written + checked.written)
    told: dict[str, Any] = {
        "npc": part.slug, "teacher": teacher.name, "chunks": len(chunks), "pairs": pairs, "requests": requests,
        "prompt_tokens": read, "completion_tokens": written, "cost": drawn.likely + checked.likely,
        "cost_at_most": drawn.most + checked.most,
    }  # fmt: skip
    also = f", looked over by {looks.name}," if looks else ""
    told["summary"] = (
        f"{part.slug}: {len(chunks)} chunks by {teacher.name}{also} take {requests} requests for about {pairs} pairs, "
        f"{read} tokens read and {written} written: about {told['cost']:.2f}, {told['cost_at_most']:.2f} at most. "
        "Nothing was asked."
    )
    return told
