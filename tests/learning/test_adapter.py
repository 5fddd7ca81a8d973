"""What PEFT trained is what llama.cpp serves, or the file is not written."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from learning.errors import AdapterUnservable, AdapterUnwritten
from learning.gguf.adapter import architecture_of, write_adapter
from learning.gguf.base_model import load_base
from learning.gguf.files import read_lineage
from tests.fakes.tiny_families import FAMILIES, make_config, make_model, write_family, write_shipped_llama
from tests.fakes.tiny_lora import with_lora

PROMPT = "<|user|>Ana: What does the brown ale cost?<|end|><|assistant|>"
ROOM = {"q_proj": 8, "down_proj": 2}
SERVED = {
    "plain": {"r": 4, "lora_alpha": 8},
    "ranks": {"r": 4, "lora_alpha": 8, "rank_pattern": ROOM},
    "rslora": {"r": 4, "lora_alpha": 4, "use_rslora": True},
    "rslora and ranks": {"r": 4, "lora_alpha": 4, "use_rslora": True, "rank_pattern": ROOM},
}
REFUSED = {
    "DoRA": {"use_dora": True},
    "modules_to_save": {"modules_to_save": ["lm_head"]},
    "modules_to_save, norms": {"modules_to_save": ["input_layernorm"]},
    "lora_bias": {"lora_bias": True},
    "bias=all": {"bias": "all"},
    "alpha_pattern": {"alpha_pattern": {"q_proj": 2}},
    "activated LoRA": {"alora_invocation_tokens": [2]},
    "trainable_token_indices": {"trainable_token_indices": [5]},
    "lm_head": {"target_modules": ["lm_head"]},
    "embed_tokens": {"target_modules": ["embed_tokens"]},
    "init_lora_weights=pissa": {"init_lora_weights": "pissa"},
    "lora_alpha": {"lora_alpha": 0},
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    with_lora(make_model("llama", 512), r=4).save_pretrained(tmp_path / "peft")
    return tmp_path / "peft"


def next_tokens(model: Any, ids: list[int]) -> np.ndarray:
    """(vocabulary,) log-probabilities of the token after `ids`, nats."""
    import torch

    with torch.no_grad():
        return np.asarray(model(input_ids=torch.tensor([ids])).logits[0, -1].log_softmax(-1).numpy())


def one_sentence(error: BaseException) -> bool:
    text = str(error)
    return text.endswith(".") and ". " not in text and "\n" not in text and len(text) < 250


@pytest.mark.parametrize(
    ("family", "options"),
    [("llama", option) for option in SERVED] + [(f, o) for f in FAMILIES[1:] for o in ("plain", "rslora and ranks")],
)
async def test_llama_cpp_says_with_the_adapter_what_peft_says(
    family: str, options: str, tmp_path: Path
) -> None:
    path = tmp_path / "base.gguf"
    base = write_shipped_llama(path) if family == "llama" else write_family(path, family)
    model, tokenizer = load_base(base)
    ids = tokenizer(PROMPT)["input_ids"]
    without = next_tokens(model, ids)
    adapted = with_lora(model, **SERVED[options])
    adapted.save_pretrained(tmp_path / "peft")
    out = write_adapter(tmp_path / "peft", tmp_path / "mira.gguf", {}, architecture=architecture_of(model.config))

    words = [token for token in range(len(tokenizer)) if tokenizer(tokenizer.decode([token]))["input_ids"] == [token]]
    engine = LlamaCppEngine(base, LoadOptions(threads=1))
    try:
        await engine.load_adapter("mira", out)
        texts = [tokenizer.decode([token]) for token in words]
        scores = await engine.score(PROMPT, texts, adapter="mira")
    finally:
        await engine.close()
    served = np.array([score.logprob for score in scores])
    expected = next_tokens(adapted, ids)[words]
    difference, effect = np.abs(served - expected).max(), np.abs(expected - without[words])
    assert len(words) > 200
    assert difference < 5e-3
    assert effect.mean() > 20 * difference


async def test_half_precision_is_served_too(tmp_path: Path) -> None:
    base = write_shipped_llama(tmp_path / "base.gguf")
    model, tokenizer = load_base(base)
    adapted = with_lora(model, r=4)
    adapted.save_pretrained(tmp_path / "peft")
    whole, half = [
        write_adapter(tmp_path / "peft", tmp_path / name, {}, architecture=architecture_of(model.config), half=half)
        for name, half in (("whole.gguf", False), ("half.gguf", True))
    ]
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    engine = LlamaCppEngine(base, LoadOptions(threads=1))
    try:
        await engine.load_adapter("half", half)
        score = (await engine.score(PROMPT, [" the"], adapter="half"))[0]
    finally:
        await engine.close()
    token = tokenizer(" the")["input_ids"]
    assert score.tokens == len(token) == 1
    assert score.logprob == pytest.approx(next_tokens(adapted, tokenizer(PROMPT)["input_ids"])[token[0]], abs=5e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_llama_cpp_cannot_serve_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    model = make_model("llama", 512)
    with_lora(model, **{"r": 4, **REFUSED[name]}).save_pretrained(tmp_path / "peft")
    with pytest.raises(AdapterUnservable, match=name.partition(",")[0]) as refusal:
        write_adapter(tmp_path / "peft", tmp_path / "out.gguf", {}, architecture=architecture_of(model.config))
    assert one_sentence(refusal.value)
    assert not list(tmp_path.glob("out*"))


def test_an_adapter_that_training_broke_is_refused(saved: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(saved / "adapter_model.safetensors")
    next(iter(state.values()))[0, 0] = float("nan")
    save_file(state, saved / "adapter_model.safetensors")
    with pytest.raises(AdapterUnservable, match="not finite") as refusal:
        write_adapter(saved, tmp_path / "out.gguf", {}, architecture=architecture_of(make_config("llama", 512)))
    assert one_sentence(refusal.value)


def test_an_adapter_of_a_deeper_model_is_refused(saved: Path, tmp_path: Path) -> None:
    config = make_config("llama", 512)
    config.num_hidden_layers = 1
    with pytest.raises(AdapterUnservable, match=r"layers\.1") as refusal:
        write_adapter(saved, tmp_path / "out.gguf", {}, architecture=architecture_of(config))
    assert one_sentence(refusal.value)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_folder_without_a_whole_adapter_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    for break_it in (lambda path: path.write_bytes(path.read_bytes()[:40]), Path.unlink):
        break_it(saved / name)
        with pytest.raises(AdapterUnservable, match="no whole PEFT adapter") as refusal:
            write_adapter(saved, tmp_path / "out.gguf", {}, architecture=architecture_of(make_config("llama", 512)))
        assert one_sentence(refusal.value)


def test_a_model_type_without_adapters_is_refused_in_one_sentence() -> None:
    from transformers import GPT2Config

    with pytest.raises(AdapterUnservable, match="gpt2") as refusal:
        architecture_of(GPT2Config())
    assert one_sentence(refusal.value)


def test_where_an_adapter_came_from_can_be_read_back(saved: Path, tmp_path: Path) -> None:
    lineage: dict[str, str | int] = {"base": "sha256-ab", "npc": "Mira – “die Wirtin” é", "rows": 3_000_000_000, "seed": -1, "note": ""}
    out = write_adapter(saved, tmp_path / "deep" / "mira.gguf", lineage, architecture=architecture_of(make_config("llama", 512)))
    assert read_lineage(out) == lineage


def test_a_file_that_is_no_adapter_has_no_lineage_but_a_sentence(saved: Path, tmp_path: Path) -> None:
    whole = write_adapter(saved, tmp_path / "a.gguf", {"base": "b"}, architecture=architecture_of(make_config("llama", 512)))
    cut, other = tmp_path / "cut.gguf", tmp_path / "other.gguf"
    cut.write_bytes(whole.read_bytes()[:-1000])
    other.write_text("no adapter")
    for path in (cut, other, tmp_path / "missing.gguf"):
        with pytest.raises(AdapterUnservable, match=path.name) as refusal:
            read_lineage(path)
        assert one_sentence(refusal.value)


@pytest.mark.parametrize("room", [0.0, 0.5, 0.999])
def test_a_file_half_written_is_never_seen_and_the_old_one_stays(room: float, saved: Path, tmp_path: Path) -> None:
    architecture = architecture_of(make_config("llama", 512))
    out = write_adapter(saved, tmp_path / "out" / "mira.gguf", {"run": 1}, architecture=architecture)
    before, size = out.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(len(before) * room), size[1]))
    try:
        with pytest.raises(AdapterUnwritten) as refusal:
            write_adapter(saved, out, {"run": 2}, architecture=architecture)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    assert one_sentence(refusal.value)
    assert list(out.parent.iterdir()) == [out]
    assert out.read_bytes() == before
    assert read_lineage(write_adapter(saved, out, {"run": 3}, architecture=architecture)) == {"run": 3}
