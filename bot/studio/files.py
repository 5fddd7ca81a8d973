"""What the page uploads and downloads: character cards and sheets in, cards, pictures and a person's data out."""

import asyncio
import json
import re
import urllib.parse
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from bot.studio.studio import Studio
from characters.errors import UnderstudyError
from characters.files import write_whole
from characters.library import MAX_BYTES, Library
from characters.sheet_text import read_sheet_text
from db import forgetting
from db.queries.privacy import find_person

MOST_CARD = 20 * 1024 * 1024
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
_WORLD = "saltmere"


def router(studio: Studio) -> APIRouter:
    """The paths under /studio."""
    made = APIRouter(prefix="/studio", include_in_schema=False)

    @made.post("/cards")
    async def take_card(request: Request) -> dict[str, Any]:
        _need_gm(studio)
        name = Path(urllib.parse.unquote(request.headers.get("x-name", "card.png"))).name[:120]
        data = await _read(request)
        try:
            return await asyncio.to_thread(import_card, data, name, studio.home.folder(""), studio.library)
        except UnderstudyError as error:
            raise HTTPException(400, str(error)) from error

    @made.get("/cards/{slug}.{kind}")
    async def give_card(slug: str, kind: str, secrets: bool = True) -> Response:
        _need_gm(studio)
        opened = studio.table()
        library = opened.table.state.library if opened else studio.library
        try:
            data, media = await asyncio.to_thread(export_card, library, slug, kind, secrets)
        except UnderstudyError as error:
            raise HTTPException(404, str(error)) from error
        named = {"content-disposition": f'attachment; filename="{slug}.{kind}"'}
        return Response(data, media_type=media, headers=named)

    @made.get("/avatars/{name}")
    async def picture(name: str) -> FileResponse:
        path = studio.home.root / "avatars" / name
        if Path(name).name != name or path.suffix.casefold() not in PICTURES or not path.is_file():
            raise HTTPException(404, "There is no such picture.")
        return FileResponse(path)

    @made.get("/person/{key}")
    async def person(key: str) -> Response:
        _need_gm(studio)
        try:
            async with studio.store.session() as session:
                known = await find_person(session, key)
            found = await forgetting.export(studio.store, studio.home, known)
        except UnderstudyError as error:
            raise HTTPException(404, str(error)) from error
        body = json.dumps(found, ensure_ascii=False, indent=2, default=str)
        headers = {"content-disposition": 'attachment; filename="understudy-export.json"'}
        return Response(body, media_type="application/json", headers=headers)

    return made


def _need_gm(studio: Studio) -> None:
    opened = studio.table()
    if opened is None or not opened.gm:
        raise HTTPException(403, "Only the GM does that; play without `--as`.")


async def _read(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_CARD:
            raise HTTPException(413, f"A card has at most {MOST_CARD // 1024**2} MB.")
    return bytes(data)


def import_card(data: bytes, name: str, home: Path, library: Library) -> dict[str, Any]:
    """Make a sheet of a card, or take a sheet as it is; it never overwrites one.

    Raises:
        UnderstudyError: what is wrong with it, in one sentence.
    """
    from characters.cards import card_to_sheet, read_card

    notes = list[str]()
    if name.casefold().endswith((".yaml", ".yml")) and b"schema_version" in data[:MAX_BYTES]:
        text = data.decode("utf-8", "replace")
        sheet, picture = read_sheet_text(text, "sheet"), None
    else:
        card = read_card(data, name)
        slug = free_slug(card.name, library)
        picture = card.picture
        draft = card_to_sheet(card, _WORLD, avatar=f"{slug}.png" if picture else "")
        sheet, text, notes = draft.sheet, draft.text, list(draft.notes)
    slug = free_slug(sheet.name, library)
    folder = home / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    if picture:
        (home / "avatars").mkdir(exist_ok=True)
        write_whole(home / "avatars" / f"{slug}.png", picture)
    write_whole(folder / f"{slug}.yaml", text)
    return {"slug": slug, "name": sheet.name, "notes": notes}


def export_card(library: Library, slug: str, kind: str, secrets: bool) -> tuple[bytes, str]:
    """An NPC as a card.

    Raises:
        UnderstudyError: there is no such NPC, or no such kind of card.
    """
    from bot.studio.errors import StudioError
    from characters.cards import card_json, sheet_to_card, write_charx, write_png

    card = sheet_to_card(library.get(slug), secrets=secrets)
    if kind == "png":
        return write_png(card), "image/png"
    if kind == "charx":
        return write_charx(card), "application/zip"
    if kind == "json":
        return card_json(card), "application/json"
    raise StudioError(f"A card is png, json or charx, not {kind[:20]!r}.")


def free_slug(name: str, library: Library) -> str:
    """A slug nobody has."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "npc"
    known, slug, number = set(library.slugs()), plain, 2
    while slug in known:
        slug, number = f"{plain}-{number}", number + 1
    return slug
