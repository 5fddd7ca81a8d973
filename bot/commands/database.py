"""`understudy db`: the database's own commands."""

import asyncio
import json

import click

from bot.wiring import find_house


@click.group("db")
def database() -> None:
    """Upgrade and check the database."""


@database.command()
@click.option("--json", "as_json", is_flag=True)
def upgrade(as_json: bool) -> None:
    """Bring the schema to the newest version; safe to run again."""
    from db.migrate import newest
    from db.store import Store

    house = find_house()

    async def run() -> str:
        store = await Store.open(house.database_url)
        await store.close()
        return store.where

    where = asyncio.run(run())
    click.echo(json.dumps({"database": where, "schema": newest()}) if as_json else f"{where}: at schema {newest()}.")
