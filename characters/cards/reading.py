"""Reads a character card out of whatever file it came in; the one door for cards from elsewhere.

    PNG / APNG   `tEXt` chunks `ccv3` and `chara`, any case, before or after the picture; `ccv3` wins
    CHARX        a zip with `card.json`
    JSON         V1, V2 or V3, also without `spec`, also with the field names of older programs
    YAML         the plain kind some programs write

Sources: character-card-spec-v2 (spec_v1.md, spec_v2.md), character-card-spec-v3 (SPEC_V3.md). Nothing
remote is ever fetched: an icon that is an address stays an address in the card's JSON.
"""

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Literal

import yaml

from characters.cards import charx, png
from characters.cards.card import FIELDS, Card
from characters.errors import CardError
from characters.loose import MAX_JSON, dict_of, parse_json, text_of

_MAX_YAML = 64 * 1024
_NEWEST = 3.0
_PICTURES = {b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP", b"GIF8": "GIF"}


def read_card(data: bytes, name: str = "the file") -> Card:
    """Read a card.

    Args:
        name: the file's name, for messages and where its content does not say what it is.

    Raises:
        CardError: one sentence: what is wrong and what to do.
    """
    shown = PurePath(name).name[:80] or "the file"
    if data.startswith(png.SIGNATURE):
        return _from_png(data, shown)
    if data.startswith(b"PK") or shown.casefold().endswith(".charx"):
        return _from_charx(data, shown)
    for magic, kind in _PICTURES.items():
        if data.startswith(magic):
            raise CardError(f"{shown} is a {kind} picture, and cards live in PNG; get the card as PNG or JSON.")
    if shown.casefold().endswith((".yaml", ".yml")):
        return _checked(Card(_yaml(data, shown), 1, "yaml", source=data), shown)
    return _checked(_card(parse_json(data, shown), "json", data), shown)


def _from_png(data: bytes, shown: str) -> Card:
    try:
        found = [(keyword.casefold(), value) for keyword, value in png.texts(data)]
    except CardError as error:
        raise CardError(f"{shown}: {error}") from error
    values = {keyword: value for keyword, value in reversed(found) if keyword in {"chara", "ccv3"}}
    if not values:
        raise CardError(f"{shown} is a picture without a character card in it; get the card's own PNG, or its JSON.")
    notes: list[str] = []
    read = {}
    for keyword in ("ccv3", "chara"):
        if keyword in values:
            try:
                read[keyword] = parse_json(_decoded(values[keyword], shown), shown)
            except CardError:
                if len(values) == 1 or (keyword == "chara" and not read):
                    raise
                notes.append(f"Its {keyword} part cannot be read; the other one was used.")
    chosen = read.get("ccv3", read.get("chara", {}))
    beside = read["chara"] if "ccv3" in read and "chara" in read else None
    card = _card(chosen, "png", data, data, beside)
    return _checked(_noted(card, notes), shown)


def _from_charx(data: bytes, shown: str) -> Card:
    try:
        archive = charx.Archive(data)
        card = _card(parse_json(archive.read(charx.CARD, MAX_JSON), shown), "charx", data)
        icon = _icon(card, archive)
    except CardError as error:
        raise CardError(f"{shown}: {error}") from error
    notes = () if icon else ("It has no picture of its own that can be used; remote pictures are not fetched.",)
    return _checked(_noted(dataclasses.replace(card, picture=icon), notes), shown)


def _icon(card: Card, archive: charx.Archive) -> bytes | None:
    """The main icon, if it lies in the archive or in the JSON and is a PNG."""
    assets = card.data.get("assets")
    icons = [a for a in assets if isinstance(a, dict) and a.get("type") == "icon"] if isinstance(assets, list) else []
    for asset in sorted(icons, key=lambda asset: asset.get("name") != "main"):
        uri = text_of(asset.get("uri"))
        path = re.sub(r"^embedd?ed://", "", uri)
        if path != uri and path in archive.names:
            content = archive.read(path)
        elif uri.startswith("data:image/png;base64,") and len(uri) < png.MAX_BYTES:
            content = _base64(uri.partition(",")[2].encode("ascii", "replace")) or b""
        else:
            continue
        if _is_picture(content):
            return content
    return None


def _is_picture(content: bytes) -> bool:
    try:
        return sum(1 for _ in png.chunks(content)) > 2
    except CardError:
        return False


def _decoded(value: bytes, shown: str) -> bytes:
    if value.lstrip()[:1] == b"{":  # some programs forget the base64
        return value
    if len(value) > 2 * MAX_JSON:
        raise CardError(f"{shown}: its card is larger than {MAX_JSON >> 20} MB; shorten it.")
    decoded = _base64(value)
    if decoded is None:
        raise CardError(f"{shown}: the card inside the picture is damaged (no base64); export it again.")
    return decoded


def _base64(value: bytes) -> bytes | None:
    packed = re.sub(rb"\s+", b"", value).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


class _Plain(yaml.SafeLoader):
    """YAML without aliases, which can make a small file huge."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def _yaml(data: bytes, shown: str) -> dict[str, Any]:
    if len(data) > _MAX_YAML:
        raise CardError(f"{shown}: larger than {_MAX_YAML >> 10} KB; shorten it.")
    try:
        value = yaml.load(data.decode("utf-8-sig"), _Plain)
        if isinstance(value, dict):
            return dict_of(json.loads(json.dumps({str(key): item for key, item in value.items()}, default=str)))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, ArithmeticError, AttributeError, LookupError):
        pass
    raise CardError(f"{shown} cannot be read as YAML with fields; get the card as JSON or PNG.")


def _card(
    raw: dict[str, Any], container: Literal["png", "json", "charx"], source: bytes, picture: bytes | None = None,
    beside: dict[str, Any] | None = None,
) -> Card:  # fmt: skip
    spec, nested = text_of(raw.get("spec")).strip().casefold(), isinstance(raw.get("data"), dict)
    version: Literal[1, 2, 3] = 1 if not nested else 3 if spec == "chara_card_v3" else 2
    notes = []
    if version == 3 and _as_float(raw.get("spec_version")) > _NEWEST:
        notes.append("It follows a newer specification than 3.0; what is new in it is kept and not used.")
    return Card(raw, version, container, picture, source, beside, tuple(notes))


def _as_float(value: Any) -> float:
    try:
        return float(text_of(value) or 0)
    except ValueError:
        return 0.0


def _noted(card: Card, notes: Iterable[str]) -> Card:
    return dataclasses.replace(card, notes=(*card.notes, *notes))


def _checked(card: Card, shown: str) -> Card:
    """A card has a name and at least one field to play from."""
    if card.raw.get("spec") == "lorebook_v3":
        raise CardError(f"{shown} is a lorebook and no character; import it with `understudy sheet import`.")
    if not any(card.text(name) for name in FIELDS):
        raise CardError(f"{shown} is no character card: it has none of the fields {', '.join(FIELDS)}.")
    if not card.name:
        raise CardError(f"{shown}: the card has no name; write one into its `name` field.")
    return card
