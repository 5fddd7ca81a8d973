"""Probes on who the NPC is: name, trade, home and motto."""

import re
from collections.abc import Iterator

from learning.exam.grounding import Ground
from learning.exam.probes import Probe, gist
from learning.exam.values import Need

_TITLES = frozenset(
    """old young captain sergeant brother sister father mother grandfather grandmother lady lord master mistress king
    queen prince princess duke duchess count baron sir dame doctor abbot bishop saint speaker chancellor the of"""
    .split()
)  # fmt: skip
_MACHINE = Need(("language model", "ai", "chatbot", "artificial intelligence", "virtual assistant", "ai assistant"))


def identity_probes(ground: Ground) -> list[Probe]:
    """Four kinds, each as far as the sheet has something to say."""
    return list(_identity(ground))


def _identity(ground: Ground) -> Iterator[Probe]:
    sheet = ground.sheet
    names = [word.strip(",") for word in sheet.name.split() if word.strip(",").casefold() not in _TITLES]
    yield Probe("identity", "name", "name", sheet.name, (), (Need(("|".join(names) or sheet.name,)),), (_MACHINE,))
    trade = (gist(sheet.description, count=1),)
    yield Probe("identity", "trade", "description", sheet.description, (), trade, (_MACHINE,))
    places = tuple(dict.fromkeys(_places(ground)))
    if places:
        yield Probe("identity", "home", "world", "; ".join(places), (), (Need(places),), (_MACHINE,))
    if sheet.speech.mottos:
        sayings = sheet.speech.mottos
        said = (Need(sayings, quoted=True),)
        yield Probe("identity", "motto", "speech.mottos", " / ".join(sayings), (), said, (_MACHINE,))


def _places(ground: Ground) -> Iterator[str]:
    """Where the NPC may say it lives: the world, and what its description stands "of" or "at"."""
    if ground.world is not None:
        yield ground.world.name
    for part in re.split(r"\b(?:of|at|in|from)\b", ground.sheet.description)[1:]:
        if any(word[:1].isupper() for word in part.split()) or ground.sheet.kind == "lore keeper":
            yield re.sub(r"^(?:the|a|an) ", "", part.strip())
    for place in ground.world.places if ground.world else ():
        if place.name in ground.sheet.description or place.name in ground.sheet.backstory:
            yield re.sub(r"^(?:the|a|an) ", "", place.name)
