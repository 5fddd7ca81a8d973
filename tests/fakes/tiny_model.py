"""Tiny models, made here: the real file format and the real runtime, without anything learnt."""

from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from characters.library import Library
from learning.gguf.base import Description, LlamaShape, write_llama
from learning.starter.tokens import SPECIALS, TEMPLATE, train_tokenizer

SHAPE = LlamaShape(
    hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, max_position_embeddings=2048,
)  # fmt: skip
_TEXTS = [
    "You are Mira Dunmore, innkeeper of the Lantern Rest. Speak only as Mira.",
    "Ana: What does the brown ale cost? [You know: brown ale: 4 copper.] Four copper, and pay first.",
    "The flood took the lower bridge last spring, and the temple bells wake me too early.",
]


def tiny_tokenizer(size: int = 512) -> Tokenizer:
    return train_tokenizer(_TEXTS, size)


def random_weights(shape: LlamaShape, vocabulary: int, seed: int = 0, spread: float = 0.5) -> dict[str, np.ndarray]:
    """Weights by Hugging Face names; the spread keeps a random model's next token undecided."""
    rng = np.random.default_rng(seed)
    width, inner = shape.hidden_size, shape.intermediate_size
    embedding = rng.normal(0, spread, (vocabulary, width))
    embedding[: len(SPECIALS)] *= 0.01  # the control tokens come last in every choice, or it would never speak
    state = {"model.embed_tokens.weight": embedding, "model.norm.weight": np.ones(width)}
    for layer in range(shape.num_hidden_layers):
        at = f"model.layers.{layer}."
        for name in ("q", "k", "v", "o"):
            state[f"{at}self_attn.{name}_proj.weight"] = rng.normal(0, width**-0.5, (width, width))
        for name, rows, columns in (("gate", inner, width), ("up", inner, width), ("down", width, inner)):
            state[f"{at}mlp.{name}_proj.weight"] = rng.normal(0, columns**-0.5, (rows, columns))
        for name in ("input_layernorm", "post_attention_layernorm"):
            state[f"{at}{name}.weight"] = np.ones(width)
    return {name: array.astype(np.float32) for name, array in state.items()}


MILLIONS = LlamaShape(
    hidden_size=192, intermediate_size=512, num_hidden_layers=4, num_attention_heads=6,
    num_key_value_heads=6, max_position_embeddings=2048,
)  # fmt: skip


def write_small_model(path: Path, seed: int = 0) -> Path:
    """A random model of two million parameters, whose tokenizer knows the words of the shipped sheets."""
    library = Library(None)
    tokenizer = train_tokenizer([library.path(slug).read_text("utf-8") for slug in library.slugs()], 2048)
    state = random_weights(MILLIONS, tokenizer.get_vocab_size(), seed, 0.1)
    assert 1.9e6 < sum(array.size for array in state.values()) < 2.4e6
    write_llama(path, state, MILLIONS, tokenizer, TEMPLATE, Description("small"))
    return path


def write_tiny_model(path: Path, seed: int = 0) -> Path:
    tokenizer = tiny_tokenizer()
    state = random_weights(SHAPE, tokenizer.get_vocab_size(), seed)
    write_llama(path, state, SHAPE, tokenizer, TEMPLATE, Description("tiny"))
    return path


def write_tiny_adapter(path: Path, seed: int = 0) -> Path:
    """A random adapter of the tiny model, strong enough to be heard."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 4.0)
    for layer in range(SHAPE.num_hidden_layers):
        name = f"blk.{layer}.ffn_down.weight.lora_"
        writer.add_tensor(f"{name}a", rng.normal(0, 0.2, (4, SHAPE.intermediate_size)).astype(np.float32))
        writer.add_tensor(f"{name}b", rng.normal(0, 0.5, (SHAPE.hidden_size, 4)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
