"""One side of the comparison: an adapter or the bare base, asked through the engine and remembered.

The incumbent is asked the same things night after night; what it said is kept in a file under
hashes of the prompts, so that a night pays for the candidate alone.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from characters.inference.engine import GREEDY, Engine, Finish, Request


class Witness:
    """Speaks and scores with one adapter.

    Args:
        adapter: id of a loaded adapter, None for the bare base.
        memory: a JSON file to remember answers in; None forgets.
    """

    def __init__(self, engine: Engine, adapter: str | None, memory: Path | None = None) -> None:
        self.engine, self.adapter, self._memory = engine, adapter, memory
        known = memory is not None and memory.is_file()
        self._known: dict[str, Any] = json.loads(memory.read_text("utf-8")) if memory and known else {}

    async def line(self, prompt: str, stop: Sequence[str] = ()) -> tuple[str, bool]:
        """A greedy line, and whether it ended by itself."""
        key = _key("line", repr(GREEDY), prompt, *stop)
        if key not in self._known:
            request = Request(prompt, (), tuple(stop), GREEDY, cache_key="gate", adapter=self.adapter)
            done = await _finish(self.engine, request)
            self._known[key] = [done.text.strip(), done.reason == "stop"]
        text, ended = self._known[key]
        return text, ended

    async def score(self, prompt: str, completion: str) -> tuple[float, int]:
        """Log-probability of a completion (nats) and its tokens."""
        [score] = await self.scores(prompt, [completion])
        return score

    async def scores(self, prompt: str, completions: Sequence[str]) -> list[tuple[float, int]]:
        """The same for several completions of one prompt, which is read once for all of them."""
        keys = [_key("score", prompt, completion) for completion in completions]
        unknown = {key: each for key, each in zip(keys, completions, strict=True) if key not in self._known}
        if unknown:
            found = await self.engine.score(prompt, list(unknown.values()), self.adapter)
            self._known |= {key: [score.logprob, score.tokens] for key, score in zip(unknown, found, strict=True)}
        return [(self._known[key][0], self._known[key][1]) for key in keys]

    def remember(self) -> None:
        """Write what was asked, whole or not at all."""
        if self._memory is None:
            return
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        partial = self._memory.with_suffix(".partial")
        partial.write_text(json.dumps(self._known, ensure_ascii=False), "utf-8")
        partial.replace(self._memory)


async def _finish(engine: Engine, request: Request) -> Finish:
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event
        await asyncio.sleep(0)
    raise AssertionError("a stream ends with Finish")


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
