"""The real `openai` client against every shipped NPC, speaking through llama.cpp with a tiny model."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.library import Library
from db.models import Take, TurnRow
from tests.bot.api.conftest import Serve, Served

SHIPPED = [f"home/{slug}" for slug in Library().slugs()]


@pytest.fixture
async def tiny(serve: Serve, tiny_model: Path) -> Served:
    return await serve(engine=LlamaCppEngine(tiny_model, LoadOptions(2048, 4096, threads=1, extra_buffers=False), 60))


async def test_every_shipped_npc_is_a_model_that_answers_whole_and_in_a_stream(tiny: Served) -> None:
    client = tiny.client()
    assert [model.id async for model in await client.models.list()] == SHIPPED
    for name in SHIPPED:
        assert (await client.models.retrieve(name)).id == name
        whole = await client.chat.completions.create(model=name, messages=[{"role": "user", "content": "Who are you?"}])
        assert whole.choices[0].message.role == "assistant"
        assert whole.choices[0].finish_reason in {"stop", "length"}
        assert whole.usage is not None
        assert whole.usage.completion_tokens > 0
        pieces, last = [], None
        stream = await client.chat.completions.create(
            model=name, messages=[{"role": "user", "content": "And what do you sell?"}], stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        async for chunk in stream:
            if chunk.choices:
                pieces.append(chunk.choices[0].delta.content or "")
                last = chunk if chunk.choices[0].finish_reason else last
            else:
                assert chunk.usage is not None
                assert chunk.usage.completion_tokens > 0
        assert last is not None
        line = last.understudy["line_id"]  # type: ignore[attr-defined]
        stored = next(turn for turn in await tiny.rows(TurnRow) if turn.id == line)
        assert ("".join(pieces), f"home/{stored.npc}") == (stored.text, name)
    assert all(take.state == "complete" for take in await tiny.rows(Take))


async def test_the_blocking_client_works_as_well(tiny: Served) -> None:
    def ask() -> Any:
        with openai.OpenAI(base_url=f"{tiny.address}/v1", api_key="none") as client:
            return client.chat.completions.create(model="mira", messages=[{"role": "user", "content": "Good evening!"}])

    answer = await asyncio.to_thread(ask)
    assert answer.id == f"line-{answer.understudy['line_id']}"
    assert answer.model == "home/mira"
