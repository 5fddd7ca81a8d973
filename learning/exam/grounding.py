"""Probes on what the sheet and the world say: prices, recipes, tasks, people, places, opinions, facts.

A fact with owners is asked only of an NPC that owns it; who does not is asked too, and must not
know (see `unknown`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from characters.knowledge import KnownFact, facts_of
from characters.sheet import Quest, Sheet, Ware
from characters.world import World
from learning.exam.probes import Probe, gist, other_texts, paid, price_list, telling, variants
from learning.exam.reading import money, numbers, stems
from learning.exam.values import Need

_MEASURES = frozenset(stems(
    "cup cups spoon spoons pinch ounce ounces pound pounds handful drop drops measure measures half root jar bowl slice"
    " slices piece pieces part parts dash cupful flask bottle leaf bit"
))  # fmt: skip
_TOLD = frozenset({"knowledge", "person", "place", "group"})
_FEW = 3
COUNTS = ("two", "three", "four", "five", "six")


@dataclass(frozen=True)
class Ground:
    """A sheet and its world as this NPC knows them."""

    sheet: Sheet
    world: World | None
    knower: str = ""

    @cached_property
    def facts(self) -> tuple[KnownFact, ...]:
        """Everything the NPC may know."""
        return facts_of(self.sheet, self.world, self.knower)

    @cached_property
    def by_key(self) -> dict[str, KnownFact]:
        """The same by its key, such as ``relations.Hobb``."""
        return {known.fact.key: known for known in self.facts}

    @cached_property
    def prices(self) -> tuple[tuple[str, str], ...]:
        """Who may cost what."""
        return price_list(self.sheet, self.facts)

    def known(self, key: str) -> bool:
        """Whether a fact is this NPC's to know."""
        return key in self.by_key


def grounding_probes(ground: Ground) -> list[Probe]:
    """All of them, the NPC's own first."""
    own = [*_wares(ground), *_recipes(ground), *_quests(ground), *_told(ground), *_self(ground)]
    asked = {probe.slots for probe in own}
    return [*own, *(probe for probe in _world(ground) if probe.slots not in asked or not probe.slots)]


def _slots(x: str, **more: str) -> tuple[tuple[str, str], ...]:
    return (("x", x), *more.items())


def _wares(ground: Ground) -> Iterator[Probe]:
    wares = [ware for ware in ground.sheet.wares if ground.known(f"wares.{ware.name}")]
    for place, ware in enumerate(wares):
        field = f"wares.{ware.name}"
        yield Probe("grounding", "price", field, ware.price, _slots(ware.name), (paid(ware.price),),
                    prices=ground.prices[: len(ground.sheet.wares)])  # fmt: skip
        yield from _totals(ground, ware, field, COUNTS[place % len(COUNTS)])
    if wares:
        names = tuple(variants(ware.name) for ware in wares)
        yield Probe("grounding", "wares", "wares", ", ".join(ware.name for ware in wares), (),
                    (Need(names, min(2, len(names))),), prices=ground.prices)  # fmt: skip


def _totals(ground: Ground, ware: Ware, field: str, count: str) -> Iterator[Probe]:
    """What several cost together, asked at once and asked after the price."""
    price = money(ware.price)
    if len(price) != 1:
        return
    total = f"{price[0].coppers // price[0].coin * (COUNTS.index(count) + 2) * price[0].coin} copper"
    said = f"The {ware.name} is {ware.price}."
    for kind, after in (("total", ("", "")), ("total_after", ("price", said))):
        yield Probe("grounding", kind, field, f"{count} × {ware.price}", _slots(ware.name, n=count), (Need((total,)),),
                    prices=((ware.name, ware.price), ("", ware.price)), after=after)  # fmt: skip


def _recipes(ground: Ground) -> Iterator[Probe]:
    recipes = [recipe for recipe in ground.sheet.recipes if ground.known(f"recipes.{recipe.name}")]
    for recipe in recipes:
        told = f"{', '.join(recipe.ingredients)}. {recipe.steps}"
        needs = tuple(Need(("|".join(_ingredient(text)),)) for text in recipe.ingredients)
        yield Probe("grounding", "recipe", f"recipes.{recipe.name}", told, _slots(recipe.name), needs,
                    prices=ground.prices, numbers=tuple(sorted(numbers(told))))  # fmt: skip
    if recipes:
        names = tuple(variants(recipe.name) for recipe in recipes)
        yield Probe("grounding", "recipes", "recipes", ", ".join(r.name for r in recipes), (),
                    (Need(names, min(2, len(names))),), prices=ground.prices)  # fmt: skip


def _ingredient(text: str) -> list[str]:
    """What an ingredient is, without its amount: "2 pounds of mutton fat" is mutton or fat."""
    what = text.split(" of ", 1)[-1]
    found = [stem for stem in stems(what) if stem not in _MEASURES and not stem.isdigit()]
    return found or stems(text)


