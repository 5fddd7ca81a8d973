"""`understudy teach grow`: the small model grows an NPC's pool itself, watched round by round."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, now
from learning.commands.teach_bootstrap import makes_way, run_name
from learning.commands.teachers import KINDS, open_desk, teacher_for

if TYPE_CHECKING:
    from characters.library import Library
    from characters.prompt import Budget
    from db.store import Store
    from learning.growth.running import Growth
    from learning.teachers.desk import Desk

_SAMPLES = 8


@dataclass(frozen=True)
class _Wish:
    npc: str
    targets: tuple[int, ...]
    seed: int
    teacher: str | None
    budget: float | None
    dry: bool


class _Targets(click.ParamType[tuple[int, ...]]):
    """Rising numbers of rows, separated by commas."""

    name = "ROWS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail("name one number of rows, or several separated by commas: 1000,5000,10000", param, ctx)
        if found[0] < 1 or list(found) != sorted(set(found)):
            self.fail("the numbers of rows must rise: 1000,5000,10000", param, ctx)
        return found


@click.command()
@click.argument("npc")
@click.option("--to", "targets", type=_Targets(), required=True,
              help="Rows in all, seeds included; several with commas.")
@click.option("--seed", default=1, show_default=True, help="Another seed draws other prompts.")
@click.option("--teacher", type=click.Choice([kind for kind in KINDS if kind != "offline"]),
              help="Another one than teacher.grow names; the NPC's own model by default.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="AMOUNT", help="Stop before it is passed.")
@click.option("--dry-run", "dry", is_flag=True, help="Estimate requests, tokens and price; ask nothing.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def grow(  # noqa: PLR0913  (a command takes its options by name)
    npc: str, targets: tuple[int, ...], seed: int, teacher: str | None, budget: float | None, dry: bool,
    campaign: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Let a model grow an NPC's questions and answers from those there are (Self-Instruct).

    A question joins when no other is more than 0.7 alike (ROUGE-L), an answer when no other to the same thing
    is more than 0.85. After every round acceptance, score and diversity are looked at, and growth stops where
    they fall. The same command goes on with what was interrupted.
    """
    place = Place.find(campaign)
    wish = _Wish(npc, targets, seed, teacher, budget, dry)
    told = place.run(lambda store, number: _grow(place, store, number, wish))
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in told.get("rounds", ()):
        click.echo(line["text"])
    for sample in told.get("samples", ()):
        click.echo(f"  {sample['asked']}\n    {sample['line']}")
    click.echo(told["summary"])


async def _grow(place: Place, store: Store, campaign: int, wish: _Wish) -> dict[str, Any]:
    from characters.library import Library
    from db.night_lock import teach_lock
    from learning.teachers.errors import TeacherUnset
    from learning.teachers.offline.teacher import OfflineTeacher
    from learning.teachers.progress import Progress

    library = Library(place.home.root)
    slug = library.find(wish.npc)
    teacher = teacher_for(place, "grow", wish.teacher)
    try:
        if isinstance(teacher, OfflineTeacher):
            raise TeacherUnset("The offline teacher writes by rules and cannot grow; choose --teacher local or openai.")
        sheet = library.get(slug)
        run = run_name("grow", _part(library, slug), campaign, wish.seed, teacher.name)
        progress = Progress(say=lambda text: click.echo(f"{slug}: {text}", err=True))
        with teach_lock(place.home, now, "Teaching", makes_way):
            desk = await open_desk(place, store, campaign, teacher, run, progress, budget=wish.budget)
            return {"npc": slug, "name": sheet.name, **await _run(place, library, slug, desk, wish)}
    finally:
        await teacher.close()


def _part(library: Library, slug: str) -> Any:
    from characters.prompt import Part

    sheet = library.get(slug)
    return Part(slug, sheet, library.world(sheet.world))


async def _run(place: Place, library: Library, slug: str, desk: Desk, wish: _Wish) -> dict[str, Any]:
    from learning.growth.running import Growth, GrowthStopped
    from learning.teachers.errors import BudgetReached

    growth = Growth(desk, _part(library, slug), await _budget(place, desk), wish.seed)
    seeds, stopped, reached = await growth.open(), "", []
    if wish.dry:
        return _estimate(growth, seeds, wish)
    try:
        for target in wish.targets:
            await growth.to(target)
            reached.append(target)
    except (GrowthStopped, BudgetReached) as error:
        stopped = str(error)
    progress = desk.progress
    proposed = sum(one.proposed for one in growth.rounds)
    share = f"{progress.accepted} of {proposed} questions accepted" if proposed else "nothing was asked"
    return {
        "run": desk.run, "teacher": desk.teacher.name, **progress.as_json(), "before": seeds, "reached": reached,
        "rounds": [{**one.as_json(), "text": str(one)} for one in growth.rounds], "stopped": stopped,
        "samples": growth.samples[-_SAMPLES:],
        "summary": f"{slug}: {seeds} → {seeds + progress.accepted} rows, {share}. {progress}. {stopped}".strip(),
    }  # fmt: skip


def _estimate(growth: Growth, there: int, wish: _Wish) -> dict[str, Any]:
    """What growing so far would ask and cost, if every other question a model writes is accepted."""
    from learning.commands.estimating import Estimate
    from learning.growth.answers import Answers
    from learning.growth.questions import draw, list_request
    from learning.teachers.growth_prompts import WANTED

    estimate, part, answers = Estimate(growth.desk.teacher), growth.part, Answers(growth.part, growth.budget)
    missing = max(0, wish.targets[-1] - there)
    drawn = [draw(number, wish.seed, part, growth.seeds, growth.grown) for number in range(10)]
    estimate.add([list_request(part, one, wish.seed) for one in drawn], 2 * missing / WANTED, 20 * WANTED)
    asked = [answers.request(answers.prompt(growth.asker, question), 1) for question in growth.seeds[:10]]
    estimate.add(asked, missing, 40)
    return estimate.told(part.slug, f"{missing} more rows", before=there)


async def _budget(place: Place, desk: Desk) -> Budget:
    """The serving budget of whoever answers: the local engine's own, a server's as the settings have it."""
    from characters.prompt import Budget
    from learning.nightly import budget
    from learning.teachers.local_teacher import LocalTeacher

    reply = place.settings.sampling.max_tokens
    if isinstance(desk.teacher, LocalTeacher):
        return budget(await desk.teacher.capabilities(), reply)
    return Budget(16_384, max(reply, 220), 4000)
