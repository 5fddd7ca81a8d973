"""The starter's lines, four at a time: word for word what each is by itself."""

import asyncio
import dataclasses

import pytest

from characters.inference.engine import GREEDY, Finish, Request
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.starter import STARTER
from characters.library import Library
from characters.messages import Turn
from characters.prompt import Budget, Part, build_prompt

pytestmark = pytest.mark.prove

QUESTIONS = (
    "Who are you?", "What do you sell?", "How much is the first thing on your shelf?", "Tell me about this town.",
    "What do you think of magic?", "Who rules here?", "Any work for us?", "Where is the market?",
)  # fmt: skip


async def line(engine: LlamaCppEngine, request: Request) -> str:
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event.text
    raise AssertionError("no Finish came")


async def asked(engine: LlamaCppEngine, temperature: float) -> list[Request]:
    """Every question to three NPCs."""
    told, library, requests = await engine.capabilities(), Library(None), []
    for slug in ("mira", "odo", "wick"):
        sheet = library.get(slug)
        part = Part(slug, sheet, library.world(sheet.world))
        budget = Budget(context=told.context, system=told.system_budget or 700)
        for question in QUESTIONS:
            prompt = build_prompt(part, [Turn("You", question)], template=told.template, budget=budget)
            sampling = dataclasses.replace(GREEDY, temperature=temperature, seed=5, max_tokens=100)
            requests.append(Request(prompt.text, prompt.messages, prompt.stop, sampling, f"{slug} {question}"))
    return requests


@pytest.mark.parametrize("temperature", [0.0, 0.4])
async def test_lines_spoken_four_at_a_time_are_those_spoken_alone(temperature: float) -> None:
    options = LoadOptions(2048, 12_000, threads=1)
    alone, together = LlamaCppEngine(STARTER, options), LlamaCppEngine(STARTER, dataclasses.replace(options, streams=4))
    try:
        requests = await asked(alone, temperature)
        by_themselves = [await line(alone, request) for request in requests]
        at_once = await asyncio.gather(*(line(together, request) for request in requests))
    finally:
        await alone.close()
        await together.close()
    assert at_once == by_themselves
