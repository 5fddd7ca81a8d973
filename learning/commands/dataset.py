"""`understudy dataset`: build, show, check, import and export what an NPC learns from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from characters.errors import SheetError
from characters.library import Library
from characters.prompt import Part
from db.night_lock import night_lock
from db.provenance import Policy
from learning.commands.place import Place, now
from learning.datasets.building import DatasetOrder, build_dataset
from learning.datasets.exporting import export as write
from learning.datasets.importing import licences, load_imports, npcs_imported, read_import, store_import
from learning.datasets.linting import Rules, files_of, likely_stop, read_rows
from learning.datasets.linting import lint as check
from learning.datasets.rows import Renderer
from learning.datasets.snapshot import KINDS, open_snapshot
from learning.errors import NothingToLearn
from learning.harvest import harvest as to_candidates
from learning.taught import lesson_candidates
from learning.taught import licences as lesson_licences

if TYPE_CHECKING:
    from db.store import Store

_SAMPLES = 3
_SHOWN_FAULTS = 200
_BY_ROLE = frozenset({"", "you", "gm", "user", "player", "somebody", "interlocutor"})


@click.group()
def dataset() -> None:
    """Build, show, check, import and export datasets."""


@dataset.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--npc", required=True, metavar="SLUG", help="Who learns from it.")
@click.option("--licence", required=True, metavar="TEXT", help="Under which the dialogues may be used.")
@click.option("--name", metavar="SPEAKER", help="What the file calls the NPC, if not by its sheet's name.")
@click.option("--json", "as_json", is_flag=True)
def import_file(file: Path, npc: str, licence: str, name: str | None, as_json: bool) -> None:
    """Import dialogues: JSON lines, ShareGPT, SillyTavern chats, or `Name: text` transcripts."""
    place = Place.find(None)
    sheet = Library(place.home.root).get(npc)
    reading = read_import(file, name or sheet.name)
    manifest = store_import(place.home.folder("imports"), npc, reading, file, licence)
    if as_json:
        click.echo(json.dumps(manifest, ensure_ascii=False))
        return
    counts = manifest["counts"]
    click.echo(
        f"{file.name} ({reading.format}): {counts['dialogues']} dialogues with {counts['answers']} answers by "
        f"{sheet.name} (import {manifest['import']}, licence {manifest['licence']})."
    )
    _tell_left_out(reading.left_out)


@dataset.command()
@click.option("--campaign", metavar="NAME")
@click.option("--npc", metavar="SLUG", help="Only this NPC.")
@click.option("--json", "as_json", is_flag=True)
def build(campaign: str | None, npc: str | None, as_json: bool) -> None:
    """Build the dataset of every NPC with something to learn from, without training on it."""
    place = Place.find(campaign)
    with night_lock(place.home, now, "The building of a dataset"):
        built = place.run(lambda store, number: _build_all(place, store, number, npc))
    if as_json:
        click.echo(json.dumps({"datasets": built}, ensure_ascii=False))
        return
    for entry in built:
        rows = ", ".join(f"{count} {split}" for split, count in entry["rows"].items())
        click.echo(f"{entry['npc']}: {entry['dataset']} ({rows}) in {entry['folder']}")
        _tell_left_out(entry["left_out"])


@dataset.command()
@click.argument("name", metavar="HASH|latest")
@click.option("--npc", metavar="SLUG", help="The latest of this NPC.")
@click.option("--json", "as_json", is_flag=True)
def show(name: str, npc: str | None, as_json: bool) -> None:
    """Show what a dataset holds, and where it comes from."""
    snapshot = open_snapshot(Place.find(None).home.folder("datasets"), name, npc)
    if as_json:
        click.echo(json.dumps({"folder": str(snapshot.folder), **snapshot.manifest}, ensure_ascii=False))
        return
    told = snapshot.manifest
    click.echo(f"{snapshot.hash} of {told.get('npc', 'nobody')}, made {told.get('made_at', 'at an unknown time')}")
    click.echo(f"parents: {', '.join(told.get('parents', [])) or 'none'}; base: {told.get('base', 'unknown')}")
    for split, counts in told["counts"].items():
        click.echo(f"{split}: {counts['rows']} rows")
        for group in ("kind", "source", "signal", "consent", "licence"):
            listed = "; ".join(f"{key}: {count}" for key, count in counts.get(f"by_{group}", {}).items())
            if listed:
                click.echo(f"  by {group}  {listed}")
    _tell_left_out(told.get("left_out", {}))
    for kind in KINDS:
        for row in snapshot.rows(kind, "train")[:_SAMPLES]:
            click.echo(f"{kind}: {row.get('chosen', row.get('completion'))}")


@dataset.command()
@click.argument("name", metavar="HASH|latest|FILE")
@click.option("--campaign", metavar="NAME", help="Whose people's names are looked for.")
@click.option("--stop", metavar="TEXT", help="What every completion must end with; for a FILE guessed.")
@click.option("--longest", type=click.IntRange(1), metavar="TOKENS", help="How long a row may be.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def lint(
    context: click.Context, name: str, campaign: str | None, stop: str | None, longest: int | None, as_json: bool
) -> None:
    """Look for faults in a dataset's rows; the exit status is 1 when there are any."""
    place = Place.find(campaign)
    names = place.run(lambda store, number: _names(place, store, number))
    files, rules = _to_check(place, name)
    rules = replace(rules, names=names, stop=rules.stop if stop is None else stop, longest=longest or rules.longest)
    faults = check(files, rules)
    rows = sum(map(len, files.values()))
    if as_json:
        listed = [{"file": fault.file, "row": fault.row, "message": fault.message} for fault in faults]
        click.echo(json.dumps({"rows": rows, "faults": listed}, ensure_ascii=False))
    else:
        for fault in faults[:_SHOWN_FAULTS]:
            click.echo(str(fault))
        more = f", {len(faults) - _SHOWN_FAULTS} of them not shown" if len(faults) > _SHOWN_FAULTS else ""
        click.echo(f"{rows} rows, {len(faults)} faults{more}.")
    context.exit(1 if faults else 0)


