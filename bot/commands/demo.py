"""`understudy demo`: the whole story on a home of its own; your own campaigns are not touched."""

import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Columns

from bot.demo.story import Program, Script, lines_of, load_script


@click.command()
@click.option("--home", metavar="FOLDER", type=click.Path(path_type=Path), help="Keep what the demo makes here.")
@click.option("--json", "as_json", is_flag=True)
def demo(home: Path | None, as_json: bool) -> None:
    """Five minutes: an evening in fast forward, a night, before and after, and back again."""
    console = Console(highlight=False, stderr=as_json)
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        found = _tell(console, Program(home), load_script())
    else:
        with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
            found = _tell(console, Program(Path(folder)), load_script())
    if as_json:
        import json

        click.echo(json.dumps(found, ensure_ascii=False))


def _tell(console: Console, program: Program, script: Script) -> dict[str, Any]:
    began = time.monotonic()
    console.print(f"[bold]1. An evening in fast forward.[/] {script.npc} answers; the game master rewrites every line.")
    typed = [text for ask, edit in script.evening for text in (ask, f"/edit {edit}")]
    first = program.play(script.npc, [*script.fresh, "/session stop"])
    evening = program.play(script.npc, [*typed, "/session stop"])
    spoken = lines_of(evening[::2])
    for (ask, edit), said in list(zip(script.evening, spoken, strict=False))[:5]:
        console.print(f"   [dim]You:[/] {ask}\n   [dim]said:[/] {said}\n   [dim]now: [/] {edit}")
    console.print(f"   … {len(script.evening)} lines in all.")
    console.print("[bold]2. The next line.[/] The corrections stand in the prompt already.")
    at_once = program.play(script.npc, [*script.fresh, "/session stop"])
    console.print("[bold]3. The night.[/]")
    [report] = program.run("night", "--npc", script.npc, tell=lambda text: console.print(f"   [dim]{text}[/]"))["npcs"]
    reason = report["verdict"]["reason"] if report["verdict"] else report["missing"]
    console.print(f"   {reason}")
    if report["verdict"] and not report["verdict"]["passed"]:
        console.print("   The gate held it, and a night leaves it at that; here the GM promotes it to hear it.")
    program.run("promote", script.npc, *([report["adapter"]] if report["adapter"] else []))
    console.print("[bold]4. The morning after.[/] The same questions, never asked before that evening:")
    after = program.play(script.npc, [*script.fresh, "/session stop"])
    columns = Columns("asked", "before the evening", "the next line", "after the night")
    rows = list(zip(script.fresh, lines_of(first), lines_of(at_once), lines_of(after), strict=False))
    for row in rows:
        columns.add_row(*row)
    console.print(columns)
    program.run("rollback", script.npc)
    again = program.play(script.npc, [*script.fresh, "/session stop"])
    same = lines_of(again) == lines_of(at_once)
    console.print(f"[bold]5. Undone.[/] `understudy rollback {script.npc}`: the old voice is back"
                  + (", word for word." if same else "."))  # fmt: skip
    seconds = time.monotonic() - began
    console.print(f"[dim]{seconds / 60:.1f} minutes. Nothing of your own campaigns was touched.[/]")
    return {"rows": [list(row) for row in rows], "verdict": report["verdict"], "same_after_rollback": same,
            "seconds": round(seconds, 1)}  # fmt: skip
