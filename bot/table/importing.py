"""Brings characters and lore from elsewhere into the home, and hands them out again.

    sheets/SLUG.yaml          the sheet, made from the card
    sheets/SLUG.card.png      the card as it came (or .json, .charx)
    lore/SLUG.json            its lorebook; other lorebooks and notes lie beside it
    avatars/SLUG.png          its picture, without the card in it

The sheet is written last: an NPC is there whole, or not at all.
"""

import copy
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.errors import TableError
from characters.cards import Card, card_json, card_to_sheet, png, read_card, sheet_to_card, write_charx, write_png
from characters.cards.mapping import VISITOR
from characters.errors import CardError
from characters.files import write_whole
from characters.library import Library, is_slug
from characters.loose import dict_of, parse_json
from characters.lorebook.notes import read_notes
from characters.lorebook.reading import MAX_BYTES, SPACE, is_lorebook, lorebook_of
from characters.words import fold
from db.home import Home

Form = Literal["png", "json", "charx", "yaml"]
MAX_FILE = 64 * 1024 * 1024
_FORMS = ("png", "json", "charx")


@dataclass(frozen=True)
class Imported:
    """What was brought in.

    Attributes:
        kind: "npc" or "lore".
        lore: how many lore entries came with it.
        notes: what its author should know, one sentence each.
    """

    kind: Literal["npc", "lore"]
    slug: str
    name: str
    path: Path
    lore: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """How something is to be brought in; whom lore is for is empty for everybody.

    Attributes:
        beside: where the name is taken, take the next one that is free.
    """

    slug: str = ""
    world: str = "saltmere"
    visitor: str = VISITOR
    greeting: int = 0
    replace: bool = False
    beside: bool = False
    npcs: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()


def bring_in(home: Home, library: Library, data: bytes, name: str, wishes: Wishes = Wishes()) -> Imported:
    """Bring in a card or a lorebook, whichever the file is.

    Raises:
        CardError: it is neither; nothing was written.
        TableError: its name is taken.
    """
    raw = _lorebook_json(data, name)
    if raw is not None:
        return _bring_lore(home, raw, Path(name).stem, wishes, ())
    card = read_card(data, name)
    slug = wishes.slug or slug_of(card.name)
    if wishes.beside:
        slug = free_slug(slug, {*library.slugs(), *_lore(home)})
    path = _free(home, library, slug, wishes.replace)
    library.world(wishes.world)
    draft = card_to_sheet(card, wishes.world, visitor=wishes.visitor, greeting=wishes.greeting,
                          avatar=f"{slug}.png" if card.picture else "")  # fmt: skip
    notes, entries = list(draft.notes), 0
    if card.book is not None:
        own = Wishes(slug=slug, npcs=(slug,), replace=wishes.replace)
        book = _bring_lore(home, {"spec": "lorebook_v3", "data": card.book}, slug, own, ())
        notes, entries = [*notes, *book.notes], book.lore
    for form in _FORMS:
        (path.parent / f"{slug}.card.{form}").unlink(missing_ok=True)
    if card.container == "yaml":
        write_whole(path.parent / f"{slug}.card.json", card_json(card))
    else:
        write_whole(path.parent / f"{slug}.card.{card.container}", card.source)
    if card.picture:
        write_whole(home.folder("avatars") / f"{slug}.png", png.without_texts(card.picture))
    write_whole(path, draft.text.encode())
    return Imported("npc", slug, draft.sheet.name, path, entries, tuple(notes))


def bring_notes(home: Home, folder: Path, wishes: Wishes = Wishes()) -> Imported:
    """Bring in a folder of Markdown notes as one lorebook.

    Raises:
        CardError: there is nothing in it.
        TableError: its name is taken.
    """
    name = wishes.slug or slug_of(folder.resolve().name)
    notes = read_notes(folder, name)
    said = [f"{notes.read} notes were read."]
    if notes.skipped:
        said.append(f"{len(notes.skipped)} were left out, such as {notes.skipped[0]}.")
    return _bring_lore(home, notes.raw, name, wishes, tuple(said))


