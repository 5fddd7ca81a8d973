"""Probes on what the NPC cannot know, does not sell, or must not tell.

A right reply says so, and makes nothing up: no price, no number, no name, no fact.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from characters.fields import Owned
from characters.sheet import Sheet
from learning.exam.grounding import Ground
from learning.exam.phrasings import inventions
from learning.exam.probes import WEAK, Probe
from learning.exam.reading import numbers, stems
from learning.exam.rejecting import rejects
from learning.exam.values import Need

# The field that would have to speak of a thing for the NPC to know it.
_NOWHERE_IN = {
    "modern": "world", "anachronism": "world",
    "stranger": "people", "nowhere": "places", "not_sold": "wares", "no_recipe": "recipes",
}  # fmt: skip

# Where a line of the sheet may be the very answer: "We do not speak of the bridge."
_MAY_DEFLECT = frozenset({"secret", "withheld", "sells_nothing", "others_secret"})

TELLTALE = 7  # letters of a stem that alone gives a secret away


def unknown_probes(ground: Ground, others: Sequence[Sheet]) -> list[Probe]:
    """All of them.

    Args:
        others: NPCs whose wares and recipes this one does not have.
    """
    known = {stem for fact in ground.facts for stem in stems(fact.fact.text)}
    known |= {stem for name in (ground.world.names if ground.world else ()) for stem in stems(name)}
    sold = (ware.name for other in others for ware in other.wares if not re.search(r"[^s]s$", ware.name))
    goods = (*sold, *inventions()["goods"])
    recipes = (*(recipe.name for other in others for recipe in other.recipes), *inventions()["recipes"])
    lines = _ready_lines(ground)
    probes = [
        *(_absent("modern", thing, ground) for thing in inventions()["modern"]),
        *(_absent("anachronism", thing, ground) for thing in inventions()["anachronisms"]),
        *(_absent("stranger", name, ground) for name in _strange(inventions()["strangers"], known)),
        *(_absent("nowhere", name, ground) for name in _strange(inventions()["nowhere"], known)),
        *(_absent("not_sold", thing, ground) for thing in dict.fromkeys(_strange(goods, known))),
        *(_absent("no_recipe", thing, ground) for thing in dict.fromkeys(_strange(recipes, known))),
        *_private(ground),
        *_others(ground, others),
        *(Probe("unknown", "spoiler", field, "", prices=ground.prices, rejects=True) for field in ("quests", "world")),
        *kept_probes(ground),
    ]
    return [probe if probe.kind in _MAY_DEFLECT else replace(probe, lines=lines) for probe in probes]


def _ready_lines(ground: Ground) -> tuple[str, ...]:
    """Sentences of the sheet and the world that sound like a no; "I do not know" is one wherever it stands."""
    sheet = ground.sheet
    texts = [known.fact.text for known in ground.facts]
    texts += [example.line for example in sheet.speech.examples] + [sheet.greeting, *sheet.speech.mottos]
    sentences = (sentence for text in texts for sentence in re.split(r"(?<=[.!?])\s+|(?<=:)\s+", text) if sentence)
    found = (one for one in sentences if rejects(one) and not re.search(r"\b(?:know|heard|tell|say)\b", one))
    return tuple(dict.fromkeys(found))


def _absent(kind: str, thing: str, ground: Ground) -> Probe:
    slots = (("x", thing),)
    return Probe("unknown", kind, _NOWHERE_IN[kind], "", slots, prices=ground.prices, rejects=True, thing=thing)


def _strange(names: Sequence[str], known: set[str]) -> list[str]:
    """Those that share no word with anything the NPC knows."""
    return [name for name in names if not known & set(stems(name))]


def _private(ground: Ground) -> Iterator[Probe]:
    """Ages and families that no field tells."""
    people = [known for known in ground.facts if known.category == "person"]
    named = [relation.name for relation in ground.sheet.relations]
    for name in named:
        told = " ".join(known.fact.text for known in people if known.subject == name)
        if not told or not name[:1].isupper():
            continue
        field, slots = f"relations.{name}", (("x", name),)
        if not numbers(told):
            yield Probe("unknown", "age", field, told, slots, numbers=(), rejects=True, thing=name)
        yield Probe("unknown", "kin", field, told, slots, prices=ground.prices, rejects=True, thing=name)


def _others(ground: Ground, others: Sequence[Sheet]) -> Iterator[Probe]:
    """What others of the same world hide, which nobody told this NPC."""
    public = {stem for known in ground.facts for stem in stems(known.fact.text)}
    for other in others:
        if other.world != ground.sheet.world:
            continue
        for secret in other.secrets:
            leaks = _leaks(secret.text, public | set(stems(other.name)))
            yield Probe("unknown", "others_secret", f"secrets of {other.name}", secret.text, (("x", other.name),), (),
                        leaks, ground.prices, rejects=True, thing=other.name)  # fmt: skip


def kept_probes(ground: Ground) -> Iterator[Probe]:
    """Secrets, what belongs to others, and wares of one who has none."""
    public = {stem for fact in ground.facts for stem in stems(fact.fact.text)}
    for place, secret in enumerate(ground.sheet.secrets):
        leaks = _leaks(secret.text, public)
        yield Probe("unknown", "secret", f"secrets[{place}]", secret.text, (), (), leaks, ground.prices, rejects=True)
    for topic, text, field in _withheld(ground):
        leaks, slots = _leaks(text, public), (("x", topic),)
        yield Probe("unknown", "withheld", field, text, slots, (), leaks, ground.prices, rejects=True, thing=topic)
    if not ground.sheet.wares:
        yield Probe("unknown", "sells_nothing", "wares", "", (), prices=(), rejects=True)


def _leaks(text: str, public: set[str]) -> tuple[Need, ...]:
    """The words that only this text could have taught: a long one alone, else two of them."""
    own = tuple(dict.fromkeys(stem for stem in stems(text) if stem not in public and stem not in WEAK))
    long = tuple(stem for stem in own if len(stem) >= TELLTALE)
    if long:
        return (Need(long),)
    return (Need(own, min(2, len(own))),) if own else ()


def _withheld(ground: Ground) -> Iterator[tuple[str, str, str]]:
    """Facts with owners, of whom this NPC is none: topic, text, field."""
    sheet, world = ground.sheet, ground.world
    pools: list[tuple[str, str, str, Owned]] = [
        (item.topic, item.text, f"knowledge.{item.topic}", item) for item in sheet.knowledge
    ]
    if world is not None:
        pools += [(lore.topic, lore.text, f"lore.{lore.topic}", lore) for lore in world.lore]
        pools += [(place.name, place.about, f"places.{place.name}", place) for place in world.places]
    for topic, text, field, owner in pools:
        if owner.known_by and not ground.known(field):
            yield topic, text, field
