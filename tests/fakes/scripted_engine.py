"""An engine that says what it is told to: the third implementation of the contract, for tests."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from characters.inference.engine import Capabilities, Delta, Event, Finish, Request, Score, Timings
from characters.inference.errors import EngineError, Unsupported
from characters.inference.stopping import StopFilter
from learning.starter.tokens import TEMPLATE


class ScriptedEngine:
    """Answers from a queue, word by word; `history` keeps every request it was given.

    With `retells` it says of itself that it is no small model, and is asked for summaries; with `meanings`, words by
    what they mean, it makes vectors: texts that mean the same have the same one.
    """

    def __init__(
        self, *lines: str | EngineError, pace: float = 0.0, retells: bool = False, meanings: Mapping[str, int] | None = None
    ) -> None:
        self.retells = retells
        self.meanings = meanings
        self.embedded: list[str] = []
        self.queue: deque[str | EngineError] = deque(lines)
        self.history: list[Request] = []
        self.adapters: dict[str, Path] = {}
        self.ahead: list[Request] = []
        self.pace = pace
        self.closed = False

    def enqueue(self, *lines: str | EngineError) -> None:
        self.queue.extend(lines)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self.closed = True

    async def capabilities(self) -> Capabilities:
        return Capabilities("scripted", "sha256-scripted", 4096, scoring=True, adapters=True, template=TEMPLATE,
                            system_budget=None if self.retells else 700,
                            embedding=None if self.meanings is None else "sha256-meanings")  # fmt: skip

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        self.history.append(request)
        line = self.queue.popleft() if self.queue else "Aye."
        if isinstance(line, EngineError):
            raise line
        stops, text, count = StopFilter(request.stop), "", 0
        words = [word + " " for word in line.split(" ")]
        words[-1] = words[-1][:-1]
        for word in words[: request.sampling.max_tokens]:
            await asyncio.sleep(self.pace)
            count += 1
            if shown := stops.feed(word):
                text += shown
                yield Delta(shown)
            if stops.stopped:
                break
        if rest := stops.flush():
            text += rest
            yield Delta(rest)
        reason = "length" if len(words) > request.sampling.max_tokens and not stops.stopped else "stop"
        yield Finish(reason, text, Timings(1.0, 2.0, len(request.prompt.split()), 0, count))

    async def read_ahead(self, request: Request) -> None:
        self.ahead.append(request)

    async def tokenize(self, text: str) -> list[int]:
        return [sum(word.encode()) for word in text.split()]

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        return [Score(-1.0 * len(text.split()), len(text.split())) for text in completions]

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if self.meanings is None:
            raise Unsupported("Nothing makes vectors here.")
        self.embedded.extend(texts)
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        known = self.meanings or {}
        vector = [0.1] * (1 + max(known.values(), default=0))
        for word, place in known.items():
            vector[place] += word in text.casefold()
        length = math.hypot(*vector)
        return [value / length for value in vector]

    async def load_adapter(self, adapter: str, path: Path) -> None:
        self.adapters[adapter] = path

    async def unload_adapter(self, adapter: str) -> None:
        self.adapters.pop(adapter, None)
