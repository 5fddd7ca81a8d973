"""How people and NPCs look where they have no picture: initials on a colour that stays theirs."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

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


def npc_face(slug: str, sheet: Sheet, home: Path | None = None) -> dict[str, Any]:
    """An NPC's face, with what a list of NPCs says of it; its picture, where one lies in the home's `avatars`."""
    named = sheet.avatar if home is not None and Path(sheet.avatar).name == sheet.avatar else ""
    picture = bool(named) and home is not None and (home / "avatars" / named).is_file()
    return {
        **face(sheet.name, slug), "avatar": f"/studio/avatars/{quote(named)}" if picture else None,
        "slug": slug, "first": sheet.first_name, "about": sheet.description,
        "kind": sheet.kind, "greeting": sheet.greeting,
    }  # fmt: skip
