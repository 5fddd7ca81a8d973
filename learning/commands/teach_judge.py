"""`understudy teach judge`: evaluators look at lines, and are held against people's votes first."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, now
from learning.commands.teach_bootstrap import makes_way, part_of, run_name
from learning.commands.teachers import KINDS, open_desk, teacher_for

if TYPE_CHECKING:
    from characters.prompt import Part
    from db.store import Store
    from db.values import TaughtRow
    from learning.harvest import Candidate
    from learning.judges.agreement import Standing
    from learning.judges.judging import Judge, Judged
    from learning.teachers.progress import Progress
    from learning.teachers.protocol import Teacher

FOLDER = "runs/judges"
_MARGIN = 0.5
_LOW = 0.0  # a row below it is left out
_SAMPLED = 40  # questions for pairs
_TRIED, _OPINION = 20, 60  # prompts an estimate looks at; tokens of a usual opinion


@dataclass(frozen=True)
class _Wish:
    npc: str
    criteria: str | None
    teacher: str | None
    budget: float | None
    rows: bool
    best_of: int
    margin: float
    dry: bool


@click.command()
@click.argument("npc")
@click.option("--criteria", metavar="LIST", help="Of: in character, grounded, answers, world, style; with commas.")
@click.option("--rows/--no-rows", default=True, show_default=True, help="Judge the rows teachers made.")
@click.option("--best-of", default=0, metavar="N", type=click.IntRange(0, 16),
              help="Let the NPC answer N times, rank the answers and make pairs of best and worst.")  # fmt: skip
@click.option("--margin", default=_MARGIN, show_default=True, help="How far apart best and worst must be, of 2.")
@click.option("--teacher", type=click.Choice(KINDS), help="Another one than teacher.judge names.")
@click.option("--budget", type=click.FloatRange(0, min_open=True), metavar="AMOUNT", help="Stop before it is passed.")
@click.option("--dry-run", "dry", is_flag=True, help="Estimate requests, tokens and price; ask nothing.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def judge(  # noqa: PLR0913  (a command takes its options by name)
    npc: str, criteria: str | None, rows: bool, best_of: int, margin: float, teacher: str | None,
    budget: float | None, dry: bool, campaign: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Judge lines by several evaluators: reasons first, then −1, 0 or +1.

    First the judge is held against what people at the table thought. Below 70 % agreement or a kappa of 0.4
    it only advises: rows keep their verdict and show its scores, and no pairs are learnt from.
    """
    place = Place.find(campaign)
    wish = _Wish(npc, criteria, teacher, budget, rows, best_of, margin, dry)
    told = place.run(lambda store, number: _judge(place, store, number, wish))
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else told["summary"])


async def _judge(place: Place, store: Store, campaign: int, wish: _Wish) -> dict[str, Any]:
    from characters.library import Library
    from db.night_lock import teach_lock
    from learning.teachers.progress import Progress

    slug = Library(place.home.root).find(wish.npc)
    teacher = teacher_for(place, "judge", wish.teacher)
    progress = Progress(say=lambda text: click.echo(f"{slug}: {text}", err=True))
    try:
        part = await part_of(place, store, campaign, slug, leaves=teacher.remote)
        with teach_lock(place.home, now, "Judging", makes_way):
            return await _run(place, store, campaign, part, wish, teacher, progress)
    finally:
        await teacher.close()


async def open_judge(  # noqa: PLR0913
    place: Place, store: Store, campaign: int, part: Part, teacher: Teacher, progress: Progress,
    *, criteria: str | None = None, budget: float | None = None, run: str = "",
) -> Judge:  # fmt: skip
    """A judge for an NPC.

    Args:
        run: what the budget is counted for; all sittings of `teach judge` unless given.

    Raises:
        click.UsageError: there is no criterion of a name.
    """
    from learning.judges.criteria import CRITERIA, named
    from learning.judges.judging import Judge

    run = run or run_name("judge", part, campaign, teacher.name)
    desk = await open_desk(place, store, campaign, teacher, run, progress, budget=budget)
    try:
        return Judge(desk, named(criteria))
    except KeyError as error:
        there = ", ".join(criterion.name for criterion in CRITERIA)
        raise click.UsageError(f"There is no criterion {error.args[0]!r}; there are {there}.") from error


