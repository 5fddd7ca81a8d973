"""Anchors: rows by the offline teacher on an NPC's own sheet, so that a new habit costs no knowledge.

The teacher is a generator of templates, not a model; its rows say so (`source: offline_teacher`).
"""

import random

from characters.prompt import Part
from learning.harvest import Candidate
from learning.teachers.offline.answering import Voice
from learning.teachers.offline.dialogue import Playwright
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.manners import Manner

# The NPC's own voice comes from its lines, not from the teacher: the anchors are plain.
_PLAIN = Manner("plain", ("",), ("friend",), ("",), ("",), {})
_KINDS = {"social", "said", "direction"}


def anchor_candidates(part: Part, count: int, seed: int) -> list[Candidate]:
    """Write about `count` questions and answers on a sheet.

    Args:
        part: the NPC; what it learnt at the table is left out, so that anchors speak for the sheet.
    """
    rng = random.Random(seed)
    playwright = Playwright(rng, Inventor(rng))
    bare = Part(part.slug, part.sheet, part.world)
    found: list[Candidate] = []
    talk = 0
    while len(found) < count and talk < count:
        talk += 1
        played = playwright.conversation(6, bare, Voice(part.sheet, _PLAIN))
        for index, turn in enumerate(played.turns):
            exchange = next((e for e in played.exchanges if e.reply is turn), None)
            if exchange is None or exchange.kind in _KINDS or index == 0:
                continue
            found.append(Candidate(
                "sft", "anchor", "offline_teacher", 0, f"anchor {seed}.{talk}", played.scene,
                played.turns[:index], (), turn.text, reason="written by offline teacher",
            ))  # fmt: skip
    return found[:count]

