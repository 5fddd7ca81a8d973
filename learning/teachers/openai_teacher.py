"""A bigger model behind any OpenAI-compatible server.

Answers are streamed, so that a server that stalls is noticed and what it wrote before is counted.
429 and 5xx are waited out, as long as the server asks; while one request waits, none is sent. What a
try cost that came to nothing is added to the answer's cost.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from learning.teachers.errors import TeacherBroke, TeacherRefused, TeacherUnavailable
from learning.teachers.protocol import (
    Afford,
    Answer,
    Prices,
    TeacherRequest,
    TeacherSource,
    Usage,
    always,
    likely_tokens,
)

_TRIES = 6
_KNOCKS = 3  # where nobody answers at all
_LONGEST_WAIT = 120.0  # seconds; a server that asks for more is left alone
_SCHEMA, _STRUCTURED, _COUNTED = "json_schema", "response_format", "stream_options"
# What a server that lacks one of them complains of, in the order in which they are given up: without
# json_schema it may still know json_object with a schema, as llama-cpp-python's does.
_SIGNS = {_COUNTED: (_COUNTED, "include_usage"), _SCHEMA: (_STRUCTURED, _SCHEMA), _STRUCTURED: (_STRUCTURED, "grammar")}


@dataclass
class _Heard:
    """What came of one try."""

    text: str = ""
    finish: str = ""
    usage: Usage | None = None


@dataclass
class _Before:
    """What came of the tries before: why the last one failed, and what they cost."""

    reason: str = ""
    wasted: Usage = field(default_factory=lambda: Usage(tries=0))

    def add(self, reason: str, cost: Usage) -> None:
        """Another try came to nothing."""
        self.reason, self.wasted = reason, self.wasted + cost


class OpenAITeacher:
    """Asks a server.

    Args:
        url: base address, ending in /v1.
        model: the name the server knows the model by.
        prices: of a million tokens.
        patience: seconds without a sign before a request counts as stalled.
        sleep: waits.
        wall: the time, for a Retry-After that names a moment.
    """

    source: TeacherSource = "teacher"
    remote = True

    def __init__(  # noqa: PLR0913  (what a server is, by name)
        self, url: str, model: str, key: str = "none", *, prices: Prices | None = None, patience: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.name, self.prices = f"openai {model} at {url}", prices or Prices()
        self._url, self._model, self._sleep, self._wall, self._patience = url, model, sleep, wall, patience
        timeout = httpx2.Timeout(patience, connect=min(10.0, patience))
        self._client = openai.AsyncOpenAI(base_url=url, api_key=key, timeout=timeout, max_retries=0)
        self._lacks: set[str] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._waiting = 0

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
        """Answer a request; see `Teacher.complete`."""
        before = _Before()
        try:
            for attempt in range(1, _TRIES + 1):
                await self._open.wait()
                came = await self._try(request, before, attempt)
                if isinstance(came, Answer):
                    return came
                if attempt == _TRIES or not await afford(before.wasted):
                    break
                if came:
                    await self._sleep(came)
        except (TeacherBroke, TeacherRefused, TeacherUnavailable) as error:
            error.usage += before.wasted
            raise
        raise TeacherBroke(before.reason or "no answer", before.wasted)

    async def _try(self, request: TeacherRequest, before: _Before, attempt: int) -> Answer | float:
        """One try: the answer, or the seconds to wait for another."""
        heard, lacked = _Heard(), frozenset(self._lacks)
        try:
            await self._hear(request, heard, lacked)
            return self._answer(request, heard, before.wasted)
        except (openai.RateLimitError, openai.InternalServerError) as error:
            if not self._lacking(error, lacked):
                await self._wait(error, attempt)
                before.add(f"the server answered {error.status_code}", Usage())  # turned away, it costs nothing
            return 0.0
        except openai.APIStatusError as error:
            self._give_way(error, lacked)
            return 0.0
        except openai.APIConnectionError as error:
            if _reached(error, heard):
                stalled = isinstance(error, openai.APITimeoutError)
                before.add("the server stalled" if stalled else "the answer broke off", self._spent(request, heard))
            elif attempt == _KNOCKS:
                raise TeacherUnavailable(
                    f"No model server answers at {self._url}; start it or correct teacher.url, then run this again.",
                    Usage(tries=0),
                ) from error
        except (openai.APIError, httpx2.HTTPError, httpx2.StreamError, ValueError, OSError):
            before.add("the answer broke off", self._spent(request, heard))
        return _pause(attempt)

    async def _hear(self, request: TeacherRequest, heard: _Heard, lacked: frozenset[str]) -> None:
        """Everything the server streams, asked for without what it lacks."""
        sampling = request.sampling
        more: dict[str, Any] = {}
        if request.schema is not None and _STRUCTURED not in lacked:
            more[_STRUCTURED] = _form(request.task, dict(request.schema), plain=_SCHEMA in lacked)
        if _COUNTED not in lacked:
            more[_COUNTED] = {"include_usage": True}
        for name in ("presence_penalty", "frequency_penalty"):
            if value := getattr(sampling, name):
                more[name] = value
        stream: Any = await self._client.chat.completions.create(
            model=self._model, stream=True,
            messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
            temperature=sampling.temperature, top_p=sampling.top_p, seed=sampling.seed,
            max_tokens=sampling.max_tokens, stop=list(sampling.stop[:4]) or None, **more,
        )  # fmt: skip
        try:
            async for chunk in self._watched(stream):
                _take(chunk, heard)
        finally:
            await stream.close()
        if not heard.finish:
            raise ValueError("the stream ended before the answer did")

    async def _watched(self, stream: Any) -> AsyncIterator[Any]:
        """The stream, with every stall an error even where bytes without content keep coming."""
        chunks = aiter(stream)
        while True:
            try:
                yield await asyncio.wait_for(anext(chunks), self._patience)
            except StopAsyncIteration:
                return
            except (TimeoutError, httpx2.TimeoutException) as error:
                raise openai.APITimeoutError(httpx2.Request("POST", self._url)) from error

    def _answer(self, request: TeacherRequest, heard: _Heard, wasted: Usage) -> Answer:
        usage = heard.usage or self._spent(request, heard)
        finish = {"length": "length", "content_filter": "refused"}.get(heard.finish, "stop")
        return Answer(heard.text, finish, usage + wasted, self._model)  # type: ignore[arg-type]  # one of the three

    def _spent(self, request: TeacherRequest, heard: _Heard) -> Usage:
        """What a try has cost, where the server did not say."""
        prompt = sum(likely_tokens(message.content) for message in request.messages)
        return heard.usage or Usage(prompt, likely_tokens(heard.text) if heard.text else 0)

    def _give_way(self, error: openai.APIStatusError, lacked: frozenset[str]) -> None:
        """Leave out what the server does not know, once; every other refusal is final."""
        told = str(error).casefold()
        if error.status_code in {400, 422}:
            if self._lacking(error, lacked):
                return
            if "context" in told or "too long" in told or "maximum" in told:
                raise TeacherBroke("the request is longer than the model reads", Usage()) from error
        raise TeacherRefused(
            f"The model server {self._url} refuses ({error.status_code}); check teacher.model, teacher.url and the "
            "key in UNDERSTUDY_TEACHER_API_KEY."
        ) from error

    def _lacking(self, error: openai.APIStatusError, lacked: frozenset[str]) -> bool:
        """Whether a server complains of something that can be left out; some do so with a 500.

        Args:
            lacked: what this try was sent without; others on their way may have found out more by now.
        """
        told = str(error).casefold()
        for name, signs in _SIGNS.items():
            if name not in lacked and any(sign in told for sign in signs):
                self._lacks.add(name)
                return True
        return False

    async def _wait(self, error: openai.APIStatusError, attempt: int) -> None:
        """Hold all requests back as long as the server asks, the longest wait counting."""
        asked = _asked(error.response.headers.get("retry-after", ""), self._wall())
        if asked is not None and asked > _LONGEST_WAIT:
            raise TeacherUnavailable(
                f"The model server {self._url} asks to wait {asked:.0f} s; "
                "run this again then, it goes on where it was."
            ) from error
        if attempt == _TRIES:
            raise TeacherUnavailable(
                f"The model server {self._url} answered {error.status_code} {_TRIES} times; "
                "run this again later, it goes on where it was."
            ) from error
        self._open.clear()
        self._waiting += 1
        try:
            await self._sleep(_pause(attempt) if asked is None else asked)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._open.set()


def _form(task: str, schema: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    if plain:
        return {"type": "json_object", "schema": schema}
    return {"type": _SCHEMA, _SCHEMA: {"name": task.replace(".", "_"), "schema": schema, "strict": True}}


def _reached(error: openai.APIConnectionError, heard: _Heard) -> bool:
    """Whether the server had the request, so that it may be paid for."""
    if isinstance(error, openai.APITimeoutError):
        return not isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
    return bool(heard.text) or isinstance(error.__cause__, httpx2.ReadError | httpx2.RemoteProtocolError)


def _pause(attempt: int) -> float:
    return float(min(0.5 * 2**attempt, 30.0))


def _asked(header: str, now: float) -> float | None:
    """Seconds a Retry-After asks for, as a number or as a moment; None where it asks for nothing readable."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (TypeError, ValueError):
        return None


def _take(chunk: Any, heard: _Heard) -> None:
    """Add a piece of the stream to what was heard."""
    if chunk.usage is not None:
        heard.usage = Usage(chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0)
    for choice in chunk.choices[:1]:
        heard.text += choice.delta.content or ""
        if getattr(choice.delta, "refusal", None):
            heard.text, heard.finish = str(choice.delta.refusal), "content_filter"
        if choice.finish_reason and not heard.finish:
            heard.finish = choice.finish_reason
