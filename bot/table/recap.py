"""What an evening was: its scenes, and the lines the table liked. No model writes it, so nothing in it is invented."""

from typing import Any

from characters.messages import Scene
from db.queries import evenings

_LIKED = 5


async def recap(session: Any, evening: int) -> str:
    """An evening in a few lines; "" where nothing was said."""
    scenes = await evenings.scenes(session, evening)
    rows = [f"• {_place(scene)}: {', '.join(npcs)} ({count})" for scene, npcs, count in scenes if count]
    liked = await evenings.liked(session, evening, _LIKED)
    rows += [f"> **{name}** {text}" for name, text in liked]
    return "\n".join(rows)


def _place(scene: Scene) -> str:
    return ", ".join(part for part in (scene.place, scene.mood) if part) or "…"
