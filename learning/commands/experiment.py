"""`understudy experiment`: research questions anybody can run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, farewell, now, quiet

if TYPE_CHECKING:
    from db.store import Store
    from learning.experiments.hybrid import Arm, Lab

_SEED = 1


@click.group()
def experiment() -> None:
    """Research questions, with the same held-out sets for every arm."""


@experiment.command()
@click.option("--npc", required=True, metavar="SLUG", help="Whose rows of `teach bootstrap` and `teach grow` are used.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=4.0, show_default=True,
              help="Time box of each training.")
@click.option("--items", type=click.IntRange(1), metavar="N", help="Ask only so many exam questions, evenly drawn.")
@click.option("--out", metavar="FILE.md", type=click.Path(path_type=Path), help="By default in the home's reports.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def hybrid(
    npc: str, minutes: float, items: int | None, out: Path | None, campaign: str | None, as_json: bool
) -> None:  # fmt: skip
    """Does bootstrap plus growth beat plain fine-tuning?

    Base; trained on teacher data; on grown data too; without the sheet in the context; with a preference
    stage. The same exam and held-out lines for all, with intervals. A broken run goes on where it was.
    """
    from db.night_lock import night_lock

    quiet()
    place = Place.find(campaign)
    with night_lock(place.home, now, "An experiment", farewell=lambda: farewell("The experiment", as_json)):
        arms = place.run(lambda store, number: _hybrid(place, store, number, (npc, minutes, items)))
    file = out or place.home.folder("reports") / f"hybrid-{npc}.md"
    text = _write(file, npc, arms, minutes, place)
    if as_json:
        click.echo(json.dumps({"file": str(file), "arms": [_as_json(arm) for arm in arms]}, ensure_ascii=False))
    else:
        click.echo(text)
        click.echo(f"(report: {file})")


async def _hybrid(place: Place, store: Store, campaign: int, wish: tuple[str, float, int | None]) -> list[Arm]:
    from learning.experiments.hybrid import run

    engine = place.engine()
    try:
        lab = await _lab(place, store, campaign, wish, engine)
        return await run(lab)
    finally:
        await engine.close()


async def _lab(place: Place, store: Store, campaign: int, wish: tuple[str, float, int | None], engine: Any) -> Lab:
    from characters.library import Library
    from characters.prompt import Part
    from db.provenance import Policy
    from db.queries import teaching
    from learning.datasets.rows import Renderer
    from learning.errors import NothingToLearn
    from learning.exam.items import make_items
    from learning.experiments.hybrid import Lab
    from learning.nightly import budget
    from learning.nightly.runs import small
    from learning.recipes.config import SHIPPED, DpoConfig, SftConfig, load_recipe
    from learning.taught import lesson_candidates

    npc, minutes, most = wish
    library, shipped = Library(place.home.root), Library(None)
    slug = library.find(npc)
    sheet = library.get(slug)
    part = Part(slug, sheet, library.world(sheet.world))
    async with store.session() as session:
        rows = await teaching.taught_rows(session, campaign, slug)
    candidates = lesson_candidates(rows, part, Policy(place.settings.privacy.channel_text))
    wanted = [(bool(row.payload.get("depth")), one) for row, one in zip(rows, candidates, strict=True)
              if one.kind == "sft" and one.trainable]  # fmt: skip
    can = await engine.capabilities()
    if can.template is None:
        raise NothingToLearn(f"{place.base.name} has no chat template inside; choose a base model that has one.")
    renderer = Renderer(can.template, budget(can, place.settings.sampling.max_tokens))
    others = [shipped.get(other) for other in shipped.slugs() if other != slug]
    items = make_items(sheet, part.world, _SEED, others=others, knower=slug)
    if most and most < len(items):
        items = tuple(items[at * len(items) // most] for at in range(most))
    suffix = "_starter" if small(place.base) else ""
    sft, dpo = (load_recipe(SHIPPED / f"{name}{suffix}.yaml") for name in ("sft", "dpo"))
    assert isinstance(sft, SftConfig)
    assert isinstance(dpo, DpoConfig)
    about = {"npc": slug, "campaign": campaign, "base": can.base_id, "template": renderer.template.hash,
             "sheet": sheet.version, "seed": _SEED, "made_at": now().isoformat()}  # fmt: skip
    return Lab(
        engine, place.base, part, renderer, place.home.folder(f"runs/hybrid-{slug}"),
        [one for grown, one in wanted if not grown], [one for grown, one in wanted if grown], items,
        sft.model_copy(update={"minutes": minutes}), dpo.model_copy(update={"minutes": minutes, "signals": ()}),
        about, lambda text: click.echo(f"{slug}: {text}", err=True),
    )  # fmt: skip


def _write(file: Path, npc: str, arms: list[Arm], minutes: float, place: Place) -> str:
    """Write the document and its plot."""
    from learning.exam import plot
    from learning.exam.scoring import score
    from learning.experiments.telling import markdown

    picture = file.with_suffix(".svg")
    settings = [f"`understudy experiment hybrid --npc {npc} --minutes {minutes:g}` on {place.base.name}, "
                f"{now():%Y-%m-%d}."]  # fmt: skip
    title = f"Does bootstrap plus growth beat plain fine-tuning? ({npc})"
    text = markdown(title, arms, settings, picture.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    shares = {arm.name: score(arm.marks) for arm in arms}
    picture.write_text(plot.svg(f"{npc}: five arms, 95 % intervals", shares), "utf-8")
    return text


def _as_json(arm: Arm) -> dict[str, Any]:
    from dataclasses import asdict

    from learning.exam.scoring import score

    return {"arm": arm.name, "rows": arm.rows, "loss": asdict(arm.loss),
            "measures": {name: asdict(share) for name, share in score(arm.marks).items()}}  # fmt: skip