async def _run(  # noqa: PLR0913
    place: Place, store: Store, campaign: int, part: Part, wish: _Wish, teacher: Teacher, progress: Progress
) -> dict[str, Any]:  # fmt: skip
    from db.provenance import Policy
    from db.queries import desk, harvest, teaching
    from learning.desk import obey
    from learning.harvest import harvest as to_candidates
    from learning.judges import agreement
    from learning.judges.looking import hold_against
    from learning.teachers.errors import BudgetReached

    judge = await open_judge(place, store, campaign, part, teacher, progress, criteria=wish.criteria,
                             budget=wish.budget)  # fmt: skip
    async with store.session() as session:
        heard = await harvest.heard_lines(session, campaign, part.slug)
        said = await desk.verdicts(session, campaign, part.slug)
        rows = await teaching.taught_rows(session, campaign, part.slug)
    candidates = obey(to_candidates(heard, Policy(place.settings.privacy.channel_text)), said)
    if wish.dry:
        return _estimate(judge, part, candidates, rows, wish)
    note, judged, pairs = "", [], 0
    standing = agreement.known(place.home.folder(FOLDER), campaign, judge.name, part.slug)
    try:
        standing = await hold_against(judge, part, candidates)
        agreement.keep(place.home.folder(FOLDER), campaign, standing)
        if wish.rows:
            judged = await _judge_rows(judge, part, rows, standing, progress)
        if wish.best_of > 1:
            pairs = await _pairs(place, judge, part, rows, standing, wish)
    except BudgetReached as error:
        note = str(error)
    means = means_of(judge, judged)
    left = sum(one.score < _LOW for one in judged)
    told = "; ".join(f"{name} {mean:+.2f}" for name, mean in means.items())
    summary = f"{part.slug}, {judge.name}: {standing}."
    if judged:
        did = "left out" if standing.decides else "would be left out"
        summary += f" {len(judged)} rows judged ({told}); {left} {did}."
    summary += f" {pairs} pairs made." if wish.best_of > 1 else ""
    return {"npc": part.slug, "judge": judge.name, "standing": {**asdict(standing), "decides": standing.decides},
            "rows": len(judged), "low": left, "means": means, "pairs": pairs, **progress.as_json(),
            "stopped": note, "summary": f"{summary} {note}".strip()}  # fmt: skip


def _estimate(
    judge: Judge, part: Part, candidates: list[Candidate], rows: list[TaughtRow], wish: _Wish
) -> dict[str, Any]:
    """What holding it against votes and judging rows would ask and cost."""
    from characters.messages import Scene
    from learning.commands.estimating import Estimate
    from learning.judges.looking import seen_line, votes_of
    from learning.taught import row_turns

    estimate, each = Estimate(judge.desk.teacher), len(judge.criteria)
    votes, wanted = votes_of(candidates), [row for row in rows if row.kind == "sft"]
    seen = [seen_line(part, vote.turns, vote.scene, vote.completion) for vote in votes[:_TRIED]]
    estimate.add(judge.requests(seen), each * len(votes), _OPINION)
    pairs = sum(vote.kind == "pair" for vote in votes)
    estimate.add(judge.requests(seen), 2 * each * pairs, _OPINION)  # both orders
    shown = [seen_line(part, row_turns(row), Scene(**row.payload["scene"]), row.payload["completion"])
             for row in wanted[:_TRIED]]  # fmt: skip
    if wish.rows:
        estimate.add(judge.requests(shown), each * len(wanted), _OPINION)
    if wish.best_of > 1:
        estimate.add(judge.requests(shown), each * wish.best_of * min(_SAMPLED, len(wanted)), _OPINION)
    return estimate.told(part.slug, f"{len(votes)} votes and {len(wanted) if wish.rows else 0} rows")


async def _judge_rows(
    judge: Judge, part: Part, rows: list[TaughtRow], standing: Standing, progress: Progress
) -> list[Judged]:
    """Score every supervised row; a judge that may decide leaves low ones out."""
    from characters.messages import Scene
    from db.queries import teaching, told
    from learning.judges.looking import seen_line
    from learning.taught import row_turns

    found = []
    async with judge.desk.store.session() as session:
        lore = [fact.text for fact in await told.known(session, judge.desk.campaign, part.slug)]
    progress.wanted = len(rows)
    for row in rows:
        if row.kind != "sft":
            continue
        turns, scene = row_turns(row), Scene(**row.payload["scene"])
        judged = await judge.score(seen_line(part, turns, scene, row.payload["completion"], lore))
        found.append(judged)
        scores = {opinion.criterion: opinion.score for opinion in judged.opinions}
        low = judged.score < _LOW
        async with judge.desk.store.session() as session:
            await teaching.note_scores(session, row.origin, {"judge": judge.name, "mean": judged.score, **scores})
            if standing.decides and (low or row.reason.startswith("judge")):
                reason = f"judge: {judged.score:+.2f}" if low else ""
                await teaching.judge_row(session, row.origin, not low, reason)
        progress.accept()
    return found


async def _pairs(
    place: Place, judge: Judge, part: Part, rows: list[TaughtRow], standing: Standing, wish: _Wish
) -> int:
    """Let the NPC answer the rows' questions several times; best and worst of like length become a pair."""
    from characters.messages import Scene
    from db.queries import teaching
    from learning.judges.ranking import answers_of, pair_of
    from learning.taught import row_turns

    engine, made = place.engine(), 0
    try:
        for row in [row for row in rows if row.kind == "sft" and row.payload.get("depth", 0) == 0][:_SAMPLED]:
            turns, scene = row_turns(row), Scene(**row.payload["scene"])
            answers = await answers_of(engine, place.settings, part, turns, scene, wish.best_of)
            lesson = await pair_of(judge, part, turns, scene, answers, margin=wish.margin, of=row.origin,
                                   decides=standing.decides)  # fmt: skip
            if lesson is not None:
                async with judge.desk.store.session() as session:
                    made += await teaching.add_rows(session, judge.desk.campaign, part.slug, [lesson.row()], now())
    finally:
        await engine.close()
    return made


def means_of(judge: Judge, judged: list[Judged]) -> dict[str, float]:
    """The mean score by criterion."""
    found = {}
    for criterion in judge.criteria:
        scores = [score for one in judged if (score := one.of(criterion.name)) is not None]
        if scores:
            found[criterion.name] = round(sum(scores) / len(scores), 3)
    return found
