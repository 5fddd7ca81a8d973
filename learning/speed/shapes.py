"""Writes models of real shapes with random weights: what they compute is real, what they say is not.

A benchmark needs no trained model, and nobody should have to download gigabytes to run one. The quantized bytes are
drawn as they are, with scales that keep activations sane; the tokenizer is the starter's, its vocabulary filled up
with invented words to the shape's own size, because the output layer is a good part of a small model's work.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from characters.inference.starter import STARTER
from learning.gguf.files import Dimensions, add_dimensions, whole_file

Kind = Literal["q8_0", "q4_k_m", "f16"]
_Q = gguf.GGMLQuantizationType


@dataclass(frozen=True)
class Shape:
    """The numbers of an architecture; `window` is Gemma's sliding attention."""

    architecture: str
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    rope: float
    context: int = 8192
    window: int = 0


SHAPES = {
    "llama-3.2-1b": Shape("llama", 16, 2048, 8192, 32, 8, 64, 128_256, 500_000.0),
    "gemma-3-1b": Shape("gemma3", 26, 1152, 6912, 4, 1, 256, 262_144, 1_000_000.0, window=512),
    "qwen3-0.6b": Shape("qwen3", 28, 1024, 3072, 16, 8, 128, 151_936, 1_000_000.0),
    "tiny": Shape("llama", 2, 256, 512, 4, 2, 64, 4_608, 10_000.0),
}


def write_random_model(path: Path, shape: Shape, kind: Kind = "q8_0", seed: int = 0) -> Path:
    """Write a model of a shape; it appears under its name only when complete."""
    rng = np.random.default_rng(seed)
    with whole_file(path, shape.architecture) as writer:
        _describe(writer, shape, path.stem)
        control = _copy_tokenizer(writer, shape.vocabulary)
        for name, rows, columns in _matrices(shape):
            form = _form(name, columns, kind)
            data = _drawn(rng, rows, columns, form)
            if name == "token_embd.weight":  # control tokens come last in every choice, or it would never speak
                data[control] = 0
            writer.add_tensor(name, data, raw_dtype=form)
        for name, size in _norms(shape):
            writer.add_tensor(name, np.ones(size, dtype=np.float32))
    return path


def _describe(writer: Any, shape: Shape, name: str) -> None:
    writer.add_name(name)
    add_dimensions(writer, Dimensions(
        shape.context, shape.width, shape.layers, shape.inner, shape.heads, shape.kv_heads, 1e-6, shape.rope,
    ))  # fmt: skip
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_vocab_size(shape.vocabulary)
    if shape.architecture == "llama":
        writer.add_rope_dimension_count(shape.head)
    if shape.window:
        writer.add_sliding_window(shape.window)


def _copy_tokenizer(writer: Any, size: int) -> list[int]:
    """The starter's tokenizer, filled up with invented words; returns the ids of control tokens."""
    fields = gguf.GGUFReader(STARTER).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    spare = size - len(tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*tokens, *(f"Ġz{number:x}" for number in range(spare))])
    writer.add_token_types([*kinds, *[int(gguf.TokenType.NORMAL)] * spare])
    writer.add_token_merges(fields["tokenizer.ggml.merges"].contents())
    writer.add_eos_token_id(fields["tokenizer.ggml.eos_token_id"].contents())
    writer.add_pad_token_id(fields["tokenizer.ggml.padding_token_id"].contents())
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(fields["tokenizer.chat_template"].contents())
    return [number for number, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL]


def _matrices(shape: Shape) -> list[tuple[str, int, int]]:
    """Name, rows and columns of every matrix; the output layer is tied to the embedding."""
    query, pair = shape.heads * shape.head, shape.kv_heads * shape.head
    found = [("token_embd.weight", shape.vocabulary, shape.width)]
    for layer in range(shape.layers):
        found += [
            (f"blk.{layer}.{name}.weight", rows, columns) for name, rows, columns in (
                ("attn_q", query, shape.width), ("attn_k", pair, shape.width), ("attn_v", pair, shape.width),
                ("attn_output", shape.width, query), ("ffn_gate", shape.inner, shape.width),
                ("ffn_up", shape.inner, shape.width), ("ffn_down", shape.width, shape.inner),
            )
        ]  # fmt: skip
    return found


def _norms(shape: Shape) -> list[tuple[str, int]]:
    names = [("attn_norm", shape.width), ("ffn_norm", shape.width)]
    if shape.architecture in {"gemma3", "qwen3"}:
        names += [("attn_q_norm", shape.head), ("attn_k_norm", shape.head)]
    if shape.architecture == "gemma3":
        names += [("post_attention_norm", shape.width), ("post_ffw_norm", shape.width)]
    blocks = [(f"blk.{layer}.{name}.weight", size) for layer in range(shape.layers) for name, size in names]
    return [("output_norm.weight", shape.width), *blocks]


def _form(name: str, columns: int, kind: Kind) -> Any:
    """How a matrix is quantized: for Q4_K_M as llama.cpp mixes it; rows of no multiple of 256 stay Q8_0."""
    if kind == "f16":
        return _Q.F16
    if kind == "q8_0" or columns % 256:
        return _Q.Q8_0
    layer = int(name.split(".")[1]) if name.startswith("blk.") else 0
    finer = "token_embd" in name or (layer % 2 == 0 and ("attn_v" in name or "ffn_down" in name))
    return _Q.Q6_K if finer else _Q.Q4_K


def _drawn(rng: np.random.Generator, rows: int, columns: int, form: Any) -> np.ndarray:
    """A matrix with weights of variance 1 / columns, as its file holds it."""
    deviation = columns**-0.5
    if form == _Q.F16:
        drawn: np.ndarray = (rng.standard_normal((rows, columns), dtype=np.float32) * deviation).astype(np.float16)
        return drawn
    size, bytes_each = gguf.GGML_QUANT_SIZES[form]
    blocks = rng.integers(0, 256, (rows * columns // size, bytes_each), dtype=np.uint8)
    if form == _Q.Q8_0:  # scale, 32 × int8 (deviation 73.9)
        blocks[:, :2] = _half(deviation / 73.9)
    elif form == _Q.Q4_K:  # scale and minimum, 8 × 6 bits of each, 256 × 4 bits: d·s·q − m·t, mean 0 for m = 7.5 d
        blocks[:, :2], blocks[:, 2:4] = _half(deviation / 258), _half(7.5 * deviation / 258)
    else:  # Q6_K: 256 × 6 bits around 32, 16 × int8, scale
        blocks[:, -2:] = _half(deviation / 1365)
    return blocks.reshape(rows, -1)


def _half(value: float) -> np.ndarray:
    return np.array([value], dtype=np.float16).view(np.uint8)
