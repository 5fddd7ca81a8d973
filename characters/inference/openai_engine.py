"""Any OpenAI-compatible server by URL: llama-server, vLLM, LM Studio, a cloud.

The server renders the messages with its own template and gives no scores; both are said in the
capabilities. Adapters live with the server (`server_adapters`). A request is tried again only while
nothing was streamed: half a line is never joined to half of another.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import openai

from characters.inference.engine import REMOTE, Capabilities, Delta, Event, Finish, Request, Score, Timings
from characters.inference.errors import RemoteRefused, RemoteUnavailable, Unsupported
from characters.inference.server_adapters import Choice, Kind, make_adapters
from characters.inference.stopping import StopFilter
from characters.prompt import estimate_tokens

_TRIES = 3
_MAX_STOPS = 4
_LONGEST_WAIT = 30.0
_NO_ADAPTERS = (
    "This model server is not asked for adapters; set engine.adapters to llama-server or vllm, or use the local engine."
)


class OpenAIEngine:
    """Speaks through a server.

    Args:
        url: base address, ending in /v1.
        model: the name the server knows the model by.
        key: API key; servers at home ignore it.
        adapters: what kind of server it is, if it speaks with adapters.
        sleep: waits between tries.
    """

    def __init__(  # noqa: PLR0913  (an address and how to ask there, by name)
        self, url: str, model: str, key: str = "none", *, context: int = 4096, patience: float = 60.0,
        adapters: Kind = "none", sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._url, self._model, self._context, self._sleep = url, model, context, sleep
        self._adapters = make_adapters(adapters, url, model, key, patience)
        self._client = openai.AsyncOpenAI(base_url=url, api_key=key, timeout=patience, max_retries=0)

    async def start(self) -> None:
        """Nothing to start: the server runs by itself."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def capabilities(self) -> Capabilities:
        """What can be known without asking the server."""
        return Capabilities(name=self._model, base_id=f"{REMOTE}{self._model}", context=self._context,
                            scoring=False, adapters=self._adapters is not None)  # fmt: skip

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        """Speak a line; see `Engine.generate`."""
        began = time.perf_counter()
        stops, text, first, tokens, reason, speaks = StopFilter(request.stop), "", 0.0, 0, "stop", False
        stream = await self._open(request)
        try:
            async for chunk in _guarded(stream, self._url):
                said = _said(chunk)
                if said is None:
                    continue
                speaks = True
                if said.finish == "length":
                    reason = "length"
                shown = stops.feed(said.text)
                tokens += bool(said.text)
                if shown:
                    first = first or (time.perf_counter() - began) * 1000
                    text += shown
                    yield Delta(shown)
                if stops.stopped:
                    break
        finally:
            await stream.close()
        if not speaks:
            raise RemoteRefused(
                f"What answers at {self._url} is no OpenAI-compatible server; does engine.url want a /v1 at its end?"
            )
        if rest := stops.flush():
            text += rest
            yield Delta(rest)
        total = (time.perf_counter() - began) * 1000
        prompt_tokens = sum(estimate_tokens(message.content) for message in request.messages)
        yield Finish("length" if reason == "length" else "stop", text, Timings(first, total, prompt_tokens, 0, tokens))

    async def _open(self, request: Request) -> Any:
        """Begin a stream, waiting and trying again on 429 and 5xx."""
        sampling, chosen = request.sampling, self._choose(request.adapter)
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._client.chat.completions.create(
                    model=chosen.model, stream=True, extra_body=chosen.fields or None,
                    messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
                    temperature=sampling.temperature, top_p=sampling.top_p, seed=sampling.seed,
                    max_tokens=sampling.max_tokens, stop=list(request.stop[:_MAX_STOPS]) or None,
                )  # fmt: skip
            except (openai.RateLimitError, openai.InternalServerError) as error:
                if attempt == _TRIES:
                    raise RemoteUnavailable(
                        f"The model server {self._url} answered {error.status_code} {_TRIES} times; "
                        "try again later or choose another engine.url."
                    ) from error  # fmt: skip
                await self._sleep(_pause(error, attempt))
            except openai.APITimeoutError as error:
                raise RemoteUnavailable(
                    f"The model server {self._url} did not answer in time; is it overloaded?"
                ) from error  # fmt: skip
            except openai.APIConnectionError as error:
                raise RemoteUnavailable(
                    f"No model server answers at {self._url}; start it or correct engine.url."
                ) from error  # fmt: skip
            except openai.APIStatusError as error:
                raise RemoteRefused(
                    f"The model server {self._url} refuses ({error.status_code}); "
                    "check engine.remote_model and the API key."
                ) from error  # fmt: skip
        raise AssertionError("the last try returns or raises")

    def _choose(self, adapter: str | None) -> Choice:
        if self._adapters is not None:
            return self._adapters.choose(adapter)
        if adapter is not None:
            raise Unsupported(_NO_ADAPTERS)
        return Choice(self._model)

    async def read_ahead(self, request: Request) -> None:
        """Servers keep their own caches."""

    async def tokenize(self, text: str) -> list[int]:
        """Unknown from here."""
        raise Unsupported("A model server does not tell its tokens; use a local model for that.")

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        """Unknown from here."""
        raise Unsupported("A model server gives no scores here; use a local model for that.")

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Not asked for."""
        raise Unsupported("A model server is not asked for vectors; use a local model for that.")

    async def load_adapter(self, adapter: str, path: Path) -> None:
        """Have the server make an adapter ready."""
        if self._adapters is None:
            raise Unsupported(_NO_ADAPTERS)
        await self._adapters.load(adapter, path)

    async def unload_adapter(self, adapter: str) -> None:
        """Let the server go of an adapter."""
        if self._adapters is not None:
            await self._adapters.unload(adapter)


def _pause(error: openai.APIStatusError, attempt: int) -> float:
    """Seconds to wait: what the server asks for, else longer every time."""
    asked = error.response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT) if asked.replace(".", "", 1).isdigit() else 0.5 * 2**attempt


class _Said(NamedTuple):
    """What a chunk adds to a line."""

    text: str
    finish: str


def _said(chunk: Any) -> _Said | None:
    """Read a chunk, which may be anything: whoever answers need not be a model server."""
    choices = getattr(chunk, "choices", None)
    if not isinstance(choices, list) or not choices:
        return None
    text = getattr(getattr(choices[0], "delta", None), "content", None)
    return _Said(text if isinstance(text, str) else "", str(getattr(choices[0], "finish_reason", "")))


async def _guarded(stream: Any, url: str) -> AsyncGenerator[Any, None]:
    """The stream, with whatever breaks it in the middle as one sentence."""
    try:
        async for chunk in stream:
            yield chunk
    except (openai.APIError, ValueError, OSError) as error:
        raise RemoteUnavailable(
            f"The model server {url} broke off in the middle of a line ({type(error).__name__}); "
            "the turn is kept, ask again."
        ) from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise RemoteUnavailable(
            f"The connection to {url} broke off in the middle of a line; the turn is kept, ask again."
        ) from error
