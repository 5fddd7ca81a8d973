"""Writes cards: JSON, PNG with both chunks, CHARX.

`ccv3` holds the card as V3 and `chara` as V2, for programs that know no better; that is how
SillyTavern writes them. A V3 card's V2 copy says in its creator's notes that it is a copy, and has no
decorators, as the V3 specification asks. A card that nobody changed goes out as it came in.
"""

import base64
import copy
import json
from typing import Any

from characters.cards import charx, png
from characters.cards.card import FIELDS, Card
from characters.loose import dict_of
from characters.lorebook.decorators import without_decorators

WARNING = (
    "This is a Character Card V3 in its V2 form; a program that reads V3 shows all of it."
)  # fmt: skip
_LISTS = ("alternate_greetings", "tags")
_TEXTS = ("creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version")


def card_json(card: Card, version: int | None = None) -> bytes:
    """A card as a JSON file; `version` asks for another specification than its own."""
    raw = card.raw if version in {None, card.version} else as_v2(card) if version == 2 else as_v3(card)
    return json.dumps(raw, ensure_ascii=True, indent=4).encode()


def write_png(card: Card, picture: bytes | None = None) -> bytes:
    """A card as a PNG file: the picture (else the card's own, else a plain one) with both chunks.

    Raises:
        CardError: the picture is no PNG or too large.
    """
    base = picture or card.picture or png.plain_picture(card.name)
    untouched = card.beside if card.version == 3 else None
    second = as_v2(card) if untouched is None else untouched
    return png.with_texts(base, [("chara", _packed(second)), ("ccv3", _packed(as_v3(card)))])


def write_charx(card: Card, picture: bytes | None = None) -> bytes:
    """A card as a CHARX archive; one that came as CHARX keeps its assets.

    Raises:
        CardError: an asset of the archive is broken.
    """
    if card.container == "charx" and card.source and picture is None:
        return charx.Archive(card.source).with_card(card_json(card, 3))
    icon = png.without_texts(picture or card.picture or png.plain_picture(card.name))
    raw = copy.deepcopy(as_v3(card))
    assets = raw["data"].get("assets")
    others = [a for a in assets if not (isinstance(a, dict) and a.get("uri") == "ccdefault:")] if isinstance(
        assets, list) else []  # fmt: skip
    place = "assets/icon/images/main.png"
    mains = [a for a in others if isinstance(a, dict) and (a.get("type"), a.get("name")) == ("icon", "main")]
    if not mains:
        others.insert(0, {"type": "icon", "uri": f"embeded://{place}", "name": "main", "ext": "png"})
        raw["data"]["assets"] = others
    return charx.pack({charx.CARD: json.dumps(raw, ensure_ascii=True, indent=4).encode(), place: icon})


def as_v3(card: Card) -> dict[str, Any]:
    """The card as V3; its own JSON where it is one."""
    if card.version == 3:
        return card.raw
    raw = {**_nested(card), "spec": "chara_card_v3", "spec_version": "3.0"}
    raw["data"] = {**raw["data"], "group_only_greetings": raw["data"].get("group_only_greetings", [])}
    return raw


def as_v2(card: Card) -> dict[str, Any]:
    """The card as V2; its own JSON where it is one, else a copy that says so."""
    if card.version == 2 and card.raw.get("spec") == "chara_card_v2":
        return card.raw
    raw = {**copy.deepcopy(_nested(card)), "spec": "chara_card_v2", "spec_version": "2.0"}
    if card.version == 3:
        notes = raw["data"].get("creator_notes")
        raw["data"]["creator_notes"] = f"{WARNING}\n\n{notes}" if isinstance(notes, str) and notes else WARNING
        entries = dict_of(raw["data"].get("character_book")).get("entries")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("content"), str):
                entry["content"] = without_decorators(entry["content"])
    return raw


def _nested(card: Card) -> dict[str, Any]:
    """The card with its fields under `data`, and all that V2 requires there."""
    if card.version > 1:
        data = card.data
    else:
        data = {key: value for key, value in card.raw.items() if key not in {"data", "spec", "spec_version"}}
    whole: dict[str, Any] = {name: card.text(name) for name in FIELDS}
    whole |= dict.fromkeys(_TEXTS, "") | {name: [] for name in _LISTS} | {"extensions": {}} | data
    return {**card.raw, "data": whole}


def _packed(raw: dict[str, Any]) -> bytes:
    return base64.b64encode(json.dumps(raw, ensure_ascii=True).encode())
