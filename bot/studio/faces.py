"""How people and NPCs look where they have no picture: initials on a colour that stays theirs."""

import hashlib
from typing import Any

from characters.sheet import Sheet


def initials(name: str) -> str:
    """One or two letters of a name."""
    words = [word for word in name.replace("-", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper() or "?"


def hue(name: str) -> int:
    """A hue in degrees, the same for the same name."""
    return int.from_bytes(hashlib.sha256(name.casefold().encode()).digest()[:2], "big") % 360


def face(name: str, slug: str = "") -> dict[str, Any]:
    """A face."""
    return {"name": name, "initials": initials(name), "hue": hue(slug or name)}


def npc_face(slug: str, sheet: Sheet) -> dict[str, Any]:
    """An NPC's face, with what a list of NPCs says of it."""
    return {
        **face(sheet.name, slug), "slug": slug, "first": sheet.first_name, "about": sheet.description,
        "kind": sheet.kind, "greeting": sheet.greeting,
    }  # fmt: skip