@dataset.command()
@click.argument("name", metavar="HASH|latest")
@click.option("--format", "form", type=click.Choice(["trl", "openai", "sharegpt"]), required=True)
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="A new or empty folder.")
@click.option("--npc", metavar="SLUG", help="The latest of this NPC.")
@click.option("--json", "as_json", is_flag=True)
def export(name: str, form: Any, out: Path, npc: str | None, as_json: bool) -> None:
    """Write a dataset for other programs, with a card that says where it comes from."""
    snapshot = open_snapshot(Place.find(None).home.folder("datasets"), name, npc)
    done = write(snapshot, form, out)
    if as_json:
        told = {"dataset": snapshot.hash, "folder": str(out), "files": dict(done.files), "left_out": done.left_out}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for file, count in done.files.items():
        click.echo(f"{out / file}: {count} rows")
    if done.left_out:
        click.echo(f"{done.left_out} labels are left out: {form} has no form for them.")


async def _build_all(place: Place, store: Store, campaign: int, npc: str | None) -> list[dict[str, Any]]:
    from db.queries import harvest, teaching
    from learning.nightly import budget

    async with store.session() as session:
        heard = [*await harvest.npcs_heard(session, campaign), *await teaching.npcs_taught(session, campaign)]
    chosen = sorted(slug for slug in {*heard, *npcs_imported(place.home.folder("imports"))} if npc in {None, slug})
    if not chosen:
        whom = f" to {npc}" if npc else ""
        raise NothingToLearn(
            f"Nobody has reacted{whom} yet and nothing is imported or taught; play, or import dialogues, or teach."
        )
    engine = place.engine()
    try:
        can = await engine.capabilities()
    finally:
        await engine.close()
    if can.template is None:
        raise NothingToLearn(f"{place.base.name} has no chat template inside; choose a base model that has one.")
    renderer = Renderer(can.template, budget(can, place.settings.sampling.max_tokens))
    built, refused = [], []
    for slug in chosen:
        try:
            built.append(await _build_one(place, store, (campaign, slug), renderer, can.base_id))
        except NothingToLearn as error:
            refused.append(error)
            click.echo(str(error), err=True)
    if not built:
        raise refused[0]
    return built


