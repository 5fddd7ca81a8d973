"""Tiny random models of the families we train, as F16 files: llama.cpp's own key and tensor names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from tokenizers import Tokenizer

from learning.gguf.base import Description, LlamaShape, permute, write_llama
from learning.starter.tokens import TEMPLATE
from tests.fakes.tiny_model import tiny_tokenizer

FAMILIES = ("llama", "qwen2", "qwen3", "gemma3")
_COMMON: dict[str, Any] = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "tie_word_embeddings": True,
}  # fmt: skip
# transformers' loader takes these families' head size from its own defaults
_HEAD = {"llama": 16, "qwen2": 16, "qwen3": 128, "gemma3": 256}
_THETA = {"llama": 50_000.0, "qwen2": 50_000.0, "qwen3": 50_000.0, "gemma3": 1_000_000.0}


def make_config(family: str, vocabulary: int) -> Any:
    from transformers import Gemma3TextConfig, LlamaConfig, Qwen2Config, Qwen3Config

    rope = {"rope_type": "default", "rope_theta": _THETA[family]}
    common = {**_COMMON, "vocab_size": vocabulary, "bos_token_id": None, "eos_token_id": 3, "pad_token_id": 4}
    if family == "gemma3":
        return Gemma3TextConfig(**common, head_dim=256, sliding_window=32)
    if family == "qwen2":
        return Qwen2Config(**common, rope_parameters=rope)
    kind = {"llama": LlamaConfig, "qwen3": Qwen3Config}[family]
    return kind(**common, rope_parameters=rope, head_dim=_HEAD[family])


def make_model(family: str, vocabulary: int, seed: int = 0) -> Any:
    """A model whose next token is undecided, and whose norms and biases are no identity."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(make_config(family, vocabulary), dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed" in name:
                weight.normal_(0, 0.03 if family == "gemma3" else 0.06)
            elif weight.ndim == 2:
                weight.normal_(0, weight.shape[1] ** -0.5)
            else:
                weight.normal_(0 if name.endswith("bias") or family == "gemma3" else 1, 0.1)
    return model


def write_family(
    path: Path, family: str, *, pre: str = "gpt-2", seed: int = 0, tokenizer: Tokenizer | None = None,
    rotary_factors: np.ndarray | None = None, keys: Mapping[str, int | bool] | None = None, without: str = "",
) -> Path:  # fmt: skip
    """Write a random model.

    Args:
        pre: the pre-tokenizer the file names.
        rotary_factors: (head size / 2) divisors of the rotary frequencies.
        keys: metadata instead of, or besides, what is written by itself.
        without: the name of a tensor to leave out.
    """
    tokenizer = tokenizer or tiny_tokenizer()
    model = make_model(family, tokenizer.get_vocab_size(), seed)
    config = model.config
    writer = gguf.GGUFWriter(str(path), family)
    writer.add_name(f"tiny {family}")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(_THETA[family])
    writer.add_rope_dimension_count(_HEAD[family])
    writer.add_key_length(_HEAD[family])
    writer.add_value_length(_HEAD[family])
    if family == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    _add_tokenizer(writer, tokenizer, pre, keys or {})
    if rotary_factors is not None:
        writer.add_tensor("rope_freqs.weight", rotary_factors.astype(np.float32))
    for name, array in _tensors(model, family):
        if name != without:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_shipped_llama(path: Path, seed: int = 0) -> Path:
    """The same Llama through the writer that made the starter."""
    tokenizer = tiny_tokenizer()
    model = make_model("llama", tokenizer.get_vocab_size(), seed)
    state = {k: v.numpy() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
             "max_position_embeddings", "rms_norm_eps")  # fmt: skip
    shape = LlamaShape(**{name: _COMMON[name] for name in names}, rope_theta=_THETA["llama"])
    write_llama(path, state, shape, tokenizer, TEMPLATE, Description("tiny llama"), quantize=False)
    return path


def _tensors(model: Any, family: str) -> list[tuple[str, np.ndarray]]:
    kind = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}[family]
    names, config, found = gguf.get_tensor_name_map(kind, model.config.num_hidden_layers), model.config, []
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        array = weight.numpy()
        stem, _, ending = name.rpartition(".")
        if family == "llama" and stem.endswith(("q_proj", "k_proj")):
            array = permute(array, config.num_attention_heads if stem.endswith("q_proj") else config.num_key_value_heads)
        if family == "gemma3" and stem.endswith("norm"):
            array = array + 1
        kept = np.ascontiguousarray(array, dtype=np.float16 if array.ndim == 2 else np.float32)
        found.append((f"{names.get_name(stem)}.{ending}", kept))
    return found


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer, pre: str, keys: Mapping[str, int | bool]) -> None:
    import json

    vocabulary = [text for text, _ in sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])]
    control = set(TEMPLATE.special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary)
    writer.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t in vocabulary])
    writer.add_token_merges([" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]])
    writer.add_chat_template(TEMPLATE.source)
    kept = {"eos_token_id": 3, "padding_token_id": 4, "add_bos_token": False, **keys}
    for key, value in kept.items():
        if value is not None:
            (writer.add_bool if isinstance(value, bool) else writer.add_uint32)(f"tokenizer.ggml.{key}", value)
