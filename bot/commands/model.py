"""`understudy model`: which base models are here, how another comes, and whether it is any good."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from bot.models.errors import ShelfError
from bot.models.shelf import Shelf, Shelved, in_words
from bot.wiring import House, find_house
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions

_CONTEXT = 1024  # enough to look at a model, whatever it could hold


@click.group()
def model() -> None:
    """Pull, import, list and verify base models."""


def _shelf(house: House) -> Shelf:
    return Shelf(house.home.folder("models"), house.model)


def _engine(house: House, path: Path) -> LlamaCppEngine:
    from characters.inference.native_proof import extra_buffers_work

    chosen = house.settings.engine
    extra = chosen.extra_buffers and extra_buffers_work(house.home.folder("kv"))
    return LlamaCppEngine(path, LoadOptions(_CONTEXT, 2 * _CONTEXT, threads=chosen.threads, extra_buffers=extra))


@model.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_models(as_json: bool) -> None:
    """Which models are here, and which one speaks."""
    found = _shelf(find_house()).models()
    if as_json:
        click.echo(json.dumps({"models": [one.as_json() for one in found]}, ensure_ascii=False))
        return
    for one in found:
        told = [in_words(one.card.bytes), one.card.licence or "licence unknown", one.card.repo or one.card.source]
        click.echo(f"{'*' if one.speaks else ' '} {one.card.name:<36} {'  '.join(told)}")
    click.echo("* speaks now. Set engine.model, or UNDERSTUDY_ENGINE_MODEL, to the path of another; "
               "docs/models.md recommends some.")  # fmt: skip


@model.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "name", metavar="NAME", help="The name it gets here; its own otherwise.")
@click.option("--licence", default="", metavar="NAME", help="What its licence is; shown by `model list`.")
@click.option("--json", "as_json", is_flag=True)
def import_model(file: Path, name: str | None, licence: str, as_json: bool) -> None:
    """Copy a GGUF of yours into the home, whole and checked or not at all."""
    house = find_house()
    file = file.expanduser()
    taken = _shelf(house).take(file, name or file.name, lambda copy: _must_load(house, copy), licence=licence)
    _tell(taken, as_json, {})


@model.command()
@click.argument("repo")
@click.argument("file", required=False)
@click.option("--revision", default="main", show_default=True, help="Branch, tag or commit.")
@click.option("--as", "name", metavar="NAME", help="The name it gets here; its own otherwise.")
@click.option("--sha256", default="", metavar="HEX", help="What the file must be, known from elsewhere.")
@click.option("--json", "as_json", is_flag=True)
def pull(
    repo: str, file: str | None, revision: str, name: str | None, sha256: str, as_json: bool,
) -> None:  # fmt: skip
    """Fetch a GGUF from the hub (HF_ENDPOINT, HF_TOKEN); a broken pull goes on where it broke."""
    from dataclasses import replace

    from bot.models.hub import fetch, look_up
    from bot.models.shelf import Card, sha256_of

    if as_json:
        _no_bars()
    house = find_house()
    shelf = _shelf(house)
    offer = look_up(repo, file, revision)
    if sha256:
        if offer.sha256 and offer.sha256 != sha256.casefold():
            raise ShelfError(f"{repo} names another checksum for {offer.file} ({offer.sha256}); nothing was pulled.")
        offer = replace(offer, sha256=sha256.casefold())
    target = shelf.target(name or offer.file)
    if not (target.is_file() and offer.sha256 and sha256_of(target) == offer.sha256):
        click.echo(f"{offer.file}: {in_words(offer.size)}, {offer.licence or 'licence not told'}", err=True)
        half = shelf.half(offer.sha256 or f"{repo.replace('/', '--')}-{offer.revision}-{target.name}")
        shelf.room_for(offer.size - (half.stat().st_size if half.is_file() else 0))
        kept = fetch(offer, half)
        card = Card(target.name, half.stat().st_size, sha256_of(half), "hub", offer.repo, offer.revision, offer.licence)
        found = shelf.put(half, target, card, lambda whole: _must_load(house, whole))
    else:
        kept, found = offer.size, next(one for one in shelf.models() if one.path == target)
    _tell(found, as_json, {"resumed_at": kept, "compared": bool(offer.sha256)})


def _no_bars() -> None:
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()


def _must_load(house: House, path: Path) -> None:
    from bot.models.proof import loads

    asyncio.run(loads(_engine(house, path)))


def _tell(taken: Shelved, as_json: bool, more: dict[str, Any]) -> None:
    if as_json:
        click.echo(json.dumps({**taken.as_json(), **more}, ensure_ascii=False))
        return
    if more.get("compared") is False:
        click.echo(f"The hub names no checksum for it; compare {taken.card.sha256} yourself.", err=True)
    click.echo(f"{taken.card.name} is here ({in_words(taken.card.bytes)}). Verify it with `understudy model verify "
               f"{taken.card.name}`, talk to it with `understudy play --model {taken.path}`.")  # fmt: skip


@model.command()
@click.argument("file", required=False)
@click.option("--no-training", is_flag=True, help="Leave out what only learning needs; seconds instead of minutes.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def verify(context: click.Context, file: str | None, no_training: bool, as_json: bool) -> None:
    """Prove that a model loads, renders, tokenizes and speaks here, and whether NPCs can learn on it."""
    house = find_house()
    path = _shelf(house).find(file) if file else house.model
    findings = asyncio.run(_prove_all(house, path, not no_training, as_json))
    failed = any(finding["ok"] is False for finding in findings)
    if as_json:
        click.echo(json.dumps({"model": str(path), "ok": not failed, "findings": findings}, ensure_ascii=False))
    if failed:
        context.exit(1)


async def _prove_all(house: House, path: Path, training: bool, as_json: bool) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from bot.models.proof import prove

    engine, findings = _engine(house, path), []
    try:
        async for finding in prove(path, engine, training=training):
            findings.append(asdict(finding))
            if not as_json:
                sign = {True: "ok  ", False: "FAIL", None: "--  "}[finding.ok]
                click.echo(f"{sign}  {finding.name:<14} {finding.found}")
    finally:
        await engine.close()
    return findings
