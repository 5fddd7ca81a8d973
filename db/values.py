"""What queries return: plain values, safe to keep after the transaction is over."""

from dataclasses import dataclass, field
from typing import Any

from characters.messages import Fact, Turn


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
    """Everything recorded about how a take came to be."""

    prompt_hash: str = ""
    template_hash: str = ""
    sheet_version: str = ""
    base_id: str = ""
    adapter: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    at_hand: tuple[Fact, ...] = ()


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


def facts_to_json(facts: tuple[Fact, ...]) -> list[dict[str, str]]:
    """Facts as they are stored."""
    return [{"key": fact.key, "text": fact.text, "source": fact.source} for fact in facts]


def facts_from_json(stored: list[dict[str, str]]) -> tuple[Fact, ...]:
    """Facts as they were."""
    return tuple(Fact(item["key"], item["text"], item["source"]) for item in stored)
