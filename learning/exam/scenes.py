"""Scenes of six turns: does the NPC say the same twice, know what it was told, and not repeat itself?

The player's turns are fixed; the NPC's own replies are what it reads before the next one.
"""

from collections.abc import Iterator
from typing import Any

from characters.sheet import Ware
from learning.exam.grounding import COUNTS, Ground
from learning.exam.phrasings import filled, scenes
from learning.exam.probes import Probe
from learning.exam.reading import money
from learning.exam.values import Item, Need

TURNS = 6
DEMANDS = frozenset({"asked", "remembers", "again", "owed"})


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


def counter_items(ground: Ground) -> list[Item]:
    """What was taken is added up, and a price does not soften: scenes for NPCs with two wares at one price each."""
    wares = [ware for ware in ground.sheet.wares if ground.known(f"wares.{ware.name}") and len(money(ware.price)) == 1]
    if len(wares) < 2:
        return []
    turned = [(wares[place % len(wares)], wares[(place + 1) % len(wares)]) for place in range(len(scenes()["bills"]))]
    bills = [
        _in_scene(item, f"bill {place + 1}")
        for place, (scene, (first, second)) in enumerate(zip(scenes()["bills"], turned, strict=True))
        for item in _bill(scene["turns"], first, second, place)
    ]
    haggles = [
        _in_scene(item, f"haggle {place + 1}") for place, scene in enumerate(scenes()["haggles"])
        for item in _haggle(scene["turns"], wares[-1 - place])
    ]  # fmt: skip
    return [*bills, *haggles]


def _bill(turns: list[str], first: Ware, second: Ware, place: int) -> Iterator[Item]:
    """Two takings among talk, and the sum asked for twice."""
    count = place % 2 + 2
    several = money(first.price)[0].coppers * count
    total = several + money(second.price)[0].coppers
    told = ((first.name, first.price), (second.name, second.price), ("", f"{several} copper"), ("", f"{total} copper"))
    slots = {"a": first.name, "b": second.name, "n": COUNTS[count - 2]}
    value = f"{count} × {first.price} + {second.price}"
    for text, kind in zip(turns, ("told", "told", "told", "told", "owed", "again"), strict=True):
        needs = () if kind == "told" else (Need((f"{total} copper",)),)
        yield Item("multi-turn", kind, f"wares.{first.name}", value, filled(text, slots), needs=needs, prices=told)


def _haggle(turns: list[str], ware: Ware) -> Iterator[Item]:
    """A price asked for, pressed down, and asked for again."""
    needs, prices = (Need((ware.price,)),), ((ware.name, ware.price), ("", ware.price))
    for text, kind in zip(turns, ("asked", "told", "told", "told", "told", "again"), strict=True):
        yield Item("multi-turn", kind, f"wares.{ware.name}", ware.price, filled(text, {"a": ware.name}),
                   needs=() if kind == "told" else needs, prices=prices)  # fmt: skip
