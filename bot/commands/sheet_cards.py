"""`understudy sheet import|export|explain`: cards and lore in and out, and what lore comes to mind."""

import json
from pathlib import Path
from typing import Any

import click

from bot.errors import TableError
from bot.table.importing import MAX_FILE, Imported, Wishes, bring_in, bring_notes, hand_out
from bot.wiring import find_house
from characters.lorebook.timing import Timers
from characters.messages import Turn
from characters.prompt import Budget, Part, look_up

_SILENT = 12  # of those that did not fire, how many are shown to people
_PLACES = {"hand": "at hand", "before": "before the sheet", "after": "after the sheet", "nowhere": "nowhere"}


@click.command("import")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--as", "slug", default="", metavar="SLUG", help="What it is called here; from its name unless given.")
@click.option("--world", default="saltmere", show_default=True, help="The world an NPC is to live in.")
@click.option("--for", "npcs", multiple=True, metavar="NPC", help="Whom lore is for (again for more).")
@click.option("--for-world", "worlds", multiple=True, metavar="WORLD", help="The worlds lore is for.")
@click.option("--greeting", default=1, show_default=True, help="Which of a card's greetings it opens with.")
@click.option("--replace", is_flag=True, help="Take the place of what has this name.")
@click.option("--json", "as_json", is_flag=True)
def import_file(source: Path, as_json: bool, greeting: int, **wishes: Any) -> None:
    """Bring in a character card, a lorebook, or a folder of Markdown notes.

    Cards: V1, V2 and V3 as PNG, JSON, CHARX or YAML. Lorebooks: V2, V3 and SillyTavern's world info. Lore
    is for everybody unless --for or --for-world say whom.
    """
    house = find_house()
    library = house.library()
    wishes["npcs"] = tuple(library.find(name) for name in wishes["npcs"])
    for world in wishes["worlds"]:
        library.world(world)
    chosen = Wishes(greeting=max(1, greeting) - 1, **wishes)
    if source.is_dir():
        done = bring_notes(house.home, source, chosen)
    else:
        if source.stat().st_size > MAX_FILE:
            raise TableError(f"{source.name}: larger than {MAX_FILE >> 20} MB; no card needs that.")
        done = bring_in(house.home, library, source.read_bytes(), source.name, chosen)
    if as_json:
        click.echo(json.dumps({"kind": done.kind, "slug": done.slug, "name": done.name, "path": str(done.path),
                               "lore": done.lore, "notes": done.notes}, ensure_ascii=False))  # fmt: skip
        return
    for line in _told(done):
        click.echo(line)


def _told(done: Imported) -> list[str]:
    if done.kind == "lore":
        return [f"{done.path}: {done.lore} entries; `understudy sheet explain NPC TEXT` shows what comes to mind.",
                *done.notes]  # fmt: skip
    with_lore = f", with {done.lore} lore entries" if done.lore else ""
    return [f"{done.path}: {done.name} is here{with_lore}; read the sheet, then `understudy play --npc {done.slug}`.",
            *done.notes]  # fmt: skip


@click.command("export")
@click.argument("npc")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--form", type=click.Choice(["png", "json", "charx"]), help="By the target's ending, else png.")
@click.option("--secrets", is_flag=True, help="Let its secrets go along; whoever has the card can read them.")
@click.option("--json", "as_json", is_flag=True)
def export_card(npc: str, target: Path | None, form: str | None, secrets: bool, as_json: bool) -> None:
    """Hand an NPC out as a character card that SillyTavern and its kin can play."""
    house = find_house()
    library = house.library()
    slug = library.find(npc)
    ending = target.suffix.removeprefix(".").casefold() if target else ""
    chosen: Any = form or (ending if ending in {"png", "json", "charx"} else "png")
    path = target or Path(f"{slug}.{chosen}")
    path.write_bytes(hand_out(house.home, library, slug, chosen, secrets=secrets))
    kept = bool(library.get(slug).secrets) and not secrets
    without = " Its secrets stayed here (--secrets takes them along)." if kept else ""
    said = f"{path}: {library.get(slug).name} as a character card.{without}"
    click.echo(json.dumps({"slug": slug, "path": str(path), "form": chosen}) if as_json else said)


@click.command()
@click.argument("npc")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True)
def explain(npc: str, text: str, as_json: bool) -> None:
    """Show what comes to an NPC's mind when TEXT is said to it, and why."""
    from bot.table.recalling import lore_facts, recall  # brings the database along

    house = find_house()
    library = house.library()
    slug = library.find(npc)
    sheet = library.get(slug)
    part, budget = Part(slug, sheet, library.world(sheet.world)), Budget()
    turns = [Turn(house.settings.table.name, text)]
    found = recall(library, part, turns, budget, Timers(), f"explain/{slug}")
    near = [*look_up(part, turns), *(fact for fact in lore_facts(found, part, turns, budget) if fact.place == "hand")]
    rows = [
        {"book": f.book, "entry": f.entry.title, "fires": f.fired, "why": f.why.removeprefix("!"),
         "place": f.entry.place, "depth": f.entry.depth, "role": f.entry.role, "text": f.text}
        for f in sorted(found.all, key=lambda finding: not finding.fired)
    ]  # fmt: skip
    if as_json:
        hand = [{"key": fact.key, "text": fact.text, "source": fact.source} for fact in near]
        click.echo(json.dumps({"slug": slug, "text": text, "lore": rows, "at_hand": hand}, ensure_ascii=False))
        return
    for line in _explained(rows):
        click.echo(line)
    click.echo("At hand before the reply:" if near else "Nothing is at hand before the reply.")
    for fact in near:
        click.echo(f"  {fact.source}: {fact.text}")


def _explained(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["There is no lorebook for this NPC; `understudy sheet import FILE` brings one in."]
    lines, silent = [], [row for row in rows if not row["fires"]]
    for row in rows:
        if row["fires"]:
            depth = f"{row['depth']} messages before the end, as {row['role']}"
            place = depth if row["place"] == "depth" else _PLACES[row["place"]]
            lines.append(f"fires: {row['entry']} ({row['book']}): {row['why']} → {place}")
    lines += [f"silent: {row['entry']} ({row['book']}): {row['why']}" for row in silent[:_SILENT]]
    if len(silent) > _SILENT:
        lines.append(f"silent: {len(silent) - _SILENT} more (--json shows all)")
    return lines
