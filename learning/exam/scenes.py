"""Scenes of six turns: does the NPC say the same twice, know what it was told, and not repeat itself?

The player's turns are fixed; the NPC's own replies are what it reads before the next one.
"""

from collections.abc import Iterator
from typing import Any

from learning.exam.grounding import Ground
from learning.exam.phrasings import filled, scenes
from learning.exam.probes import Probe
from learning.exam.values import Item, Need

TURNS = 6
DEMANDS = frozenset({"asked", "remembers", "again"})


def scene_items(ground: Ground, probes: list[Probe]) -> list[Item]:
    """Twenty scenes, turn by turn.

    Args:
        probes: grounding and identity: what can be asked twice, with the right answer.
    """
    asked = {kind: [probe for probe in probes if probe.kind == kind and probe.needs] for kind in scenes()["asks"]}
    kinds = [kind for kind in scenes()["asks"] if asked[kind]]
    return [
        item for number, scene in enumerate(scenes()["scenes"])
        for item in _turns(number, scene, asked[kinds[number % len(kinds)]], ground)
    ]  # fmt: skip


def _turns(number: int, scene: dict[str, Any], pool: list[Probe], ground: Ground) -> Iterator[Item]:
    probe = pool[number % len(pool)]
    pairs = scenes()["asks"][probe.kind]
    first, again = pairs[number // 7 % len(pairs)]
    slots = {"npc": ground.sheet.first_name, **dict(probe.slots)}
    recall = scene["recall"]
    remembered = Need(tuple(str(word) for word in recall["needs"]))
    chat = [Item("multi-turn", "told", "scene", "", text, prices=ground.prices)
            for text in (scene["tell"], *scene["between"])]  # fmt: skip
    told, one, other = chat
    turns = (
        told, _demand(probe, "asked", filled(first, slots)), one, other,
        Item("multi-turn", "remembers", "scene", scene["tell"], recall["say"], needs=(remembered,),
             prices=ground.prices),
        _demand(probe, "again", filled(again, slots)),
    )  # fmt: skip
    for turn in turns:
        yield _in_scene(turn, f"{number + 1:02}")


def _demand(probe: Probe, kind: str, question: str) -> Item:
    asked = probe.item(question)
    return Item("multi-turn", kind, probe.field, probe.value, question, needs=asked.needs, prices=probe.prices)


def _in_scene(item: Item, scene: str) -> Item:
    return Item(item.category, item.kind, item.field, item.value, item.question, needs=item.needs, prices=item.prices,
                scene=scene)  # fmt: skip
