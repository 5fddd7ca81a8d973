"""How a stream is timed, ours and a peer's alike: by whoever reads it, from the request to its pieces."""

import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from characters.inference.engine import Engine, Finish, Request, Sampling


@dataclass(frozen=True)
class Timed:
    """One stream (milliseconds, tokens)."""

    first: float
    total: float
    tokens: int

    @property
    def rate(self) -> float:
        """Tokens a second after the first one."""
        return 1000 * (self.tokens - 1) / (self.total - self.first) if self.tokens > 1 else 0.0


async def timed(stream: AsyncIterator[int]) -> Timed:
    """Time a stream that yields how many tokens have come so far."""
    began, first, count = time.perf_counter(), 0.0, 0
    async for tokens in stream:
        first, count = first or time.perf_counter() - began, tokens
    return Timed(1000 * first, 1000 * (time.perf_counter() - began), count)


def line_request(prompt: str, key: str, tokens: int, seed: int, adapter: str | None = None) -> Request:
    """A line of so many tokens, drawn with the settings that are served but for the penalty on repeating."""
    sampling = Sampling(temperature=1.0, repetition_penalty=1.0, seed=seed, max_tokens=tokens)
    return Request(prompt, (), sampling=sampling, cache_key=key, adapter=adapter)


async def ours(engine: Engine, request: Request) -> Timed:
    """Time a line of our engine: when the first token was there, and what it takes to ask and to be told.

    Small models are faster than anybody reads, and their tokens are sent a few at a time; a peer sends each one.
    """
    began = time.perf_counter()
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            total, told = 1000 * (time.perf_counter() - began), event.timings
            return Timed(told.ttft_ms + total - told.total_ms, total, told.tokens)
    raise AssertionError("a stream ends with Finish")


def median(values: Sequence[float]) -> float:
    """The median, with one digit."""
    return round(statistics.median(values), 1)
