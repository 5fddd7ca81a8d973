"""The model on this machine as its own teacher: slow, free, and nothing leaves.

One answer at a time: the engine has one context.
"""

import asyncio
import contextlib
from collections.abc import Callable

from characters.inference.engine import Capabilities, Engine, Finish, Request, Sampling
from characters.inference.errors import PromptTooLong
from learning.teachers.errors import TeacherBroke, TeacherUnset
from learning.teachers.protocol import Afford, Answer, Prices, TeacherRequest, TeacherSource, Usage, always

Render = Callable[[TeacherRequest], str]


class LocalTeacher:
    """Asks an engine.

    Args:
        engine: it is started when first asked, and closed with the teacher.
        render: makes the text the model reads; by default its own chat template over the messages.
        adapter: id of an adapter the engine has loaded; None for the bare base.
    """

    source: TeacherSource = "teacher"
    remote = False
    prices = Prices()

    def __init__(
        self, engine: Engine, model: str, *, render: Render | None = None, adapter: str | None = None
    ) -> None:  # fmt: skip
        self.name = f"local {model}" + (f" with {adapter}" if adapter else "")
        self._engine, self._model, self._render, self._adapter = engine, model, render, adapter
        self._alone = asyncio.Lock()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()

    async def capabilities(self) -> Capabilities:
        """What the engine can do."""
        return await self._engine.capabilities()

    async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
        """Answer a request; see `Teacher.complete`."""
        asked = request.sampling
        sampling = Sampling(asked.temperature, asked.top_p, 0.0, 1.0 + asked.presence_penalty / 20, asked.seed,
                            asked.max_tokens, top_k=0)  # fmt: skip
        wish = Request(await self._text(request), request.messages, asked.stop, sampling, "teacher", self._adapter)
        async with self._alone, contextlib.aclosing(self._engine.generate(wish)) as events:
            try:
                async for event in events:
                    if isinstance(event, Finish):
                        usage = Usage(event.timings.prompt_tokens, event.timings.tokens)
                        return Answer(event.text, "length" if event.reason == "length" else "stop", usage, self._model)
            except PromptTooLong as error:
                raise TeacherBroke("the request is longer than the model reads", Usage()) from error
        raise AssertionError("a stream ends with Finish")

    async def _text(self, request: TeacherRequest) -> str:
        if self._render is not None:
            return self._render(request)
        template = (await self._engine.capabilities()).template
        if template is None:
            raise TeacherUnset("The model has no chat template inside; name another one as engine.model.")
        return template.render(request.messages)