def _quests(ground: Ground) -> Iterator[Probe]:
    quests = [quest for quest in ground.sheet.quests if ground.known(f"quests.{quest.title}")]
    if quests:
        every = gist(". ".join(f"{quest.title}. {quest.task}" for quest in quests), count=2)
        yield Probe("grounding", "quest", "quests", "; ".join(quest.task for quest in quests), (), (every,),
                    prices=ground.prices)  # fmt: skip
    for quest in quests:
        yield from _quest(ground, quest)


def _quest(ground: Ground, quest: Quest) -> Iterator[Probe]:
    field, slots = f"quests.{quest.title}", _slots(quest.title)
    prices = tuple(("", text) for _, text in ground.prices)
    yield Probe("grounding", "quest_named", field, quest.task, slots, (gist(quest.task, quest.title),), prices=prices)
    if quest.reward:
        own = (("", quest.reward),)
        yield Probe("grounding", "reward", field, quest.reward, slots, (paid(quest.reward),), prices=own)
    if quest.place:
        yield Probe("grounding", "quest_place", field, quest.place, slots, (gist(quest.place, count=1),), prices=prices)


def _told(ground: Ground) -> Iterator[Probe]:
    """Knowledge, opinions and relations: free text, each under its topic."""
    sheet = ground.sheet
    for item in sheet.knowledge:
        yield from _free(ground, "knowledge", f"knowledge.{item.topic}", item.topic)
    for opinion in sheet.opinions:
        if opinion.view:
            yield from _free(ground, "opinion", f"opinions.{opinion.topic}", opinion.topic)
    for relation in sheet.relations:
        yield from _free(ground, "person", f"relations.{relation.name}", relation.name)


def _about(ground: Ground, field: str, topic: str) -> list[str]:
    """All that the NPC may know of one thing: its sheet and the world may both speak of it."""
    if field.startswith("opinions."):
        return [ground.by_key[field].fact.text]
    keys = [f"{kind}.{topic}" for kind in ("knowledge", "relations", "people", "lore", "places", "groups")]
    named = [ground.by_key[key].fact.text for key in keys if ground.known(key)]
    if topic[:1].isupper():
        name = set(stems(topic.split()[-1]))
        named += [known.fact.text for known in ground.facts if known.category in {"knowledge", "person"}
                  and name <= set(stems(known.fact.text))]  # fmt: skip
    return list(dict.fromkeys(named))


def _free(ground: Ground, kind: str, field: str, topic: str, tier: int = 0) -> Iterator[Probe]:
    """A probe on texts that can be told in many words; what others say of a topic is no opinion on it."""
    if not ground.known(field):
        return
    told, others = _about(ground, field, topic), other_texts(ground.facts, topic)
    about = topic
    if kind == "opinion":
        known = {one.fact.text for one in ground.facts if one.category in _TOLD} - {*told, *others}
        wider = f"{topic} {' '.join(sorted(known))}"
        about = wider if len(gist(" ".join(told), wider).any_of) >= _FEW else topic
    needs = telling(told, about, others, brief=kind == "person")
    if needs:
        yield Probe("grounding", kind, field, " ".join(told), _slots(topic), needs, prices=ground.prices, tier=tier)


def _self(ground: Ground) -> Iterator[Probe]:
    """Past, goals and values."""
    sheet = ground.sheet
    for kind, field, told in (
        ("past", "backstory", sheet.backstory), ("goal", "objectives", "; ".join(sheet.objectives)),
        ("value", "values", ", ".join(sheet.values)),
    ):  # fmt: skip
        if told:
            few = 1 if kind == "value" or len(stems(told)) < 4 else 2
            needs = (gist(told, sheet.first_name, count=few),)
            yield Probe("grounding", kind, field, told, (), needs, prices=ground.prices)


def _world(ground: Ground) -> Iterator[Probe]:
    world = ground.world
    if world is None:
        return
    for place in world.places:
        field = f"places.{place.name}"
        yield from _free(ground, "place", field, place.name, tier=1)
        if place.way and ground.known(field):
            yield Probe("grounding", "where", field, place.way, _slots(place.name),
                        (gist(place.way, place.name, count=2),), prices=ground.prices, tier=1)  # fmt: skip
    for person in (*world.important_people, *world.important_marginalised_people):
        if not set(stems(ground.sheet.first_name)) <= set(stems(person.name)):
            yield from _free(ground, "person", f"people.{person.name}", person.name, tier=1)
    for group in (*world.powers, *world.marginalised_groups):
        yield from _free(ground, "group", f"groups.{group.name}", group.name, tier=1)
    for lore in world.lore:
        yield from _free(ground, "knowledge", f"lore.{lore.topic}", lore.topic, tier=1)
    yield from _realm(ground, world)


def _realm(ground: Ground, world: World) -> Iterator[Probe]:
    """Who rules, and what day it is."""
    rule = " ".join(re.split(r"(?<=[.!?])\s+", world.political_organisation.strip())[:2])
    ruled = (gist(rule, world.name, count=2),)
    yield Probe("grounding", "ruler", "politics", rule, (), ruled, prices=ground.prices, tier=1)
    parts = tuple(Need((part,)) for part in stems(world.calendar.date))
    yield Probe("grounding", "date", "date", world.calendar.date, (), parts, prices=ground.prices, tier=1)
