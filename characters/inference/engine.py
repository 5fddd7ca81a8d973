"""The protocol every engine keeps, and the values that cross it.

A contract suite runs against all implementations (tests/characters/inference), so a table never
needs to know which one it has; where they differ, `Capabilities` says so.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from characters.chat_template import ChatTemplate
from characters.messages import Message

FinishReason = Literal["stop", "length", "cancelled"]
REMOTE = "remote-"  # begins the base_id of a server's model, whose file nobody here sees


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 takes the likeliest.

    Attributes:
        repetition_penalty: counts the reply's own tokens only, so that copying a fact from the
            prompt is not punished.
        seed: makes a reply reproducible; None draws one.
        top_k: only so many of the likeliest tokens are looked at, 0 for all; to put a vocabulary of a quarter of a
            million in order takes longer than a batch gains.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.1
    seed: int | None = None
    max_tokens: int = 120
    top_k: int = 64


# What exams and gates measure with: the settings that are served, without chance. A repetition penalty would
# punish the second "copper" of a right answer (learning/EXPERIMENTS.md, 4).
GREEDY = Sampling(temperature=0.0, repetition_penalty=1.0)


@dataclass(frozen=True)
class Request:
    """One line to be spoken.

    Attributes:
        prompt: the rendered text; servers that render themselves take `messages`.
        stop: strings that end the reply; they are not part of it.
        cache_key: the conversation and character whose evaluated prompt may be reused.
        adapter: id of a loaded adapter, or None for the bare base.
    """

    prompt: str
    messages: tuple[Message, ...]
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    cache_key: str = ""
    adapter: str | None = None


@dataclass(frozen=True)
class Timings:
    """How long a line took, and what was read for it (milliseconds, tokens)."""

    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Delta:
    """A piece of the reply, in order."""

    text: str


@dataclass(frozen=True)
class Restart:
    """The model process died in mid-line: forget the deltas so far, the line begins anew."""


@dataclass(frozen=True)
class Finish:
    """The whole reply; always the last event."""

    reason: FinishReason
    text: str
    timings: Timings


Event = Delta | Restart | Finish


@dataclass(frozen=True)
class Score:
    """How likely a completion is: its summed log-probability (nats) over its tokens."""

    logprob: float
    tokens: int


@dataclass(frozen=True)
class Capabilities:
    """What an engine is and can do.

    Attributes:
        base_id: identifies the base model, sha256 of the file for local ones.
        context: tokens a prompt and its reply may take together.
        template: the model's own chat template; None where the server renders.
        system_budget: tokens of system text the model was made for, if it says so.
        context_budget: tokens of prompt it was made for, if it says so.
        embedding: identifies the model that makes vectors of texts; None where none does.
    """

    name: str
    base_id: str
    context: int
    scoring: bool
    adapters: bool
    template: ChatTemplate | None = None
    system_budget: int | None = None
    context_budget: int | None = None
    embedding: str | None = None

    def carries(self, base_id: str) -> bool:
        """Whether what was trained on a base may speak here; a server's model tells no file, and the server refuses."""
        return base_id == self.base_id or self.base_id.startswith(REMOTE)


class Engine(Protocol):
    """Something that speaks lines."""

    async def start(self) -> None:
        """Make ready; a second call does nothing."""

    async def close(self) -> None:
        """Give everything back; a second call does nothing."""

    async def capabilities(self) -> Capabilities:
        """Say what this engine can do; starts it if needed."""

    def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        """Speak a line: deltas, then one Finish. Closing the generator cancels.

        Raises:
            EngineError: no line can be had; what was streamed before is void.
        """

    async def read_ahead(self, request: Request) -> None:
        """Evaluate a prompt into the cache, so that the reply begins sooner."""

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text; special tokens in it count as such."""

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        """Score completions of one prompt, under a loaded adapter or the bare base.

        Raises:
            Unsupported: the engine gives no log-probabilities.
        """

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, of length 1; texts on like things have vectors that point the same way.

        Raises:
            Unsupported: nothing makes vectors here (`Capabilities.embedding`).
        """

    async def load_adapter(self, adapter: str, path: Path) -> None:
        """Load an adapter under an id; requests attach it by that id."""

    async def unload_adapter(self, adapter: str) -> None:
        """Forget an adapter; unknown ids are ignored."""
