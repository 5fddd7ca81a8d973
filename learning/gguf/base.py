"""Writes a Llama-type model and its tokenizer as one GGUF.

llama.cpp's own converter refuses tokenizers whose pre-tokenizer it does not know by hash; ours is
plain GPT-2, so the few keys are written here and the converter is not needed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from characters.chat_template import ChatTemplate
from learning.gguf.files import Dimensions, add_dimensions, whole_file

_BLOCK = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
_WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


@dataclass(frozen=True)
class LlamaShape:
    """The numbers llama.cpp needs; names follow the Hugging Face configuration."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    max_position_embeddings: int
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5


@dataclass(frozen=True)
class Description:
    """What the file says about itself."""

    name: str
    licence: str = "apache-2.0"
    extra: Mapping[str, str | int] = field(default_factory=dict)


def tensor_name(name: str) -> str:
    """Translate a Hugging Face weight's name to GGUF's.

    Raises:
        KeyError: the weight belongs to no Llama.
    """
    stem, _, ending = name.rpartition(".")
    if stem in _WHOLE:
        return f"{_WHOLE[stem]}.{ending}"
    _, _, layer, inner = stem.split(".", 3)
    return f"blk.{layer}.{_BLOCK[inner]}.{ending}"


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """Reorder q and k rows from half-rotary to the interleaved order llama.cpp rotates in.

    Args:
        weights: (heads × head size, anything) rows of one projection.
    """
    rows = weights.shape[0]
    halves = weights.reshape(heads, 2, rows // heads // 2, *weights.shape[1:])
    return halves.swapaxes(1, 2).reshape(weights.shape)


def _tensors(state: Mapping[str, np.ndarray], shape: LlamaShape) -> Iterator[tuple[str, np.ndarray]]:
    for name, weights in state.items():
        array = weights
        if "q_proj" in name:
            array = permute(weights, shape.num_attention_heads)
        elif "k_proj" in name:
            array = permute(weights, shape.num_key_value_heads)
        yield tensor_name(name), np.ascontiguousarray(array, dtype=np.float32)


def _write_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer, template: ChatTemplate) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    control = set(template.special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([text for text, _ in vocabulary])
    writer.add_token_types([
        gguf.TokenType.CONTROL if text in control else gguf.TokenType.NORMAL for text, _ in vocabulary
    ])  # fmt: skip
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokenizer.token_to_id(template.eos))
    writer.add_pad_token_id(tokenizer.token_to_id("<|pad|>"))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(template.source)


def write_llama(  # noqa: PLR0913  (a file is made of this many parts)
    path: Path,
    state: Mapping[str, np.ndarray],
    shape: LlamaShape,
    tokenizer: Tokenizer,
    template: ChatTemplate,
    description: Description,
    *,
    quantize: bool = True,
) -> None:
    """Write a whole model file; it appears under its name only when complete.

    Args:
        state: weights by Hugging Face names; a tied `lm_head` must be left out.
        quantize: matrices as Q8_0 (rows must be multiples of 32), else F16.
    """
    with whole_file(path, "llama") as writer:
        _describe(writer, shape, description)
        writer.add_vocab_size(tokenizer.get_vocab_size())
        kind = gguf.GGMLQuantizationType.Q8_0 if quantize else gguf.GGMLQuantizationType.F16
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantize else gguf.LlamaFileType.MOSTLY_F16)
        _write_tokenizer(writer, tokenizer, template)
        for name, array in _tensors(state, shape):
            if array.ndim == 1:
                writer.add_tensor(name, array)
            else:
                writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)


def _describe(writer: gguf.GGUFWriter, shape: LlamaShape, description: Description) -> None:
    writer.add_name(description.name)
    writer.add_license(description.licence)
    for key, value in description.extra.items():
        (writer.add_uint32 if isinstance(value, int) else writer.add_string)(key, value)
    add_dimensions(writer, Dimensions(
        shape.max_position_embeddings, shape.hidden_size, shape.num_hidden_layers, shape.intermediate_size,
        shape.num_attention_heads, shape.num_key_value_heads, shape.rms_norm_eps, shape.rope_theta,
    ))  # fmt: skip
    writer.add_rope_dimension_count(shape.hidden_size // shape.num_attention_heads)
