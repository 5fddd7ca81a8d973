"""Memories get vectors after a line, questions before one; off means that nobody is ever asked for any."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.table.table import Table
from bot.wiring import find_house
from characters.inference.errors import WorkerFailed
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from db.models import Memory, MemoryVector
from db.settings import SettingsError
from tests.bot.conftest import OpenTable
from tests.fakes.scripted_engine import ScriptedEngine

MEANINGS = {"mare": 0, "gallops": 0, "hooves": 0, "bishop": 1, "mitre": 1, "soup": 2, "kettle": 3, "moon": 4, "lute": 5, "wolf": 6, "anvil": 7}
SAID = [
    "The mare was sold outside Kessel.", "The bishop snores in the choir.", "The soup was cold on Thursday.",
    "The kettle leaks at the handle.", "The moon was red over Marl.", "The lute lost a string yesterday.",
    "The wolf came down from the hills.", "The anvil cracked in the frost.",
]  # fmt: skip


async def seated(open_table: OpenTable, engine: ScriptedEngine | LlamaCppEngine) -> Table:
    table = await open_table(npc=None)
    table.state.engine = engine
    await table.summon("mira")
    await settled(table)  # whoever looks for missing vectors after the summons has looked
    return table


async def evening(table: Table) -> None:
    """Everything is said, and one line is spoken after it."""
    for text in (*SAID, *(f"Ward number {number} stayed quiet all evening." for number in range(12))):
        await table.hear(text, answered=False)
    await ask(table, "Aye?")


async def ask(table: Table, text: str) -> list[str]:
    """Ask, wait until nobody is at work behind the line, and tell what of memory was at hand for it."""
    events = [event async for event in table.say(text)]
    await settled(table)
    why = await table.why(events[-1].line_id)
    return [fact.text for fact in why.facts if fact.key.startswith("memory.")]


async def settled(table: Table) -> None:
    while beside := list(table.speaking._reading):
        await asyncio.gather(*beside, return_exceptions=True)


def of_memories(engine: ScriptedEngine) -> list[str]:
    """What got a vector as a memory; a question, or what is read ahead of one, may get its own at any time."""
    return [text for text in engine.embedded if text.startswith("Ana said:")]


async def kept(table: Table) -> list[str]:
    async with table.state.store.session() as session:
        return list(await session.scalars(select(Memory.text).join(MemoryVector, MemoryVector.memory_id == Memory.id).order_by(Memory.id)))


async def test_a_memory_is_found_by_what_is_meant(open_table: OpenTable) -> None:
    engine = ScriptedEngine(meanings=MEANINGS)
    table = await seated(open_table, engine)
    await evening(table)
    assert len(await kept(table)) == len(SAID) + 12
    assert await ask(table, "Whatever gallops on four hooves?") == ["Ana said: The mare was sold outside Kessel."]
    assert engine.embedded[-1] == "Whatever gallops on four hooves?"


async def test_off_means_that_nobody_is_asked(open_table: OpenTable) -> None:
    engine = ScriptedEngine()
    table = await seated(open_table, engine)
    await evening(table)
    assert await ask(table, "Whatever gallops on four hooves?") == []
    assert await kept(table) == []
    assert engine.embedded == []


async def test_a_line_comes_before_the_vectors_of_what_it_answers(open_table: OpenTable) -> None:
    engine = ScriptedEngine(meanings=MEANINGS)
    table = await seated(open_table, engine)
    await table.hear(SAID[0], answered=False)
    await settled(table)
    assert of_memories(engine) == []
    async for event in table.say("The bishop snores, they say."):
        assert of_memories(engine) == [], event
    await settled(table)
    assert of_memories(engine) == ["Ana said: The bishop snores, they say.", f"Ana said: {SAID[0]}"]


class Slow(ScriptedEngine):
    """Takes its time for a question, and none for memories."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if not texts[0].startswith("Ana said:"):
            await asyncio.sleep(5)
        return await super().embed(texts)


class Broken(ScriptedEngine):
    """Cannot do what it says it can."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        raise WorkerFailed("The model process failed.")


@pytest.mark.parametrize("kind", [Slow, Broken])
async def test_a_vector_that_does_not_come_costs_no_line(open_table: OpenTable, kind: type[ScriptedEngine], caplog: pytest.LogCaptureFixture) -> None:
    table = await seated(open_table, kind(meanings=MEANINGS))
    with caplog.at_level(logging.WARNING):
        await evening(table)
        assert await ask(table, "Whatever gallops on four hooves?") == []
        assert await ask(table, "Where was the mare sold?") == ["Ana said: The mare was sold outside Kessel."]
    assert ("found by full text alone" in caplog.text) == (kind is Broken)


async def test_a_line_taken_back_leaves_no_vector(open_table: OpenTable) -> None:
    table = await seated(open_table, ScriptedEngine("I promise I will bring you the kettle.", meanings=MEANINGS))
    asked = [event async for event in table.say("The mare was sold outside Kessel, hm?")]
    await settled(table)
    assert await kept(table)
    await table.retcon(asked[-1].line_id)
    await settled(table)
    assert not [text for text in await kept(table) if "kettle" in text]


async def test_with_a_real_model_memories_have_vectors_of_its_width(open_table: OpenTable, tiny_model: Path) -> None:
    engine = LlamaCppEngine(tiny_model, LoadOptions(threads=1), embedder=tiny_model)
    table = await seated(open_table, engine)
    try:
        for text in SAID[:3]:
            await table.hear(text, answered=False)
        await ask(table, "Aye?")
        async with table.state.store.session() as session:
            rows = list(await session.scalars(select(MemoryVector)))
        assert len(rows) >= 3
        assert {(row.model, len(row.vector)) for row in rows} == {((await engine.capabilities()).embedding, 2 * 64)}
    finally:
        await table.speaking.close()
        await engine.close()


def test_the_settings_name_the_model_and_refuse_a_server(tiny_model: Path) -> None:
    assert find_house().embedder is None
    on = {"memory.embeddings": "engine"}
    assert find_house(on).embedder == find_house().model
    assert find_house({**on, "memory.embedding_model": str(tiny_model)}).embedder == tiny_model
    with pytest.raises(SettingsError, match=r"engine\.url names a server"):
        _ = find_house({**on, "engine.url": "http://127.0.0.1:1/v1"}).embedder
