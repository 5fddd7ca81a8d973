"""`understudy sheet`: write, check, list and show NPCs."""

import asyncio
import dataclasses
import json
from pathlib import Path

import click
import yaml

from bot.commands.sheet_cards import explain, export_card, import_file
from bot.errors import TableError
from bot.table.sheets import KINDS, template
from bot.wiring import House, find_house, make_engine
from characters.library import is_slug
from characters.messages import Turn
from characters.prompt import Budget, Part, build_prompt


@click.group()
def sheet() -> None:
    """Write, check, list and show NPCs; bring them in and hand them out as cards."""


for _command in (import_file, export_card, explain):
    sheet.add_command(_command)


@sheet.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_sheets(as_json: bool) -> None:
    """List every NPC that can be summoned."""
    library = find_house().library()
    rows = [
        {"slug": slug, "name": found.name, "kind": found.kind, "world": found.world}
        for slug in library.slugs()
        for found in [library.get(slug)]
    ]
    if as_json:
        click.echo(json.dumps({"sheets": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['slug']:<12} {row['name']:<24} {row['kind']:<16} {row['world']}")


@sheet.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def check(context: click.Context, target: Path | None, as_json: bool) -> None:
    """Report every fault of a file or folder at once, and what makes weak characters."""
    findings = find_house().library().check(target)
    faults = [finding for finding in findings if finding.level == "fault"]
    if as_json:
        click.echo(json.dumps({"faults": len(faults), "findings": [dataclasses.asdict(f) for f in findings]}))
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding}")
        click.echo(f"{len(faults)} faults, {len(findings) - len(faults)} warnings.")
    if faults:
        context.exit(1)


@sheet.command()
@click.argument("npc")
@click.option("--prompt", metavar="TEXT", help="Print the prompt the model would read after this was said.")
@click.option("--json", "as_json", is_flag=True)
def show(npc: str, prompt: str | None, as_json: bool) -> None:
    """Print an NPC's sheet, or the prompt it would answer."""
    house = find_house()
    library = house.library()
    slug = library.find(npc)
    found = library.get(slug)
    if prompt is not None:
        text = asyncio.run(_prompt_text(house, slug, prompt))
        click.echo(json.dumps({"slug": slug, "prompt": text}, ensure_ascii=False) if as_json else text)
    elif as_json:
        click.echo(json.dumps({"slug": slug, "sheet": found.model_dump(mode="json")}, ensure_ascii=False))
    else:
        content = found.model_dump(mode="json", exclude_defaults=True)
        click.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))


async def _prompt_text(house: House, slug: str, question: str) -> str:
    engine = make_engine(house)
    try:
        capabilities = await engine.capabilities()
    finally:
        await engine.close()
    found = house.library().get(slug)
    part = Part(slug, found, house.library().world(found.world))
    system = house.settings.engine.system_budget or capabilities.system_budget or 700
    budget = Budget(context=capabilities.context, system=system)
    turns = [Turn(house.settings.table.name, question)]
    built = build_prompt(part, turns, template=capabilities.template, budget=budget)
    return built.text or "\n".join(f"[{message.role}]\n{message.content}" for message in built.messages)


@sheet.command()
@click.argument("slug")
@click.option("--kind", type=click.Choice(KINDS), default="conversational", show_default=True)
@click.option("--name", default=None, help="The NPC's name; the slug, capitalised, unless given.")
@click.option("--world", default="saltmere", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def new(slug: str, kind: str, name: str | None, world: str, as_json: bool) -> None:
    """Begin a sheet in your home, with the fields its kind needs."""
    house = find_house()
    path = _own_path(house, slug)
    house.library().world(world)
    path.write_text(template(name or slug.capitalize(), kind, world), "utf-8")
    said = f"{path}: written; fill it, then `understudy sheet check` and `understudy play --npc {slug}`."
    click.echo(json.dumps({"slug": slug, "path": str(path)}) if as_json else said)


@sheet.command()
@click.argument("npc")
@click.option("--json", "as_json", is_flag=True)
def copy(npc: str, as_json: bool) -> None:
    """Copy a shipped sheet into your home, where yours wins."""
    house = find_house()
    slug = house.library().find(npc)
    source = house.library().path(slug)
    path = _own_path(house, slug)
    path.write_bytes(source.read_bytes())
    said = f"{path}: yours now; edit it, the next line follows it."
    click.echo(json.dumps({"slug": slug, "path": str(path)}) if as_json else said)


def _own_path(house: House, slug: str) -> Path:
    if not is_slug(slug) or slug != slug.casefold():
        raise TableError(f"{slug[:60]!r} cannot name a file; use small letters, digits, - and _.")
    path = house.home.folder("sheets") / f"{slug}.yaml"
    if path.exists():
        raise TableError(f"{path} exists; edit it, or choose another name.")
    return path
