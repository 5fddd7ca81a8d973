"""`understudy config`: what is set, and where it came from."""

import json

import click

from bot.wiring import find_house


@click.group()
def config() -> None:
    """Show every setting and where it came from."""


@config.command()
@click.option("--json", "as_json", is_flag=True)
def show(as_json: bool) -> None:
    """Print every value and its origin; secrets are never printed."""
    house = find_house()
    home = {"name": "home", "value": str(house.home.root), "origin": "UNDERSTUDY_HOME or platform"}
    rows = [home, *house.loaded.rows()]
    if as_json:
        click.echo(json.dumps({"settings": rows}, ensure_ascii=False))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['value']!s:<28}  {row['origin']}")
