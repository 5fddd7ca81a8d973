"""A model server that is busy, wrong, or gone: one clear error each, and never half a line twice."""

import json

import pytest

from characters.inference.engine import Delta, Finish, Request, Sampling
from characters.inference.errors import RemoteRefused, RemoteUnavailable
from characters.inference.openai_engine import OpenAIEngine
from characters.messages import Message
from tests.fakes.model_server import ModelServer

REQUEST = Request("", (Message("system", "You are Mira."), Message("user", "Ana: Hello")), ("Ana:",), Sampling(seed=4, max_tokens=9))


async def speak(server: ModelServer, *script: object, patience: float = 5.0) -> tuple[list[str], str, list[float]]:
    server.script.extend(script)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    engine = OpenAIEngine(server.url, "served", patience=patience, sleep=pause)
    pieces, text = [], ""
    try:
        async for event in engine.generate(REQUEST):
            if isinstance(event, Delta):
                pieces.append(event.text)
            if isinstance(event, Finish):
                text = event.text
    finally:
        await engine.close()
    return pieces, text, pauses


async def test_the_server_gets_messages_sampling_and_stops() -> None:
    async with ModelServer() as server:
        _, text, _ = await speak(server, "Four copper.")
        sent = server.requests[0]
    assert text == "Four copper."
    assert sent["messages"][1] == {"role": "user", "content": "Ana: Hello"}
    assert (sent["seed"], sent["max_tokens"], sent["stop"], sent["stream"]) == (4, 9, ["Ana:"], True)


async def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    async with ModelServer() as server:
        _, text, pauses = await speak(server, ("status", 429, {"Retry-After": "3"}), ("status", 503, {}), "Aye.")
    assert text == "Aye."
    assert pauses[0] == 3.0
    assert len(pauses) == 2


async def test_a_server_that_stays_busy_is_one_sentence() -> None:
    async with ModelServer() as server:
        with pytest.raises(RemoteUnavailable, match="answered 500 3 times"):
            await speak(server, *[("status", 500, {})] * 3)
        assert len(server.requests) == 3


@pytest.mark.parametrize("code", [400, 401, 404])
async def test_a_refusal_is_not_repeated(code: int) -> None:
    async with ModelServer() as server:
        with pytest.raises(RemoteRefused, match=str(code)):
            await speak(server, ("status", code, {}))
        assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", ["!vanish", "!nonsense"])
async def test_a_stream_that_breaks_is_one_sentence_and_not_repeated(behaviour: str) -> None:
    async with ModelServer() as server:
        with pytest.raises(RemoteUnavailable, match="the turn is kept"):
            await speak(server, behaviour)
        assert len(server.requests) == 1


@pytest.mark.parametrize("body", [
    b'{"error": "Unexpected endpoint"}', b"<html><body>It works!</body></html>", b"data: 5\n\n", b"", b'data: {"choices": []}\n\n',
])  # fmt: skip
async def test_what_answers_and_is_no_model_server_is_called_so(body: bytes) -> None:
    async with ModelServer() as server:
        with pytest.raises(RemoteRefused, match=r"does engine\.url want a /v1 at its end"):
            await speak(server, body)


@pytest.mark.parametrize("choice", [
    {"delta": None}, {"delta": {"content": ["x"]}}, {"delta": {"content": 5}}, {},
])  # fmt: skip
async def test_a_chunk_without_words_adds_none(choice: dict[str, object]) -> None:
    chunks = [{"choices": [choice]}, {"choices": [{"delta": {"content": "Aye."}, "finish_reason": "stop"}]}]
    async with ModelServer() as server:
        _, text, _ = await speak(server, b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks))
    assert text == "Aye."


async def test_a_silent_server_is_given_up_in_time() -> None:
    async with ModelServer() as server:
        with pytest.raises(RemoteUnavailable, match="in time"):
            await speak(server, "!hang", patience=0.3)


async def test_no_server_at_all_is_one_sentence() -> None:
    engine = OpenAIEngine("http://127.0.0.1:9/v1", "served", patience=2)
    with pytest.raises(RemoteUnavailable, match="No model server answers"):
        async for _ in engine.generate(REQUEST):
            pass
