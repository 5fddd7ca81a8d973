"""`understudy adapters`, `promote`, `rollback`: which voice an NPC speaks with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learning.commands.place import Place, now
from learning.errors import NothingToLearn
from learning.gate.votes import sentence

if TYPE_CHECKING:
    from db.queries.adapters import Version
    from db.store import Store

_NEVER_AGAIN = {"rolled_back": "was rolled back", "blocked": "learnt from somebody who is to be forgotten"}


@click.group("adapters", invoke_without_command=True)
@click.option("--campaign", metavar="NAME")
@click.option("--npc", metavar="SLUG")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_adapters(context: click.Context, campaign: str | None, npc: str | None, as_json: bool) -> None:
    """List what was trained, newest first, and which one speaks."""
    if context.invoked_subcommand is not None:
        return
    from db.queries import adapters

    async def work(store: Store, number: int) -> list[Version]:
        async with store.session() as session:
            return await adapters.versions(session, number, npc)

    found = Place.find(campaign).run(work)
    rows = [{"adapter": v.adapter, "npc": v.npc, "state": v.state, "made_at": v.made_at.isoformat(), "file": v.path,
             "reason": v.report.get("reason", ""), "votes": sentence(v.report.get("measures", ()))}
            for v in found]  # fmt: skip
    if as_json:
        click.echo(json.dumps({"adapters": rows}, ensure_ascii=False))
        return
    for row in rows:
        said = "; ".join(text for text in (row["reason"], row["votes"]) if text)
        click.echo(f"{row['adapter']:<28} {row['state']:<12} {row['made_at'][:16]}  {said}")
    if not rows:
        click.echo("No adapter was trained yet; `understudy night` trains one.")


@list_adapters.command("merge")
@click.argument("npc")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path))
@click.option("--adapter", metavar="ID", help="Another one than the one that speaks.")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def merge_adapter(npc: str, out: Path, adapter: str | None, campaign: str | None, as_json: bool) -> None:
    """Write base and adapter as one quantized GGUF, for game engines that know no adapters."""
    from db.queries import adapters
    from learning.gguf.merging import merge

    async def work(store: Store, number: int) -> Version:
        async with store.session() as session:
            known = await adapters.versions(session, number, npc)
        return _chosen(known, npc, adapter, "active", "speaks without an adapter; promote one first, or name one "
                       "with --adapter")  # fmt: skip

    place = Place.find(campaign)
    chosen = place.run(work)
    merge(place.base, Path(chosen.path), out)
    _told({"npc": npc, "adapter": chosen.adapter, "file": str(out)}, f"{out} speaks as {npc}.", as_json)


@click.command()
@click.argument("npc")
@click.argument("adapter", required=False)
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def promote(npc: str, adapter: str | None, campaign: str | None, as_json: bool) -> None:
    """Let an NPC speak with its newest candidate on the model in use, or the one named, from its next line on."""
    from characters.inference.llama_cpp_engine import file_id
    from db.queries import adapters

    place = Place.find(campaign)

    async def work(store: Store, number: int) -> Version:
        async with store.session() as session:
            known = await adapters.versions(session, number, npc)
            if adapter is None and place.base.is_file():  # a voice of another base would not be heard
                known = [version for version in known if version.base_id == file_id(place.base)]
            wanted = _chosen(known, npc, adapter, "candidate", "has no candidate on this base model that passed the "
                             "gate; run `understudy night`")  # fmt: skip
            if wanted.state in _NEVER_AGAIN:
                why = _NEVER_AGAIN[wanted.state]
                raise NothingToLearn(f"{wanted.adapter} {why} and is not promoted again; train a new one.")
            await adapters.promote(session, number, wanted, now())
            return wanted

    chosen = place.run(work)
    sentence = f"{npc} speaks with {chosen.adapter} from the next line on."
    _told({"npc": npc, "adapter": chosen.adapter}, sentence, as_json)


@click.command()
@click.argument("npc")
@click.option("--campaign", metavar="NAME")
@click.option("--json", "as_json", is_flag=True)
def rollback(npc: str, campaign: str | None, as_json: bool) -> None:
    """Bring an NPC's voice before the last promotion back."""
    from db.queries import adapters

    async def work(store: Store, number: int) -> str | None:
        async with store.session() as session:
            if await adapters.active_adapter(session, number, npc) is None:
                raise NothingToLearn(f"{npc} speaks without an adapter already; there is nothing to undo.")
            return await adapters.roll_back(session, number, npc, now())

    before = Place.find(campaign).run(work)
    sentence = f"{npc} speaks with {before or 'its sheet alone'} again, from the next line on."
    _told({"npc": npc, "adapter": before}, sentence, as_json)


def _chosen(known: Sequence[Version], npc: str, adapter: str | None, state: str, none: str) -> Version:
    """The adapter that is named, else the newest in a state.

    Args:
        none: what is so of the NPC where none is in that state, and what to do.
    """
    wanted = [version for version in known if (version.adapter == adapter if adapter else version.state == state)]
    if not wanted:
        raise NothingToLearn(
            f"There is no adapter {adapter!r} of {npc}; `understudy adapters` lists them." if adapter
            else f"{npc} {none}."
        )  # fmt: skip
    return wanted[0]


def _told(data: dict[str, Any], sentence: str, as_json: bool) -> None:
    click.echo(json.dumps(data, ensure_ascii=False) if as_json else sentence)
