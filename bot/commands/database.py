"""`understudy db`: the database's own commands."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.wiring import House, find_house

if TYPE_CHECKING:
    from db.checking import Checked
    from db.copying import Copied
    from db.restoring import Restored


@click.group("db")
def database() -> None:
    """Upgrade, check, back up, restore and copy the database."""


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


@database.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Look for damage: integrity, references that lead nowhere, files of adapters and datasets that changed.

    Changes nothing; ends with 1 where something is lost.
    """
    house = find_house()
    checked = asyncio.run(_check(house))
    if as_json:
        found = [{"about": one.about, "message": one.sentence, "harm": one.harm} for one in checked.findings]
        told = {"clean": checked.clean, "rows": checked.rows, "adapters": checked.adapters,
                "datasets": checked.datasets, "findings": found}  # fmt: skip
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for one in checked.findings:
            click.echo(one.sentence if one.harm else f"(No harm.) {one.sentence}")
        looked = f"{sum(checked.rows.values())} rows, {checked.adapters} adapters, {checked.datasets} datasets"
        click.echo(f"Looked at {looked}: {'nothing is lost.' if checked.clean else 'see above.'}")
    context.exit(0 if checked.clean else 1)


async def _check(house: House) -> "Checked":
    from db.checking import check as look
    from db.store import Store

    store = await Store.open(house.database_url)
    try:
        return await look(store, house.home)
    finally:
        await store.close()


@database.command()
@click.option("--json", "as_json", is_flag=True)
def backup(as_json: bool) -> None:
    """Copy the database into the home's backups; everybody may go on playing meanwhile."""
    copy = asyncio.run(_back_up(find_house()))
    size = copy.stat().st_size
    click.echo(json.dumps({"file": str(copy), "bytes": size}) if as_json else f"{copy} is a whole copy ({size} bytes).")


async def _back_up(house: House) -> Path:
    from db.backup import back_up
    from db.store import Store

    store = await Store.open(house.database_url)
    try:
        return await back_up(store, house.home, datetime.now(UTC))
    finally:
        await store.close()


@database.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
def restore(file: Path | None, as_json: bool) -> None:
    """Bring FILE back, the newest copy unless it is named; what is there now is kept beside the copies.

    Nobody may have the database open. A server's database must be empty.
    """
    done = asyncio.run(_restore(find_house(), file))
    if as_json:
        click.echo(json.dumps({"file": str(done.file), "before": str(done.before) if done.before else None}))
        return
    click.echo(f"{done.file} is the database now." + (f" What was there lies in {done.before}." if done.before else ""))


async def _restore(house: House, file: Path | None) -> "Restored":
    from db.restoring import restore as bring_back

    return await bring_back(house.database_url, house.home, file, datetime.now(UTC))


@database.command()
@click.argument("target", metavar="URL")
@click.option("--json", "as_json", is_flag=True)
def copy(target: str, as_json: bool) -> None:
    """Copy the database to URL, an empty one such as postgresql://USER@HOST/NAME, and compare the two.

    Nobody can write while it is copied. What was broken off goes on where it was when it is called again. Afterwards
    set database.url to the new one.
    """
    copied = asyncio.run(_copy(find_house(), target, as_json))
    if as_json:
        told = {"rows": copied.rows, "content": copied.content, "went_on": copied.went_on}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{sum(copied.rows.values())} rows copied and compared ({copied.content}).")
    click.echo("Set database.url to the new address in understudy.toml, or UNDERSTUDY_DATABASE_URL.")


async def _copy(house: House, url: str, as_json: bool) -> "Copied":
    from db.copying import CopyRefused, copy_database
    from db.store import Store

    def tell(name: str, rows: int) -> None:
        if not as_json:
            click.echo(f"{rows:>9}  {name}", err=True)

    source = await Store.open(house.database_url)
    try:
        target = await Store.open(url)
        try:
            if target.where == source.where:
                raise CopyRefused(f"{source.where} cannot be copied onto itself; name another database.")
            async with source.kept_still():
                return await copy_database(source, target, tell)
        finally:
            await target.close()
    finally:
        await source.close()
