"""Vectors of memories are kept beside them, compared within one model, and gone when the memory is."""

from datetime import timedelta

import numpy as np
from sqlalchemy import select

from characters.finding import Hit
from db import forgetting
from db.models import Memory, MemoryVector
from db.queries import lines, memories, places, vectors
from db.queries.vectors import Like, likeness, together
from tests.fakes.evening import NOW, Evening

MODEL, WIDE = "sha256-tiny", 24


def toward(*places_: int) -> list[float]:
    """A vector that points along some axes."""
    found = np.full(WIDE, 0.05)
    found[list(places_)] += 1.0
    return [float(value) for value in found / np.linalg.norm(found)]


async def given(evening: Evening, model: str = MODEL) -> None:
    """Every memory without a vector gets one; each text points along an axis of its own."""
    async with evening.store.session() as session:
        wanted = await vectors.missing(session, evening.campaign, model, 100)
        axis = {text: place % WIDE for place, text in enumerate(sorted({text for _, text in wanted}))}
        await vectors.put(session, model, {number: (text, toward(axis[text])) for number, text in wanted})


async def kept(evening: Evening) -> list[str]:
    """The texts of the memories that have a vector."""
    async with evening.store.session() as session:
        rows = await session.scalars(select(Memory.text).join(MemoryVector, MemoryVector.memory_id == Memory.id).order_by(Memory.id))
        return list(rows)


async def talk(evening: Evening) -> None:
    for place in range(16):
        await evening.says(evening.ben, f"The pedlar number {place} sold a kettle in ward {place}.")


async def test_a_memory_is_found_by_its_vector_where_no_word_is_shared(evening: Evening) -> None:
    await talk(evening)
    await evening.says(evening.ana, "The mare was stolen by a stranger in Kessel.")
    await given(evening)
    async with evening.store.session() as session:
        [number] = await session.scalars(select(Memory.id).where(Memory.text.contains("mare")))
        wanted = await session.scalar(select(MemoryVector.vector).where(MemoryVector.memory_id == number))
        near = Like(MODEL, [float(value) for value in np.frombuffer(wanted or b"", "<f2")])
        plain = await memories.find(session, evening.campaign, "mira", "Zounds?")
        found = await memories.find(session, evening.campaign, "mira", "Zounds?", like=near)
        other = await memories.find(session, evening.campaign, "mira", "Zounds?", like=Like("another", near.vector))
        hidden = await memories.find(session, evening.campaign, "mira", "Zounds?", like=near, before=0)
    assert plain == other == hidden == [], "another model's vectors mean nothing here, and what is to come is not found"
    assert [one.fact.text for one in found] == ["Ana said: The mare was stolen by a stranger in Kessel."]
    assert found[0].share > 0.35, "enough to come to hand"


async def test_vectors_go_with_what_they_were_made_of(evening: Evening) -> None:
    turn = await evening.says(evening.ana, "The heron statue is made of tin.")
    await evening.says(evening.ben, "The bishop keeps a tame wolf.")
    other = await evening.says(evening.ana, "The moon is red over Marl.")
    await given(evening)
    assert len(await kept(evening)) == 3
    async with evening.store.session() as session:
        await lines.retract(session, turn, NOW)
        await places.reword(session, other, "The moon is blue over Marl.")
    assert await kept(evening) == ["Ben said: The bishop keeps a tame wolf."]
    async with evening.store.session() as session:
        [row] = await session.scalars(select(Memory).where(Memory.text.contains("wolf")))
        await memories.reword(session, evening.campaign, row.id, "The bishop keeps a tame bear.")
    assert await kept(evening) == []
    await given(evening)
    assert len(await kept(evening)) == 2
    async with evening.store.session() as session:
        assert await memories.forget(session, evening.campaign, row.id)
    assert await kept(evening) == ["Ana said: The moon is blue over Marl."]


async def test_forgetting_a_person_takes_the_vectors_of_their_words(evening: Evening) -> None:
    await evening.says(evening.ana, "My uncle Zebulon hid the xylophone in Quorth.")
    await evening.says(evening.ben, "The weather in Marl is dreadful.")
    await given(evening)
    await forgetting.forget(evening.store, evening.home, await evening.knows("Ana"), NOW)
    assert await kept(evening) == ["Ben said: The weather in Marl is dreadful."]
    async with evening.store.session() as session:
        assert len(list(await session.scalars(select(MemoryVector.id)))) == 1


async def test_channel_text_that_expires_takes_its_vectors_along(evening: Evening) -> None:
    turn = await evening.says(evening.ana, "The bishop keeps a tame wolf.")
    await given(evening)
    async with evening.store.session() as session:
        row = await lines.turn(session, turn)
        assert row is not None
        await memories.forget_turns(session, [turn])
        await places.expire_channel_text(session, NOW + timedelta(days=31))
    assert await kept(evening) == []


async def test_what_is_reworded_or_gone_while_its_vector_is_made_gets_none(evening: Evening) -> None:
    await evening.says(evening.ana, "The heron statue is made of tin.")
    async with evening.store.session() as session:
        [(number, text)] = await vectors.missing(session, evening.campaign, MODEL, 10)
        await memories.reword(session, evening.campaign, number, "The heron statue is made of lead.")
        assert await vectors.put(session, MODEL, {number: (text, toward(1)), number + 99: ("gone", toward(2))}) == 0
        assert [words for _, words in await vectors.missing(session, evening.campaign, MODEL, 10)] == ["The heron statue is made of lead."]


async def test_another_model_makes_them_anew_and_one_memory_has_one(evening: Evening) -> None:
    await evening.says(evening.ana, "The heron statue is made of tin.")
    await given(evening)
    await given(evening, "sha256-other")
    async with evening.store.session() as session:
        assert list(await session.scalars(select(MemoryVector.model))) == ["sha256-other"]
        assert await vectors.missing(session, evening.campaign, "sha256-other", 10) == []


def test_only_what_stands_out_is_like_a_question() -> None:
    rng = np.random.default_rng(3)
    common = 5 * rng.normal(size=32)  # as models do that give every text nearly one direction
    kept_ = np.stack([common + rng.normal(size=32) for _ in range(200)]).astype(np.float32)
    asked = (kept_[17] + 0.3 * rng.normal(size=32)).astype(np.float32)
    near = likeness(kept_, asked)
    assert int(near.argmax()) == 17
    assert near[17] > 0.5
    assert (near > 0).sum() <= 4
    assert not likeness(np.ones((5, 8), np.float32), np.ones(8, np.float32)).any(), "where all are the same, nothing stands out"


def test_words_and_likeness_each_bring_a_memory_and_together_the_first() -> None:
    hits = [Hit(1, 10.0, 0.9, ("a",)), Hit(2, 9.0, 0.8, ("b",))]
    assert together(hits, {}) == hits
    joined = together(hits, {2: 0.5, 3: 1.0})
    assert [hit.id for hit in joined] == [2, 1, 3]
    assert (joined[2].share, joined[2].words) == (1.0, ())
    assert [hit.id for hit in together([], {3: 0.4, 4: 0.9})] == [4, 3]
