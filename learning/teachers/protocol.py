"""What every teacher keeps to: a request goes in, an answer with its cost comes out.

A request carries its text and, beside it, a `brief`: the same wish as a value, for the offline
teacher, which reads no English. Only the text is ever sent, and only the text makes the key under which
an answer is kept.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

from characters.messages import Message

TeacherSource = Literal["teacher", "offline_teacher"]
NANO = 1_000_000_000  # of a currency unit; prices are a few units a million tokens


@dataclass(frozen=True)
class TeacherSampling:
    """How an answer is drawn; teachers ignore what they have no knob for."""

    temperature: float = 0.9
    top_p: float = 0.95
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    max_tokens: int = 300
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True)
class TeacherRequest:
    """One thing to be asked.

    Attributes:
        task: what it is for, such as ``bootstrap.question``; progress and ledger count by it.
        schema: JSON schema of the wanted answer; None where plain text is wanted.
        brief: the same wish as a value, for a teacher that reads no text. It is never sent.
        attempt: counted up when an answer was no use; another attempt is another request.
    """

    task: str
    messages: tuple[Message, ...]
    sampling: TeacherSampling = field(default_factory=TeacherSampling)
    schema: Mapping[str, Any] | None = None
    brief: Any = field(default=None, compare=False, repr=False)
    attempt: int = 0

    def key(self, teacher: str, campaign: int) -> str:
        """What the answer is kept under: a hash of everything that bears on it."""
        content = {
            "teacher": teacher, "campaign": campaign, "attempt": self.attempt, "schema": self.schema,
            "messages": [asdict(message) for message in self.messages], "sampling": asdict(self.sampling),
        }  # fmt: skip
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return "call-" + hashlib.sha256(text.encode()).hexdigest()[:40]

    def again(self) -> "TeacherRequest":
        """The next attempt, drawn with another seed."""
        seed = self.sampling.seed
        sampling = self.sampling if seed is None else replace(self.sampling, seed=seed + 1)
        return replace(self, attempt=self.attempt + 1, sampling=sampling)


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in the operator's currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def nano(self, prompt_tokens: int, completion_tokens: int) -> int:
        """The price of some tokens, in billionths, rounded up."""
        return -int(-(prompt_tokens * self.prompt + completion_tokens * self.completion) * (NANO // 1_000_000) // 1)

    @property
    def free(self) -> bool:
        """Whether nothing costs anything, or nobody said what it costs."""
        return self.prompt == 0 and self.completion == 0


@dataclass(frozen=True)
class Usage:
    """Tokens read and written, tries that came to nothing included."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    tries: int = 1

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens,
                     self.tries + other.tries)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a teacher said.

    Attributes:
        finish: why it ended; ``length`` is an answer that was cut off, ``refused`` the server's own refusal.
        made_by: what spoke: a model's name, or the offline part as what it is (generator, rules, table reader).
        call: id of the row it is kept in; 0 where nothing is kept.
    """

    text: str
    finish: Literal["stop", "length", "refused"] = "stop"
    usage: Usage = Usage()
    made_by: str = ""
    call: int = 0
    cached: bool = False


Afford = Callable[[Usage], Awaitable[bool]]
"""Asked before another try, with what the earlier ones have cost: whether it may be sent."""


async def always(_: Usage) -> bool:
    """Where nobody counts: every try may be sent."""
    return True


class Teacher(Protocol):
    """Something that answers requests.

    Attributes:
        name: says who it is, for the ledger and the key of the cache; another name is another teacher.
        source: the provenance of what it writes (`db.provenance`).
        remote: whether requests leave this program for a server; then untrainable text stays behind.
    """

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> TeacherSource: ...

    @property
    def remote(self) -> bool: ...

    @property
    def prices(self) -> Prices: ...

    async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
        """Answer a request.

        Args:
            afford: asked where a try came to nothing; without its leave the request ends there.

        Raises:
            TeacherBroke: no answer after all tries; the usage is in the error, others may still be answered.
            TeacherRefused: it will answer nothing (key, model name, address); one sentence, and what was spent.
            TeacherUnavailable: it answers nothing now; one sentence, and what was spent.
        """

    async def close(self) -> None:
        """Give everything back; a second call does nothing."""


def most_tokens(messages: tuple[Message, ...]) -> int:
    """At most so many tokens a prompt takes: two bytes a token, and a few around each message."""
    return sum(len(message.content.encode()) // 2 + 8 for message in messages)


def likely_tokens(text: str) -> int:
    """About so many tokens a text takes, where nobody counted: four bytes a token."""
    return len(text.encode()) // 4 + 1
