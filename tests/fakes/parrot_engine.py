"""An engine whose voices say fixed lines to fixed prompts: for tests of whoever listens to two of them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from characters.inference.engine import Event, Request, Score
from tests.fakes.scripted_engine import ScriptedEngine


class ParrotEngine(ScriptedEngine):
    """Says and scores by (adapter, prompt), where the bare base is None; what nobody taught it is "Aye."."""

    def __init__(self, said: Mapping[tuple[str | None, str], str], scores: Mapping[tuple[str | None, str], float] | None = None) -> None:
        super().__init__()
        self.said, self.scores = dict(said), dict(scores or {})

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        line = self.said.get((request.adapter, request.prompt), "Aye.")
        self.queue.append(line)
        async for event in super().generate(replace(request, stop=())):
            yield event

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        given = self.scores.get((adapter, prompt), -1.0)
        return [Score(given * len(text.split()), len(text.split())) for text in completions]
