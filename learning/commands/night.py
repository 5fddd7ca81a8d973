"""`understudy night`: tonight's job, now."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from characters.errors import UnderstudyError
from characters.library import Library
from db.night_lock import night_lock
from db.provenance import Policy
from learning.commands.place import Place, farewell, now, quiet
from learning.commands.seats import seats
from learning.errors import LearningError, NothingToLearn
from learning.recipes.config import SHIPPED, load_config

if TYPE_CHECKING:
    from db.store import Store
    from learning.nightly import Night, Outcome

_Found = tuple[list[dict[str, Any]], list[str]]  # the reports, and the sentences of the nights that failed
_PROVES_NOTHING = (
    "Nothing was promoted by itself, because the shuffled control passed the gate too; listen, and promote it yourself."
)


@click.command()
@click.option("--campaign", metavar="NAME")
@click.option("--npc", metavar="SLUG", help="Only this NPC.")
@click.option("--recipe", metavar="FILE", type=click.Path(path_type=Path), help="Instead of the base model's.")
@click.option("--stage", "until", metavar="S", default="gate", show_default=True,
              help="Stop after it: harvest, dataset, training, gate.")
@click.option("--control/--no-control", default=True, show_default=True,
              help="Train and judge the night with shuffled answers beside it.")
@click.option("--json", "as_json", is_flag=True)
def night(
    campaign: str | None, npc: str | None, recipe: Path | None, until: str, control: bool, as_json: bool
) -> None:  # fmt: skip
    """Turn what the table liked into how its NPCs speak: tonight's job, now."""
    quiet()
    place = Place.find(campaign)
    wish = _Wish(npc, recipe, until, control)
    with night_lock(place.home, now, farewell=lambda: farewell("The night", as_json)):
        found, faults = place.run(lambda store, number: _alone(place, store, number, wish))
    if as_json:
        click.echo(json.dumps({"npcs": found}, ensure_ascii=False))
    else:
        for entry in found:
            click.echo(entry["report"])
            click.echo(f"(report: {entry['file']})")
    if faults:
        raise LearningError(" ".join(faults))


@dataclass(frozen=True)
class _Wish:
    """What the command line asks for."""

    npc: str | None
    recipe: Path | None
    until: str
    control: bool


async def _alone(place: Place, store: Store, campaign: int, wish: _Wish) -> _Found:
    async with store.night_alone(campaign):
        return await _night(place, store, campaign, wish)


async def _night(place: Place, store: Store, campaign: int, wish: _Wish) -> _Found:
    """Everybody's night, one after the other; one that fails costs nobody else's."""
    from learning.nightly import Night
    from learning.nightly.runs import small

    chosen = await _chosen(store, campaign, wish)
    config = load_config(wish.recipe or SHIPPED / ("sft_starter.yaml" if small(place.base) else "sft.yaml"))
    library, engine, reports, faults = Library(place.home.root), place.engine(), [], []
    policy = Policy(place.settings.privacy.channel_text)
    try:
        for slug in chosen:
            job = Night(store, engine, library, place.home, place.base, campaign, slug, config, policy, now(),
                        _say(slug), now, place.settings.sampling.max_tokens, place.settings.nights.minutes,
                        wish.control, wish.until, seats(place, campaign, slug), place.settings.nights.judge,
                        place.settings.nights.reinforce)  # fmt: skip
            try:
                reports.append(await _one(place, job))
            except UnderstudyError as error:
                if len(chosen) == 1:
                    raise
                faults.append(f"{slug}: {error}")
                job.say(f"the night failed: {error}")
    finally:
        await engine.close()
    return reports, faults


async def _one(place: Place, job: Night) -> dict[str, Any]:
    """One NPC's night and its report."""
    from learning.nightly import run
    from learning.report import as_json, markdown

    outcome = await promote_if_wished(place, job.store, job.campaign, await run(job))
    text = markdown(outcome, job.library.get(job.npc).name)
    file = place.home.folder("reports") / f"{job.now:%Y-%m-%d-%H%M%S}-{job.npc}.md"
    file.write_text(text, "utf-8")
    return {**as_json(outcome), "report": text, "file": str(file)}


async def _chosen(store: Store, campaign: int, wish: _Wish) -> list[str]:
    """Whose night it is, in order of name.

    Raises:
        NothingToLearn: nobody's, or there is no such stage.
    """
    from db.queries import harvest, teaching
    from learning.nightly import STAGES

    npc = wish.npc
    if wish.until not in STAGES:
        raise NothingToLearn(f"A night has no stage {wish.until!r}; its stages are {', '.join(STAGES)}.")
    async with store.session() as session:
        heard = {*await harvest.npcs_heard(session, campaign), *await teaching.npcs_taught(session, campaign)}
    chosen = [slug for slug in sorted(heard) if npc in {None, slug}]
    if not chosen:
        whom = f" to {npc}" if npc else ""
        raise NothingToLearn(f"Nobody has reacted{whom} yet; play, then approve, edit or speak some lines.")
    return chosen


async def promote_if_wished(place: Place, store: Store, campaign: int, outcome: Outcome) -> Outcome:
    """Where the GM has said so, let what passed the gate speak at once; what was rolled back or blocked never does.

    A gate that let the shuffled control pass as well has told nothing apart, so nothing is promoted on its word; the
    outcome that comes back says so in its note.
    """
    from db.queries import adapters

    if place.settings.nights.promote != "automatic" or outcome.verdict is None or not outcome.verdict.passed:
        return outcome
    if outcome.control is not None and outcome.control.passed:
        return replace(outcome, note=f"{outcome.note} {_PROVES_NOTHING}".strip())
    async with store.session() as session:
        for version in await adapters.versions(session, campaign, outcome.npc):
            if version.adapter == outcome.adapter and version.state == "candidate":
                await adapters.promote(session, campaign, version, now())
    return outcome


def _say(npc: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        click.echo(f"{npc}: {text}", err=True)

    return say