async def _build_one(
    place: Place, store: Store, whose: tuple[int, str], renderer: Renderer, base: str
) -> dict[str, Any]:
    """Build one NPC's dataset from what the table heard, what was imported, and what teachers made.

    What the desk rejected, what the exam asks and what the NPC may not tell is left out, as a night leaves it out.
    """
    from db.queries import desk, harvest, teaching
    from learning.desk import obey
    from learning.nightly.datasets import exam_items
    from learning.nightly.withheld import withheld_from

    campaign, npc = whose
    library = Library(place.home.root)
    sheet = library.get(npc)
    policy, part = Policy(place.settings.privacy.channel_text), Part(npc, sheet, library.world(sheet.world))
    async with store.session() as session:
        heard = to_candidates(await harvest.heard_lines(session, campaign, npc), policy)
        heard = obey(heard, await desk.verdicts(session, campaign, npc))
        rows = await teaching.taught_rows(session, campaign, npc)
        withheld = await withheld_from(session, library, campaign, part)
    imports = place.home.folder("imports")
    candidates = [*heard, *load_imports(imports, npc), *lesson_candidates(rows, part, policy)]
    about = {"npc": npc, "campaign": campaign, "base": base, "template": renderer.template.hash,
             "sheet": sheet.version, "made_at": now().isoformat()}  # fmt: skip
    order = DatasetOrder(
        place.home.folder("datasets"), part, renderer, about,
        guarded=[item.question for item in exam_items(part)], withheld=[text for _, text in withheld],
        licences={**licences(imports, npc), **lesson_licences(rows)},
    )  # fmt: skip
    built = build_dataset(candidates, order)
    return {
        "npc": npc, "dataset": built.snapshot.hash, "folder": str(built.snapshot.folder),
        "rows": {split: len(rows) for split, rows in built.splits.items()}, "left_out": dict(built.left_out),
        "parents": built.snapshot.manifest["parents"],
    }  # fmt: skip


async def _names(place: Place, store: Store, campaign: int) -> tuple[str, ...]:
    """The names of the people at the table, but for those the story uses as well."""
    from db.queries import harvest

    spoken: set[str] = set()
    async with store.session() as session:
        for npc in await harvest.npcs_heard(session, campaign):
            for line in await harvest.heard_lines(session, campaign, npc):
                spoken.update(turn.said.speaker for turn in line.before if turn.said.npc is None)
    library = Library(place.home.root)
    story = {name.casefold() for name in _story_names(library)}
    return tuple(sorted(name for name in spoken if name.casefold() not in story | _BY_ROLE))


def _story_names(library: Any) -> Iterable[str]:
    """The names rendering may put in place of people's, and those of NPCs."""
    for slug in library.slugs():
        with contextlib.suppress(SheetError):  # a broken sheet names nobody
            sheet = library.get(slug)
            yield from (sheet.name, sheet.first_name)
            yield from library.world(sheet.world).names


def _to_check(place: Place, name: str) -> tuple[dict[str, list[Any]], Rules]:
    """The rows of a file or a snapshot, and what is known of what they must be like."""
    longest = place.settings.engine.context
    if Path(name).is_file():
        rows = read_rows(Path(name))
        return {Path(name).name: rows}, Rules(likely_stop(rows), longest=longest)
    snapshot = open_snapshot(place.home.folder("datasets"), name)
    told = snapshot.manifest
    tokens = tuple(told.get("special_tokens", ()))
    return files_of(snapshot), Rules(told.get("stop", ""), tokens, longest=told.get("context", longest))


def _tell_left_out(left_out: Mapping[str, int]) -> None:
    for reason, count in sorted(left_out.items()):
        click.echo(f"  left out  {reason}: {count}")
