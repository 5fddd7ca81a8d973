"""`understudy teach bootstrap`: conversations for an NPC that has none yet."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, now
from learning.commands.teachers import KINDS, open_desk, teacher_for
from learning.errors import LearningError

if TYPE_CHECKING:
    from characters.prompt import Part
    from db.store import Store
    from learning.teachers.progress import Progress
    from learning.teachers.protocol import Teacher

_ROWS = 300


@dataclass(frozen=True)
class _Wish:
    npc: str
    rows: int
    seed: int
    teacher: str | None
    budget: float | None
    dry: bool


@click.command()
@click.argument("npc")
@click.option("--rows", default=_ROWS, show_default=True, type=click.IntRange(1), help="How many lines in all.")
@click.option("--seed", default=1, show_default=True, help="Another seed draws other conversations.")
@click.option("--teacher", type=click.Choice(KINDS), help="Another one than teacher.bootstrap names.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="AMOUNT", help="Stop before it is passed.")
@click.option("--dry-run", "dry", is_flag=True, help="Estimate requests, tokens and price; ask nothing.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def bootstrap(  # noqa: PLR0913  (a command takes its options by name)
    npc: str, rows: int, seed: int, teacher: str | None, budget: float | None, dry: bool, campaign: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write conversations for an NPC that has none yet.

    Askers are drawn from a grid of people, moods, places, reasons and familiarity; a tenth is hostile or
    knows nothing. The same command goes on with what was interrupted, and pays for nothing twice.
    """
    place = Place.find(campaign)
    wish = _Wish(npc, rows, seed, teacher, budget, dry)
    told = place.run(lambda store, number: _bootstrap(place, store, number, wish))
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(told["summary"])


async def _bootstrap(place: Place, store: Store, campaign: int, wish: _Wish) -> dict[str, Any]:
    from characters.library import Library
    from db.night_lock import teach_lock
    from learning.teachers.progress import Progress

    library = Library(place.home.root)
    slug = library.find(wish.npc)
    teacher = teacher_for(place, "bootstrap", wish.teacher)
    try:
        part = await part_of(place, store, campaign, slug, leaves=teacher.remote)
        if wish.dry:
            return _estimate(part, wish, teacher)
        progress = Progress(say=lambda text: click.echo(f"{slug}: {text}", err=True))
        with teach_lock(place.home, now, "Teaching", makes_way):
            return await _run(place, store, campaign, part, wish, teacher, progress)
    finally:
        await teacher.close()


def makes_way() -> None:
    """Say that whoever asks teachers leaves now; its process ends after."""
    click.echo("Somebody is being forgotten; run this again afterwards, it goes on where it was.", err=True)


async def _run(  # noqa: PLR0913
    place: Place, store: Store, campaign: int, part: Part, wish: _Wish, teacher: Teacher, progress: Progress
) -> dict[str, Any]:  # fmt: skip
    from learning.bootstrap.running import Bootstrap
    from learning.teachers.errors import BudgetReached

    run = run_name("bootstrap", part, campaign, wish.seed, teacher.name)
    desk = await open_desk(place, store, campaign, teacher, run, progress, budget=wish.budget)
    note = ""
    try:
        await Bootstrap(desk, part, part.slug, wish.rows, wish.seed).run()
    except BudgetReached as error:
        note = str(error)
    except LearningError:
        click.echo(f"{part.slug}: {progress}", err=True)
        raise
    summary = f"{part.slug}: {progress}. {note or 'They are in the next night; `understudy dataset build` shows them.'}"
    return {"npc": part.slug, "run": run, "teacher": teacher.name, **progress.as_json(), "stopped": note,
            "summary": summary}  # fmt: skip


def run_name(task: str, part: Part, campaign: int, *parts: object) -> str:
    """Names a run: the same task, NPC as its sheet stands, seed and teacher go on with the same."""
    content = json.dumps([task, campaign, part.slug, part.sheet.version, *parts], default=str)
    return f"{task}-{part.slug}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


async def part_of(place: Place, store: Store, campaign: int, slug: str, *, leaves: bool) -> Part:
    """The NPC with what it learnt at the table; of that only what may be trained on, where it leaves the machine."""
    from characters.library import Library
    from characters.messages import StyleExample
    from characters.prompt import Part
    from db.provenance import Policy
    from db.queries import teaching
    from learning.teachers.guard import Guard, free_examples

    library = Library(place.home.root)
    sheet = library.get(slug)
    policy = Policy(place.settings.privacy.channel_text)
    async with store.session() as session:
        examples = await teaching.own_examples(session, campaign, slug)
        said = await teaching.everything_said(session, campaign)
    chosen = free_examples(examples, policy, Guard(said, policy)) if leaves else [(a, line) for a, line, _ in examples]
    style = tuple(StyleExample(asked, line, f"learnt {n}") for n, (asked, line) in enumerate(chosen))
    return Part(slug, sheet, library.world(sheet.world), style)


def _estimate(part: Part, wish: _Wish, teacher: Teacher) -> dict[str, Any]:
    """What a run would ask and cost: the real prompts of the first cells, and answers of usual length."""
    from characters.messages import Turn
    from learning.bootstrap.grid import draw
    from learning.bootstrap.prompts import answer_request, question_request
    from learning.teachers.protocol import NANO, likely_tokens, most_tokens

    likely = most = read = 0
    cells = [draw(number, wish.seed, part.sheet, part.world) for number in range(20)]
    for cell in cells:
        turns = [Turn(cell.name, "Tell me, what is it that they say about this place, and is it true?")]
        for request, usual in ((question_request(part, cell, ()), 25), (answer_request(part, cell, turns), 45)):
            tokens = sum(likely_tokens(message.content) for message in request.messages)
            read += tokens
            likely += teacher.prices.nano(tokens, usual)
            most += teacher.prices.nano(most_tokens(request.messages), request.sampling.max_tokens)
    share = wish.rows / len(cells)
    told: dict[str, Any] = {
        "npc": part.slug, "teacher": teacher.name, "rows": wish.rows, "requests": 2 * wish.rows,
        "prompt_tokens": round(read * share), "completion_tokens": 70 * wish.rows,
        "cost": likely * share / NANO, "cost_at_most": most * share / NANO,
    }  # fmt: skip
    told["summary"] = (
        f"{part.slug}: {wish.rows} rows by {teacher.name} take about {told['requests']} requests, "
        f"{told['prompt_tokens']} tokens read and {told['completion_tokens']} written: about {told['cost']:.2f}, "
        f"{told['cost_at_most']:.2f} if every answer were as long as it may be. Nothing was asked."
    )
    return told
