"""What queries return: plain values, safe to keep after the transaction is over."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from characters.knowing import When
from characters.messages import Fact, Scene, Turn


def storable(text: str) -> str:
    """A text as every database can keep it: without the character 0 and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Person:
    """A participant as the table knows one."""

    id: int
    key: str
    name: str
    role: str
    consent: str


@dataclass(frozen=True)
class StoredTurn:
    """A turn with its identity.

    Attributes:
        kept: the take the table heard; None for what people say, and for a line that never ended.
    """

    id: int
    speaker: str
    text: str
    npc: str | None
    source: str
    answers: int | None = None
    at_hand: tuple[Fact, ...] = ()
    kept: int | None = None

    @property
    def turn(self) -> Turn:
        """The pure value, for the prompt builder."""
        return Turn(self.speaker, self.text, self.npc, self.at_hand)


@dataclass(frozen=True)
class TakeMade:
    """Everything recorded about how a take came to be.

    Attributes:
        frame: what the system text held of memory: `familiarity`, and `memory` with its ids and texts.
    """

    prompt_hash: str = ""
    template_hash: str = ""
    sheet_version: str = ""
    base_id: str = ""
    adapter: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    at_hand: tuple[Fact, ...] = ()
    frame: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredTake:
    """A take with its identity."""

    id: int
    turn_id: int
    number: int
    text: str
    state: str
    origin: str
    made: TakeMade
    timings: dict[str, Any] = field(default_factory=dict)


def facts_to_json(facts: tuple[Fact, ...]) -> list[dict[str, Any]]:
    """Facts as they are stored; where they stood only where that was not at hand."""
    return [
        {"key": fact.key, "text": fact.text, "source": fact.source}
        | ({} if fact.place == "hand" else {"place": fact.place, "depth": fact.depth, "role": fact.role})
        for fact in facts
    ]


def facts_from_json(stored: list[dict[str, Any]]) -> tuple[Fact, ...]:
    """Facts as they were."""
    return tuple(Fact(**item) for item in stored)


@functools.lru_cache(maxsize=4096)  # an NPC has the same few facts at hand again and again
def facts_from_text(stored: str) -> tuple[Fact, ...]:
    """Facts as they were, of JSON."""
    return facts_from_json(json.loads(stored))


@dataclass(frozen=True)
class HeardTurn:
    """A turn with its author's consent as it stands now.

    Attributes:
        person: the author's pseudonymous key, None for NPCs.
    """

    said: StoredTurn
    consent: str
    person: str | None


@dataclass(frozen=True)
class GivenReaction:
    """A reaction that stands, with who gave it.

    Attributes:
        consent: the giver's, as it stands now.
        nights: how many whole nights of the NPC have begun since.
    """

    kind: str
    role: str
    person: str
    take: int | None
    asked: str
    text: str
    nights: int = 0
    consent: str = "given"


@dataclass(frozen=True)
class Origin:
    """Whose words a memory is made of: a source of `db.provenance`, the consent as it stands, key and name."""

    source: str
    consent: str
    person: str | None = None
    name: str = ""


@dataclass(frozen=True)
class HeardMemory:
    """A memory that stands, with everything it was made of."""

    fact: Fact
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class HeardLine:
    """An NPC's line, what led to it, how else it was said, and what the table thought of it.

    Attributes:
        before: the scene so far as the NPC witnessed it, oldest first, ending with the turn that is answered.
        kept: id of the take the table heard last.
        recalled: what of memory, lore and open secrets was at hand for it.
        frame: what its system text held of memory (`TakeMade`).
        memories: those that still stand of all that were at hand in the scene, by key.
        when: how far the story had come.
    """

    id: int
    scene_id: int
    scene: Scene
    npc: str
    text: str
    source: str
    kept: int | None
    retracted: bool
    before: tuple[HeardTurn, ...]
    takes: tuple[StoredTake, ...]
    reactions: tuple[GivenReaction, ...]
    recalled: tuple[Fact, ...] = ()
    frame: dict[str, Any] = field(default_factory=dict)
    memories: dict[str, HeardMemory] = field(default_factory=dict)
    when: When = When()


_Z = 1.959963984540054  # the normal distribution's 97.5 % quantile


def wilson_interval(hits: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `n` (Wilson 1927); (0, 1) where nothing was counted."""
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    centre, whole = share + _Z**2 / (2 * n), 1 + _Z**2 / n
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)


@dataclass(frozen=True)
class TaughtRow:
    """A row a teacher made.

    Attributes:
        origin: what it is there once by, such as ``bootstrap-…/17.2``.
        source: teacher, offline_teacher or imported (`db.provenance`).
        payload: the candidate's structure (`learning.taught`).
        human: a person's verdict from the desk, accept or reject (`db.tonight`).
    """

    origin: str
    kind: str
    source: str
    payload: Mapping[str, Any]
    trainable: bool = True
    reason: str = ""
    human: str | None = None