def hand_out(home: Home, library: Library, slug: str, form: Form = "png", *, secrets: bool = False) -> bytes:
    """An NPC as a card.

    Args:
        secrets: whether its secrets go along.

    Raises:
        CardError: the card beside its sheet is broken.
    """
    sheet, original = library.get(slug), original_of(home, slug)
    draft = card_to_sheet(original, sheet.world).sheet if original else None
    card = _with_book(sheet_to_card(sheet, original, draft, secrets=secrets), home, slug)
    picture = _picture(home, sheet.avatar) if original is None else None
    if form == "json":
        return card_json(card)
    return write_charx(card, picture) if form == "charx" else write_png(card, picture)


def original_of(home: Home, slug: str) -> Card | None:
    """The card an NPC came from, if it came from one."""
    for form in _FORMS:
        path = home.root / "sheets" / f"{slug}.card.{form}"
        if path.is_file():
            return read_card(path.read_bytes(), path.name)
    return None


def slug_of(name: str) -> str:
    """A file's name for somebody's name."""
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:40].strip("-") or "npc"


def free_slug(name: str, taken: Collection[str]) -> str:
    """A file's name for somebody's name that nobody has yet."""
    slug = plain = slug_of(name)
    number = 2
    while slug in taken:
        slug, number = f"{plain}-{number}", number + 1
    return slug


def _lore(home: Home) -> set[str]:
    return {path.stem for path in (home.root / "lore").glob("*.json")}


def _lorebook_json(data: bytes, name: str) -> dict[str, Any] | None:
    """The JSON of a lorebook that stands alone; None where the file is something else."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or len(data) > MAX_BYTES:
        return None
    try:
        raw = parse_json(data, name, MAX_BYTES)
    except CardError:
        return None
    return raw if is_lorebook(raw) else None


def _bring_lore(home: Home, raw: dict[str, Any], name: str, wishes: Wishes, notes: tuple[str, ...]) -> Imported:
    slug = wishes.slug or slug_of(name)
    slug = free_slug(slug, _lore(home)) if wishes.beside else slug
    path = home.folder("lore") / f"{slug}.json"
    if not is_slug(slug) or (path.exists() and not wishes.replace):
        raise TableError(f"There is lore called {slug[:60]!r} already; choose another name (--as) or --replace it.")
    alone = raw.get("spec") == "lorebook_v3"
    kept: dict[str, Any] = copy.deepcopy(raw if alone else {"spec": "lorebook_v3", "data": raw})
    book: dict[str, Any] = kept["data"]
    serves = {"npcs": list(wishes.npcs), "worlds": list(wishes.worlds)}
    if any(serves.values()):
        extensions = dict_of(book.get("extensions"))
        book["extensions"] = {**extensions, SPACE: {k: v for k, v in serves.items() if v}}
    read = lorebook_of(book, slug)
    write_whole(path, json.dumps(kept, ensure_ascii=True, indent=1).encode())
    return Imported("lore", slug, read.name, path, len(read.entries), (*notes, *read.notes))


def _with_book(card: Card, home: Home, slug: str) -> Card:
    """The card with the NPC's own lorebook as it stands in the home now."""
    path = home.root / "lore" / f"{slug}.json"
    if not path.is_file():
        return card
    book = copy.deepcopy(dict_of(parse_json(path.read_bytes(), path.name, MAX_BYTES).get("data")))
    extensions = book.get("extensions")
    if isinstance(extensions, dict) and extensions.pop(SPACE, None) and not extensions:
        had = dict_of(card.data.get("character_book"))
        if "extensions" not in had:
            del book["extensions"]
    if book == card.data.get("character_book"):
        return card
    raw = copy.deepcopy(card.raw)
    changed = Card(raw, card.version, card.container, card.picture, card.source)
    changed.data["character_book"] = book
    return changed


def _picture(home: Home, avatar: str) -> bytes | None:
    path = home.root / "avatars" / avatar
    ours = bool(avatar) and Path(avatar).name == avatar and path.suffix.casefold() == ".png" and path.is_file()
    return path.read_bytes() if ours else None


def _free(home: Home, library: Library, slug: str, replace: bool) -> Path:
    """The file of a new NPC.

    Raises:
        TableError: the name cannot be a file, or somebody has it.
    """
    if not is_slug(slug) or slug != slug.casefold():
        raise TableError(f"{slug[:60]!r} cannot name a file; choose small letters, digits, - and _ with --as.")
    if slug in library.slugs() and not replace:
        raise TableError(f"There is an NPC called {slug!r} already; choose another name (--as) or --replace it.")
    return home.folder("sheets") / f"{slug}.yaml"
