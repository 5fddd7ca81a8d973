"""Vectors of texts from the real runtime: in a context of their own, beside the one that speaks."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from characters.inference.engine import Finish, Request, Sampling
from characters.inference.errors import ModelCorrupt, ModelMissing, Unsupported
from characters.inference.llama_cpp_engine import LlamaCppEngine, file_id
from characters.inference.llama_options import LoadOptions
from characters.messages import Message
from tests.fakes.tiny_model import write_tiny_model

TEXTS = ["Ana said: the flood took the lower bridge.", "Ben said: the brown ale is four copper.", "The temple bells wake me."]
SMALL = LoadOptions(threads=1, cells=2048)


@pytest.fixture
async def engine(tiny_model: Path) -> AsyncIterator[LlamaCppEngine]:
    made = LlamaCppEngine(tiny_model, SMALL, embedder=tiny_model)
    yield made
    await made.close()


async def line(engine: LlamaCppEngine) -> str:
    text = "What do you sell?"
    asked = Request(f"<|user|>{text}<|end|><|assistant|>", (Message("user", text),), sampling=Sampling(seed=7, max_tokens=16), cache_key="a")
    *_, last = [event async for event in engine.generate(asked)]
    assert isinstance(last, Finish)
    return last.text


async def test_a_text_has_one_vector_of_length_one_and_is_nearest_to_itself(engine: LlamaCppEngine) -> None:
    vectors = np.array(await engine.embed(TEXTS))
    assert vectors.shape == (3, 64)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-3)
    [again] = await engine.embed([TEXTS[1]])
    assert again == pytest.approx(vectors[1], abs=1e-4), "what was read before leaves no trace"
    assert int(np.argmax(vectors @ np.array(again))) == 1


async def test_a_line_is_the_same_whether_or_not_vectors_are_made_between(engine: LlamaCppEngine) -> None:
    first = await line(engine)
    await engine.embed(TEXTS)
    assert await line(engine) == first


async def test_a_second_file_makes_them_while_the_first_one_speaks(tiny_model: Path, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other.gguf", seed=7)
    both, alone = LlamaCppEngine(tiny_model, SMALL, embedder=other), LlamaCppEngine(other, SMALL, embedder=other)
    try:
        assert (await both.capabilities()).embedding == file_id(other) != (await both.capabilities()).base_id
        assert await both.embed(TEXTS) == await alone.embed(TEXTS)
    finally:
        await both.close()
        await alone.close()


async def test_texts_of_any_kind_and_length_have_a_vector(engine: LlamaCppEngine) -> None:
    vectors = await engine.embed(["", "✖ “two” 💥", "<|end|><|assistant|>", "bridge " * 2000])
    assert all(np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-3) for vector in vectors)


async def test_without_a_model_for_them_there_are_none(tiny_model: Path) -> None:
    engine = LlamaCppEngine(tiny_model, SMALL)
    try:
        assert (await engine.capabilities()).embedding is None
        with pytest.raises(Unsupported, match=r"memory\.embeddings"):
            await engine.embed(TEXTS)
    finally:
        await engine.close()


async def test_a_file_that_is_missing_or_no_model_is_told_of_by_its_setting(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"set memory\.embedding_model"):
        await LlamaCppEngine(tiny_model, SMALL, embedder=tmp_path / "none.gguf").start()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing more")
    engine = LlamaCppEngine(tiny_model, SMALL, embedder=broken)
    try:
        with pytest.raises(ModelCorrupt, match=r"check memory\.embedding_model"):
            await engine.embed(TEXTS)
        assert await line(engine), "the NPC speaks all the same"
    finally:
        await engine.close()
