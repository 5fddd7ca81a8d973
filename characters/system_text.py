"""The system text: an NPC's sheet, world and scene as a model reads them, as far as it knows them.

Parts stand in a fixed order, the lasting ones first and the scene last, so that a change of scene
leaves the beginning, and with it the engine's cache, as it was. Which parts are kept when the
budget is small is a separate order, `_KEEP`.
"""

from collections.abc import Callable, Iterable

from characters.messages import Scene
from characters.sheet import Sheet
from characters.world import World

# Most important first; what does not fit is left out. Facts left out here still come to hand
# when a question calls for them (characters.knowledge).
_KEEP = (
    "identity", "rule", "memory", "scene", "voice", "boundaries", "mottos", "quirks", "examples",
    "wares", "backstory", "values", "objectives", "quests", "opinions", "relations", "knowledge",
    "recipes", "alignment", "world",
)  # fmt: skip


def _list(label: str, items: Iterable[str]) -> str:
    text = "; ".join(items)
    return f"{label}: {text}" if text else ""


def _sections(
    sheet: Sheet, world: World | None, scene: Scene, memory: tuple[str, ...]
) -> dict[str, str]:
    """Every part, in the order it is written; empty ones have no text."""
    where = f" in {world.name}" if world else ""
    first = sheet.first_name
    return {
        "identity": f"You are {sheet.name}, {sheet.description}{where}.",
        "world": f"{world.name}: {world.description}" if world else "",
        "backstory": _list("Past", [sheet.backstory] if sheet.backstory else []),
        "alignment": _list("Alignment", [sheet.alignment] if sheet.alignment else []),
        "values": _list("Values", sheet.values),
        "objectives": _list("Wants", sheet.objectives),
        "opinions": _list("Opinions", (f"{o.topic}: {o.view}" for o in sheet.opinions if o.view)),
        "knowledge": _list("Knows", (k.text for k in sheet.knowledge)),
        "relations": _list("People", (f"{r.name}: {r.about}" for r in sheet.relations)),
        "wares": _list("Sells", (f"{w.name} ({w.price})" for w in sheet.wares)),
        "recipes": _list("Makes", (r.name for r in sheet.recipes)),
        "quests": _list("Offers tasks", (q.title for q in sheet.quests)),
        "voice": f"Voice: {sheet.speech.voice}",
        "mottos": _list("Sayings", (f'"{m}"' for m in sheet.speech.mottos)),
        "quirks": _list("Habits", sheet.speech.quirks),
        "examples": "\n".join(
            f'To "{e.context}" {first} says: "{e.line}"' for e in sheet.speech.examples[:4]
        ),
        "boundaries": _list("Never", sheet.boundaries),
        "memory": _list("Remembers", memory),
        "scene": _scene_line(scene),
        "rule": f"Speak only as {first}, briefly. Say only what you know.",
    }


def _scene_line(scene: Scene) -> str:
    parts = {
        "Place": scene.place,
        "Reason": scene.reason,
        "Mood": scene.mood,
        "Familiarity": scene.familiarity,
    }
    return " ".join(f"{label}: {text}." for label, text in parts.items() if text)


def system_text(
    sheet: Sheet,
    world: World | None,
    scene: Scene,
    memory: tuple[str, ...],
    budget: int,
    count: Callable[[str], int],
) -> str:
    """Write the system text within a budget of tokens.

    Identity and rule always stay; of the rest, each part in order of importance is kept if it
    still fits. Curated examples are kept line by line.
    """
    sections = _sections(sheet, world, scene, memory)
    room = budget
    kept: dict[str, str] = {}
    for name in _KEEP:
        lines = []
        for line in sections[name].splitlines():
            cost = count(line) + 1
            if cost <= room or name in {"identity", "rule"}:
                lines.append(line)
                room -= cost
        if lines:
            kept[name] = "\n".join(lines)
    return "\n".join(kept[name] for name in sections if name in kept)
