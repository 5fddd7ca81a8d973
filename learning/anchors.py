"""Rows that guard what an NPC could do before: on its own sheet, and on other people's.

*Anchors* are questions and answers by the offline teacher on the NPC's own sheet. *General* rows are
the same on sheets of invented strangers; answered by the bare base itself they are *replay* rows,
which hold a model where it was. The teacher is a generator of templates, not a model; its rows say
so (`source: offline_teacher`).
"""

import random
from collections.abc import Iterator, Sequence

from characters.messages import Scene, Turn
from characters.prompt import Part
from learning.harvest import Candidate
from learning.teachers.offline.answering import Voice, unknown
from learning.teachers.offline.dialogue import Conversation, Playwright
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.manners import Manner
from learning.teachers.offline.plans import FROM_PLAY

# The NPC's own voice comes from its lines, not from the teacher: the anchors are plain.
_PLAIN = Manner("plain", ("",), ("friend",), ("",), ("",), {})
_ASKING = ("What do you know of {x}?", "What were you told of {x}?", "Who told you of {x}?", "And {x}?")
_NOT_THE_SHEETS = FROM_PLAY | {"social"}


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
        found += _rows(played, f"anchor {seed}.{talk}", "anchor")
    return found[:count]


def protective_candidates(part: Part, topics: Sequence[str], seed: int) -> list[Candidate]:
    """Questions for what others know and this NPC was not told, and that it does not know.

    Args:
        topics: words that stand in nothing the NPC may know.
    """
    rng, voice = random.Random(seed), Voice(part.sheet, _PLAIN)
    return [
        Candidate("sft", "protective", "offline_teacher", 0, f"protective {topic}", Scene(),
                  (Turn("Ana", rng.choice(_ASKING).format(x=topic)),), (), unknown(rng, voice, "unknown", topic),
                  reason="written by offline teacher")
        for topic in dict.fromkeys(topics)
    ]  # fmt: skip


def general_candidates(count: int, seed: int) -> list[tuple[Part, Candidate]]:
    """Write `count` questions and answers on invented sheets, one a sheet."""
    rng = random.Random(seed)
    playwright = Playwright(rng, Inventor(rng))
    found: list[tuple[Part, Candidate]] = []
    while len(found) < count:
        played = playwright.conversation(3)
        rows = list(_rows(played, f"general {seed}.{len(found)}", "general"))
        if rows:
            found.append((played.part, rng.choice(rows)))
    return found


def _rows(played: Conversation, conversation: str, signal: str) -> Iterator[Candidate]:
    """The exchanges that rest on a sheet, as candidates."""
    for index, turn in enumerate(played.turns):
        exchange = next((e for e in played.exchanges if e.reply is turn), None)
        if exchange is None or exchange.kind in _NOT_THE_SHEETS or index == 0:
            continue
        yield Candidate(
            "sft", signal, "offline_teacher", 0, conversation, played.scene,
            played.turns[:index], (), turn.text, reason="written by offline teacher",
        )  # fmt: skip
