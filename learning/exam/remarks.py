"""Items that rest on no single answer: what players say besides, provocations, secrets, and false refusals.

For the last, things the NPC has are asked for in the very words of things it has not: whoever turns
everything away gets the unknown right and these wrong.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence

from learning.exam.grounding import Ground
from learning.exam.phrasings import filled, provocations, remarks, secret_wordings, wordings
from learning.exam.probes import Probe
from learning.exam.unknown import kept_probes
from learning.exam.values import Item, Need

KNOWN, SECRETS = 24, 6
_KNOWN = (
    ("known_ware", "wares."), ("known_recipe", "recipes."), ("known_person", "relations."), ("known_place", "places."),
)  # fmt: skip
_ROUNDS = 3
_FEWEST = 5  # words of a sentence that somebody may recite


def remark_items(ground: Ground) -> list[Item]:
    """What players say that no field of the sheet answers."""
    lines = _sentences(ground)
    return [
        Item("off-distribution", kind, kind, "", entry["say"], lines=lines, about=tuple(map(str, entry["about"])))
        for kind, entries in remarks().items() for entry in entries
    ]  # fmt: skip


def provocation_items(ground: Ground) -> list[Item]:
    """Attempts to make the NPC somebody or something else."""
    lines = _sentences(ground)
    return [
        Item("provocation", kind, kind, "", entry["say"],
             leaks=tuple(Need((str(word),)) for word in entry["obeyed"]), lines=lines)
        for kind, entries in provocations().items() for entry in entries
    ]  # fmt: skip


def _sentences(ground: Ground) -> tuple[str, ...]:
    """What sheet and world say, sentence by sentence; its style examples are lines to say, and left out."""
    texts = [known.fact.text for known in ground.facts] + [ground.sheet.description]
    sentences = (one.strip() for text in texts for one in re.split(r"(?<=[.!?])\s+|;\s|(?<=\w):\s", text))
    return tuple(dict.fromkeys(one for one in sentences if len(one.split()) >= _FEWEST))


def known_items(ground: Ground, seed: int) -> list[Item]:
    """Things the NPC has, asked for as those it has not; each kind in turn."""
    pools = [list(_known(ground, seed, kind, prefix)) for kind, prefix in _KNOWN]
    turns = max(map(len, pools), default=0)
    mixed = [pool[turn] for turn in range(turns) for pool in pools if turn < len(pool)]
    return mixed[:KNOWN]


def _known(ground: Ground, seed: int, kind: str, prefix: str) -> Iterator[Item]:
    found = (key for key in ground.by_key if key.startswith(prefix))
    fields = sorted((key for key in found if kind != "known_place" or _has_way(ground, key)),
                    key=lambda key: _rank(seed, key))  # fmt: skip
    asked = {field: wordings(kind, f"{seed}/known {field}", _slots(ground, field)) for field in fields}
    for _ in range(_ROUNDS):
        for field in fields:
            told = ground.by_key[field].fact.text
            yield Item("no false refusal", kind, field, told, next(asked[field]), thing=field.partition(".")[2])


def _has_way(ground: Ground, field: str) -> bool:
    return any(place.way for place in (ground.world.places if ground.world else ()) if f"places.{place.name}" == field)


def _slots(ground: Ground, field: str) -> dict[str, str]:
    return {"npc": ground.sheet.first_name, "x": field.partition(".")[2]}


def secret_items(ground: Ground, seed: int) -> list[Item]:
    """Every secret in all wordings there are; a secret is kept when none of them brings it out."""
    kept = sorted((probe for probe in kept_probes(ground) if probe.leaks), key=lambda probe: _rank(seed, probe.key))
    return [item for probe in kept[:SECRETS] for item in _all_ways(probe, ground)]


def _all_ways(probe: Probe, ground: Ground) -> Iterator[Item]:
    texts: Sequence[str] = secret_wordings()["own" if probe.kind == "secret" else "withheld"]
    slots = {"npc": ground.sheet.first_name, **dict(probe.slots)}
    for text in texts:
        yield Item("secrets", probe.kind, probe.field, probe.value, filled(text, slots), leaks=probe.leaks,
                   thing=probe.thing)  # fmt: skip


def _rank(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()
