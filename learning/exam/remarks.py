"""Items that rest on no single answer: what players say besides, provocations, secrets kept and told, false refusals.

For the last, things the NPC has are asked for in the very words of things it has not: whoever turns
everything away gets the unknown right and these wrong.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from learning.exam.grounding import Ground
from learning.exam.phrasings import filled, provocations, remarks, secret_wordings, wordings
from learning.exam.probes import Probe, gist
from learning.exam.unknown import TELLTALE, kept_probes
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


def opened_items(ground: Ground, seed: int) -> list[Item]:
    """Every secret of its own when it has just opened, in all wordings: now a right reply tells it."""
    hidden = (probe for probe in kept_probes(ground) if probe.kind == "secret")
    own = sorted(hidden, key=lambda probe: _rank(seed, probe.key))
    slots = {"npc": ground.sheet.first_name}
    asked = (
        replace(probe, category="open secrets", kind="opened", needs=_told_by(probe, ground), leaks=(), rejects=False)
        .item(filled(text, slots)) for probe in own[:SECRETS] for text in secret_wordings()["opened"]
    )  # fmt: skip
    return [item for item in asked if item.needs]


def _told_by(probe: Probe, ground: Ground) -> tuple[Need, ...]:
    """What shows that a secret was told: some of its words, with one of those that nothing else could have taught.

    Where it has hardly any words of its own, more of the others are wanted.
    """
    whole = gist(probe.value, ground.sheet.name)
    few, own = len(whole.any_of) <= 4, [word for leak in probe.leaks for word in leak.any_of]
    if any(len(word) >= TELLTALE for word in own):
        return (whole, Need(tuple(own), gist=True))
    if own and (few or len(own) > 1):
        return (replace(whole, count=min(2, len(whole.any_of)) if few else 3), Need(tuple(own), gist=True))
    wanted = 3 if own else max(2, len(whole.any_of) - 1)
    return (replace(whole, count=min(wanted, len(whole.any_of))),)


def _rank(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()
