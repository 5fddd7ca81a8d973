"""`understudy night`, `adapters`, `promote`, `rollback`: from an evening to a voice, and back."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.native_proof import extra_buffers_work
from characters.inference.starter import STARTER
from characters.library import Library
from db.home import Home
from db.provenance import Policy
from db.queries import adapters, harvest, play
from db.settings import Settings, load_settings
from db.store import Store
from learning.errors import NothingToLearn
from learning.recipes.config import SHIPPED, load_config

T = TypeVar("T")
_SMALL_BASE = 40_000_000  # bytes


@dataclass(frozen=True)
class Place:
    """Where the learning half works: the same home, settings and database as the table."""

    home: Home
    settings: Settings

    @classmethod
    def find(cls, campaign: str | None) -> "Place":
        """From the environment and the home's settings."""
        environment = dict(os.environ)
        home = Home.find(environment)
        return cls(home, load_settings(home.settings_file, environment, {"table.campaign": campaign}).settings)

    @property
    def base(self) -> Path:
        """The model adapters are trained on: the one that serves."""
        named = self.settings.engine.model
        return Path(named).expanduser() if named else STARTER

    def engine(self) -> LlamaCppEngine:
        """A local engine; the gate never asks a server."""
        chosen = self.settings.engine
        extra = chosen.extra_buffers and extra_buffers_work(self.home.folder("kv"))
        options = LoadOptions(chosen.context, chosen.kv_tokens, threads=chosen.threads, extra_buffers=extra)
        return LlamaCppEngine(self.base, options)

    def run(self, work: Callable[[Store, int], Awaitable[T]]) -> T:
        """Open the database, find the campaign, do the work, close."""

        async def whole() -> T:
            store = await Store.open(self.settings.database.url or self.home.database_url)
            try:
                async with store.session() as session:
                    campaign = await play.campaign_id(session, self.settings.table.campaign, _now())
                return await work(store, campaign)
            finally:
                await store.close()

        return asyncio.run(whole())


def _now() -> datetime:
    return datetime.now(UTC)


@click.command()
@click.option("--campaign", metavar="NAME")
@click.option("--npc", metavar="SLUG", help="Only this NPC.")
@click.option("--recipe", metavar="FILE", type=click.Path(path_type=Path), help="Instead of the base model's.")
@click.option("--json", "as_json", is_flag=True)
def night(campaign: str | None, npc: str | None, recipe: Path | None, as_json: bool) -> None:
    """Turn what the table liked into how its NPCs speak: tonight's job, now."""
    place = Place.find(campaign)
    found = place.run(lambda store, number: _night(place, store, number, npc, recipe))
    if as_json:
        click.echo(json.dumps({"npcs": found}, ensure_ascii=False))
        return
    for entry in found:
        click.echo(entry["report"])
        click.echo(f"(report: {entry['file']})")


async def _night(
    place: Place, store: Store, campaign: int, npc: str | None, recipe: Path | None
) -> list[dict[str, Any]]:
    from learning.nightly import Night, run
    from learning.report import markdown

    async with store.session() as session:
        heard = await harvest.npcs_heard(session, campaign)
    chosen = [slug for slug in heard if npc in {None, slug}]
    if not chosen:
        whom = f" to {npc}" if npc else ""
        raise NothingToLearn(f"Nobody has reacted{whom} yet; play, then approve, edit or speak some lines.")
    small = place.base.is_file() and place.base.stat().st_size < _SMALL_BASE
    config = load_config(recipe or SHIPPED / ("sft_starter.yaml" if small else "sft.yaml"))
    library, engine, reports = Library(place.home.root), place.engine(), []
    policy = Policy(place.settings.privacy.channel_text)
    try:
        for slug in chosen:
            job = Night(store, engine, library, place.home, place.base, campaign, slug, config, policy, _now(),
                        _say(slug), place.settings.sampling.max_tokens)  # fmt: skip
            outcome = await run(job)
            text = markdown(outcome, library.get(slug).name)
            file = place.home.folder("reports") / f"{job.now:%Y-%m-%d-%H%M%S}-{slug}.md"
            file.write_text(text, "utf-8")
            verdict = outcome.verdict.as_json() if outcome.verdict else None
            reports.append({"npc": slug, "adapter": outcome.adapter, "counts": outcome.counts, "verdict": verdict,
                            "missing": outcome.missing, "report": text, "file": str(file)})  # fmt: skip
    finally:
        await engine.close()
    return reports


def _say(npc: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        click.echo(f"{npc}: {text}", err=True)

    return say


@click.command("adapters")
@click.option("--campaign", metavar="NAME")
@click.option("--npc", metavar="SLUG")
@click.option("--json", "as_json", is_flag=True)
def list_adapters(campaign: str | None, npc: str | None, as_json: bool) -> None:
    """List what was trained, newest first, and which one speaks."""

    async def work(store: Store, number: int) -> list[adapters.Version]:
        async with store.session() as session:
            return await adapters.versions(session, number, npc)

    found = Place.find(campaign).run(work)
    rows = [{"adapter": v.adapter, "npc": v.npc, "state": v.state, "made_at": v.made_at.isoformat(), "file": v.path,
             "reason": v.report.get("reason", "")} for v in found]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"adapters": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['adapter']:<28} {row['state']:<12} {row['made_at'][:16]}  {row['reason']}")
    if not rows:
        click.echo("No adapter was trained yet; `understudy night` trains one.")


@click.command()
@click.argument("npc")
@click.argument("adapter", required=False)
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def promote(npc: str, adapter: str | None, campaign: str | None, as_json: bool) -> None:
    """Let an NPC speak with its newest candidate, or the one named, from its next line on."""

    async def work(store: Store, number: int) -> adapters.Version:
        async with store.session() as session:
            known = await adapters.versions(session, number, npc)
            wanted = [v for v in known if (v.adapter == adapter if adapter else v.state == "candidate")]
            if not wanted:
                raise NothingToLearn(
                    f"There is no adapter {adapter!r} of {npc}; `understudy adapters` lists them." if adapter
                    else f"{npc} has no candidate that passed the gate; run `understudy night`."
                )  # fmt: skip
            if wanted[0].state == "rolled_back":
                raise NothingToLearn(f"{wanted[0].adapter} was rolled back and is not promoted again; train a new one.")
            await adapters.promote(session, number, wanted[0], _now())
            return wanted[0]

    chosen = Place.find(campaign).run(work)
    sentence = f"{npc} speaks with {chosen.adapter} from the next line on."
    _told({"npc": npc, "adapter": chosen.adapter}, sentence, as_json)


@click.command()
@click.argument("npc")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def rollback(npc: str, campaign: str | None, as_json: bool) -> None:
    """Bring an NPC's voice before the last promotion back."""

    async def work(store: Store, number: int) -> str | None:
        async with store.session() as session:
            if await adapters.active_adapter(session, number, npc) is None:
                raise NothingToLearn(f"{npc} speaks without an adapter already; there is nothing to undo.")
            return await adapters.roll_back(session, number, npc, _now())

    before = Place.find(campaign).run(work)
    sentence = f"{npc} speaks with {before or 'its sheet alone'} again, from the next line on."
    _told({"npc": npc, "adapter": before}, sentence, as_json)


def _told(data: dict[str, Any], sentence: str, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False) if as_json else sentence)
