"""Makes an exam from a sheet and its world: the same seed, the same questions.

Items of fields that did not change stay the same word for word when another field does, so that
yesterday's exam and today's can be compared where they ask the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest

from characters.sheet import Sheet
from characters.world import World
from learning.exam.grounding import Ground, grounding_probes
from learning.exam.phrasings import phrasings, wordings
from learning.exam.probes import Probe
from learning.exam.remarks import known_items, opened_items, provocation_items, remark_items, secret_items
from learning.exam.scenes import counter_items, scene_items
from learning.exam.selfhood import identity_probes
from learning.exam.unknown import unknown_probes
from learning.exam.values import CORE, EVERY, Category, Item

GROUNDING, IDENTITY, UNKNOWN, FORM = 54, 16, 36, 16
_ROUNDS = 3
_OWN_AT_FIRST = 40
_OCCASIONS = ("greeting", "farewell", "thanks", "insult", "threat", "smalltalk", "nonsense", "provocation")
# How many unknown items of each kind come first; what is left over fills up.
_UNKNOWN_MIX = {
    "modern": 5, "anachronism": 3, "spoiler": 2, "others_secret": 3, "stranger": 5, "nowhere": 4, "not_sold": 5,
    "no_recipe": 3, "age": 2, "kin": 2, "sells_nothing": 1,
}  # fmt: skip
_KEPT, _KEPT_MOST = {"secret", "withheld"}, 6


def make_items(
    sheet: Sheet, world: World | None, seed: int, *, others: Sequence[Sheet] = (), knower: str = "",
    categories: Sequence[Category] = CORE,
) -> tuple[Item, ...]:  # fmt: skip
    """Make the exam of one NPC, fewer items where a sheet says little.

    Args:
        others: other NPCs, for wares and recipes that this one does not have.
        knower: the NPC's slug, for facts with owners.
        categories: what is asked; by default the some 120 items of every night.
    """
    ground = Ground(sheet, world, knower)
    makers: dict[Category, Callable[[], list[Item]]] = {
        "grounding": lambda: _worded(_first_own(grounding_probes(ground), seed), GROUNDING, seed, ground),
        "identity": lambda: _worded(identity_probes(ground), IDENTITY, seed, ground, rounds=6),
        "unknown": lambda: _unknown(ground, others, seed),
        "no false refusal": lambda: known_items(ground, seed),
        "off-distribution": lambda: remark_items(ground),
        "provocation": lambda: provocation_items(ground),
        "secrets": lambda: secret_items(ground, seed),
        "open secrets": lambda: opened_items(ground, seed),
        "multi-turn": lambda: [*scene_items(ground, [*grounding_probes(ground), *identity_probes(ground)]),
                               *counter_items(ground)],
        "form-only": lambda: _worded(_occasions(), FORM, seed, ground, rounds=2),
    }
    return tuple(item for category in EVERY if category in categories for item in makers[category]())


def _unknown(ground: Ground, others: Sequence[Sheet], seed: int) -> list[Item]:
    unknown = sorted(unknown_probes(ground, others), key=lambda probe: _rank(seed, probe))
    kept = _worded([probe for probe in unknown if probe.kind in _KEPT], _KEPT_MOST, seed, ground)
    strange = _mixed([probe for probe in unknown if probe.kind not in _KEPT])
    return [*kept, *_worded(strange, UNKNOWN - len(kept), seed, ground, rounds=1)]


def every_item(
    sheet: Sheet, world: World | None, seed: int, *, others: Sequence[Sheet] = (), knower: str = ""
) -> tuple[Item, ...]:
    """Every item that could be asked, once each: what the matcher is tested on."""
    ground = Ground(sheet, world, knower)
    probes = [*grounding_probes(ground), *identity_probes(ground), *unknown_probes(ground, others), *_occasions()]
    more: list[Item] = [*known_items(ground, seed), *remark_items(ground), *provocation_items(ground)]
    return (*_worded(probes, len(probes), seed, ground, rounds=1), *more)


def _worded(probes: Iterable[Probe], most: int, seed: int, ground: Ground, *, rounds: int = _ROUNDS) -> list[Item]:
    """Give every probe its words, then every probe other words, until there is enough."""
    probes = list(probes)
    asked = [_items(probe, seed, ground.sheet, rounds) for probe in probes]
    found = [item for turn in zip_longest(*asked) for item in turn if item is not None]
    return list({(item.question.casefold(), item.before): item for item in reversed(found[:most])}.values())[::-1]


def _items(probe: Probe, seed: int, sheet: Sheet, rounds: int) -> Iterator[Item]:
    slots = {"npc": sheet.first_name, **dict(probe.slots)}
    kind, answer = probe.after
    before = ((next(wordings(kind, f"{seed}/before {probe.key}", slots)), answer),) if kind else ()
    asked = (probe.item(question, before) for question in wordings(probe.kind, f"{seed}/{probe.key}", slots))
    yield from islice((item for item in asked if item.needs or not probe.needs), rounds)


def _rank(seed: int, probe: Probe) -> str:
    return hashlib.sha256(f"{seed}/{probe.key}".encode()).hexdigest()


def _first_own(probes: Sequence[Probe], seed: int) -> list[Probe]:
    """The NPC's own fields first, then its world's, then what is left of its own."""
    ranked = sorted(probes, key=lambda probe: _rank(seed, probe))
    own = [probe for probe in ranked if probe.tier == 0]
    world = [probe for probe in ranked if probe.tier]
    return [*own[:_OWN_AT_FIRST], *world, *own[_OWN_AT_FIRST:]]


def _mixed(probes: Sequence[Probe]) -> list[Probe]:
    """The kinds in their mix, and then more of those that have more to give."""
    left = dict(_UNKNOWN_MIX)
    first: list[Probe] = []
    rest: list[Probe] = []
    for probe in probes:
        left[probe.kind] = left.get(probe.kind, 0) - 1
        (first if left[probe.kind] >= 0 else rest).append(probe)
    return [*first, *(probe for probe in rest if probe.kind not in {"age", "kin"})]


def _occasions() -> list[Probe]:
    return [Probe("form-only", kind, kind, "") for kind in _OCCASIONS if kind in phrasings()]
