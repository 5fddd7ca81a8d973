"""One contract, three engines: whatever a table may rely on, all of them keep."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from characters.inference.engine import Delta, Engine, Finish, Request, Sampling
from characters.inference.errors import Unsupported
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.openai_engine import OpenAIEngine
from characters.messages import Message
from tests.fakes.model_server import ModelServer
from tests.fakes.scripted_engine import ScriptedEngine

LONG = " ".join(f"word{n}" for n in range(60))


@pytest.fixture(params=["llama.cpp", "server", "scripted"])
async def engine(request: pytest.FixtureRequest, tiny_model: Path) -> AsyncIterator[Engine]:
    async with contextlib.AsyncExitStack() as stack:
        made: Engine
        if request.param == "llama.cpp":
            made = LlamaCppEngine(tiny_model, LoadOptions(threads=1, cells=2048))
        elif request.param == "server":
            server = await stack.enter_async_context(ModelServer())
            server.script.extend([LONG] * 4)
            made = OpenAIEngine(server.url, "served", patience=5)
        else:
            made = ScriptedEngine(*[LONG] * 4)
        yield made
        await made.close()


def asking(text: str = "What do you sell?", **changes: object) -> Request:
    sampling = Sampling(**{"seed": 7, "max_tokens": 24, **changes})  # type: ignore[arg-type]
    prompt = f"<|user|>{text}<|end|><|assistant|>"
    return Request(prompt, (Message("user", text),), sampling=sampling, cache_key="evening/mira")


async def whole(engine: Engine, request: Request) -> tuple[str, Finish]:
    shown, last = "", None
    async for event in engine.generate(request):
        assert last is None, "nothing comes after Finish"
        if isinstance(event, Delta):
            shown += event.text
        elif isinstance(event, Finish):
            last = event
    assert last is not None
    return shown, last


async def test_a_line_streams_in_pieces_that_join_to_the_whole(engine: Engine) -> None:
    shown, finish = await whole(engine, asking())
    assert shown == finish.text
    assert finish.timings.tokens > 1
    assert finish.timings.total_ms >= finish.timings.ttft_ms > 0


async def test_a_line_is_never_longer_than_asked_for(engine: Engine) -> None:
    if isinstance(engine, OpenAIEngine):
        pytest.skip("a server enforces max_tokens itself; what it was sent is tested with the server")
    _, finish = await whole(engine, asking(max_tokens=5))
    assert finish.timings.tokens <= 5
    assert finish.reason == "length"


async def test_a_stop_string_ends_the_line_and_is_never_shown(engine: Engine) -> None:
    free, _ = await whole(engine, asking())
    middle = free[len(free) // 2 :][:3]
    request = asking()
    shown, finish = await whole(engine, Request(request.prompt, request.messages, (middle,), request.sampling, "other"))
    assert finish.reason == "stop"
    assert middle not in shown
    assert shown == free[: free.index(middle)]


async def test_closing_the_stream_cancels_and_the_next_line_works(engine: Engine) -> None:
    stream = engine.generate(asking())
    async for _ in stream:
        break
    await stream.aclose()
    _, finish = await whole(engine, asking())
    assert finish.text


async def test_starting_and_closing_twice_is_harmless(engine: Engine) -> None:
    await engine.start()
    await engine.start()
    await engine.close()
    await engine.close()


async def test_what_an_engine_cannot_do_it_says_and_refuses(engine: Engine) -> None:
    can = await engine.capabilities()
    if can.scoring:
        assert len(await engine.score("a b", [" c", " d e"])) == 2
        assert await engine.tokenize("a lantern")
    else:
        with pytest.raises(Unsupported):
            await engine.score("a b", [" c"])
    if can.embedding is None:
        with pytest.raises(Unsupported):
            await engine.embed(["a lantern"])
    if not can.adapters:
        with pytest.raises(Unsupported):
            await engine.load_adapter("x", Path("x.gguf"))
    await engine.unload_adapter("never loaded")


async def test_reading_ahead_is_always_allowed(engine: Engine) -> None:
    await engine.read_ahead(asking())


async def test_lines_asked_for_at_once_all_come_whole(engine: Engine) -> None:
    restless = {"temperature": 2.0, "repetition_penalty": 2.0, "top_k": 0}  # a line that stutters is cut, and then less stands than was shown
    found = await asyncio.gather(*(whole(engine, asking(f"Question {n}?", **restless)) for n in range(3)))
    assert all(shown == finish.text for shown, finish in found)
    assert any(shown for shown, _ in found)
