"""`understudy bench memory`: how fast and how well a long campaign is remembered.

What measures is imported when it is called: help comes without a database.
"""

import asyncio
import json
import tempfile
from pathlib import Path

import click


@click.command("memory")
@click.option("--turns", default=10_000, show_default=True, help="How long the campaign is.")
@click.option("--probes", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A YAML file of [speaker, said, asked]; without it only the speed is measured.")
@click.option("--embedder", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A GGUF that makes vectors of memories and questions, beside full text.")
@click.option("--database", default="", help="URL of an empty database; a temporary SQLite file unless given.")
@click.option("--json", "as_json", is_flag=True)
def bench_memory(turns: int, probes: Path | None, embedder: Path | None, database: str, as_json: bool) -> None:
    """How fast and how well a long campaign is remembered, by full text and perhaps by vectors."""
    from bot.commands.long_memory import CAST, measure, read_probes

    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{Path(folder) / 'db.sqlite'}"
        asked = read_probes(probes) if probes else []
        found = asyncio.run(measure(url, turns, asked, embedder=embedder)).as_json()
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{found['turns']} turns, {found['memories']} memories in {len(CAST)} heads.")
    click.echo(f"A query takes {found['median_ms']:.1f} ms (median), {found['p95_ms']:.1f} ms (95 %).")
    for group, share in found["offered"].items():
        click.echo(f"{group}: the right memory is among the five offered in {share:.1%}.")
    if found["offered_all"] is not None:
        click.echo(f"all {found['probes']}: {found['offered_all']:.1%} among the five, {found['first_all']:.1%} first.")
