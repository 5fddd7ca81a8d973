"""What the page uploads and downloads: character cards and sheets in, cards, pictures and a person's data out."""

import asyncio
import json
import urllib.parse
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from bot.studio.studio import OpenTable, Studio
from bot.table.importing import Wishes, bring_in, free_slug, hand_out
from characters.errors import UnderstudyError
from characters.files import write_whole
from characters.library import MAX_BYTES, Library
from characters.sheet_text import read_sheet_text
from db import forgetting
from db.home import Home
from db.queries.privacy import find_person

MOST_CARD = 20 * 1024 * 1024
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
_WORLD = "saltmere"
_MEDIA = {"png": "image/png", "charx": "application/zip", "json": "application/json"}


def router(studio: Studio) -> APIRouter:
    """The paths under /studio."""
    made = APIRouter(prefix="/studio", include_in_schema=False)

    @made.post("/cards")
    async def take_card(request: Request) -> dict[str, Any]:
        _need_gm(studio)
        name = Path(urllib.parse.unquote(request.headers.get("x-name", "card.png"))).name[:120]
        data = await _read(request)
        opened = studio.table()
        library, world = (opened.table.state.library, home_world(opened)) if opened else (studio.library, _WORLD)
        try:
            return await asyncio.to_thread(import_card, data, name, studio.home, library, world)
        except UnderstudyError as error:
            raise HTTPException(400, str(error)) from error

    @made.get("/cards/{slug}.{kind}")
    async def give_card(slug: str, kind: str, secrets: bool = False) -> Response:
        _need_gm(studio)
        opened = studio.table()
        library = opened.table.state.library if opened else studio.library
        try:
            data, media = await asyncio.to_thread(export_card, studio.home, library, slug, kind, secrets=secrets)
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


def home_world(opened: OpenTable) -> str:
    """The world newcomers live in: that of whoever has the word at the table."""
    state = opened.table.state
    try:
        return state.library.get(state.speaker).world if state.speaker else _WORLD
    except UnderstudyError:  # the sheet is broken just now
        return _WORLD


def import_card(data: bytes, name: str, home: Home, library: Library, world: str = _WORLD) -> dict[str, Any]:
    """Bring in a card, a lorebook or a sheet; it never overwrites one.

    Raises:
        UnderstudyError: what is wrong with it, in one sentence.
    """
    if name.casefold().endswith((".yaml", ".yml")) and b"schema_version" in data[:MAX_BYTES]:
        text = data.decode("utf-8", "replace")
        sheet = read_sheet_text(text, "sheet")
        slug = free_slug(sheet.name, library.slugs())
        write_whole(home.folder("sheets") / f"{slug}.yaml", text)
        return {"kind": "npc", "slug": slug, "name": sheet.name, "notes": []}
    done = bring_in(home, library, data, name, Wishes(world=world, beside=True))
    entries = f"{done.lore} lore {'entry' if done.lore == 1 else 'entries'}"
    lore = f"{entries} for everybody." if done.kind == "lore" else f"{entries} came with it." if done.lore else ""
    return {"kind": done.kind, "slug": done.slug, "name": done.name, "notes": [*([lore] if lore else []), *done.notes]}


def export_card(home: Home, library: Library, slug: str, kind: str, *, secrets: bool) -> tuple[bytes, str]:
    """An NPC as a card.

    Raises:
        UnderstudyError: there is no such NPC, or no such kind of card.
    """
    from bot.studio.errors import StudioError

    if kind not in _MEDIA:
        raise StudioError(f"A card is png, json or charx, not {kind[:20]!r}.")
    return hand_out(home, library, slug, kind, secrets=secrets), _MEDIA[kind]  # type: ignore[arg-type]  # just looked up
