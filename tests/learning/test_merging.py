"""Base + adapter as one file speaks as the two did apart."""

import resource
from pathlib import Path

import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from learning.errors import AdapterUnservable, AdapterUnwritten
from learning.gguf.adapter import architecture_of, write_adapter
from learning.gguf.base_model import load_base
from learning.gguf.files import read_lineage
from learning.gguf.merging import merge
from tests.fakes.tiny_families import write_family
from tests.fakes.tiny_lora import with_lora, write_random_adapter
from tests.fakes.tiny_model import write_tiny_model

TEXTS = [" the lower bridge", " brown ale", " pay first"]


async def logprobs(model: Path, adapter: Path | None) -> list[float]:
    engine = LlamaCppEngine(model, LoadOptions(threads=1))
    try:
        if adapter:
            await engine.load_adapter("one", adapter)
        scores = await engine.score("Ana: The flood took", TEXTS, adapter="one" if adapter else None)
    finally:
        await engine.close()
    return [score.logprob for score in scores]


def adapter_for(base: Path, folder: Path) -> Path:
    model, _ = load_base(base)
    adapted = with_lora(model, r=4, lora_alpha=8)
    adapted.save_pretrained(folder / "peft")
    return write_adapter(folder / "peft", folder / "one.gguf", {"dataset": "dataset-1"}, architecture=architecture_of(model.config))


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3"])
async def test_a_merged_file_says_what_base_and_adapter_said_apart(tmp_path: Path, family: str) -> None:
    base = write_family(tmp_path / "base.gguf", family)
    adapter = adapter_for(base, tmp_path)
    merged = merge(base, adapter, tmp_path / "out" / "merged.gguf")
    apart, together, bare = await logprobs(base, adapter), await logprobs(merged, None), await logprobs(base, None)
    assert together == pytest.approx(apart, abs=2e-2)
    assert max(abs(one - other) for one, other in zip(bare, apart, strict=True)) > 0.2, "the adapter does something"


async def test_a_quantized_base_stays_quantized(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base.gguf")
    merged = merge(base, adapter_for(base, tmp_path), tmp_path / "merged.gguf")
    assert merged.stat().st_size < base.stat().st_size * 1.02
    assert read_lineage(merged) == {"dataset": "dataset-1", "merged": "one"}
    apart, together = await logprobs(base, tmp_path / "one.gguf"), await logprobs(merged, None)
    assert together == pytest.approx(apart, abs=0.5)


def test_an_adapter_of_another_base_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    base = write_family(tmp_path / "base.gguf", "qwen2")
    adapter = adapter_for(base, tmp_path)
    other = write_tiny_model(tmp_path / "other.gguf")
    with pytest.raises(AdapterUnservable, match="name the base it was trained for"):
        merge(other, adapter, tmp_path / "merged.gguf")
    assert not (tmp_path / "merged.gguf").exists()


def test_a_full_disk_is_one_sentence_and_leaves_no_half_model(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base.gguf")
    adapter = write_random_adapter(tmp_path / "one.gguf")
    whole = len(merge(base, adapter, tmp_path / "out" / "merged.gguf").read_bytes())
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole - 100, size[1]))
    try:
        with pytest.raises(AdapterUnwritten, match="make room there"):
            merge(base, adapter, tmp_path / "out" / "again.gguf")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["merged.gguf"]
