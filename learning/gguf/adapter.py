"""Turns a PEFT adapter into the file llama.cpp attaches.

llama.cpp scales every product B·A by alpha / rank, with one alpha for the file and the rank of each
tensor. What PEFT can do beyond that is folded into B where it is exact (rank-stabilised LoRA over
several ranks) and refused where it is not: a converted file that answers otherwise than it was
trained is worse than none.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from learning.errors import AdapterUnservable
from learning.gguf.base import permute
from learning.gguf.files import add_lineage, whole_file

_SERVED = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}
_HARMLESS_STARTS = {True, False, "gaussian", "eva", "orthogonal"}  # the others change the base's weights
_REFUSED = {
    "use_dora": "DoRA", "modules_to_save": "modules_to_save", "lora_bias": "lora_bias",
    "alpha_pattern": "alpha_pattern", "alora_invocation_tokens": "activated LoRA",
    "trainable_token_indices": "trainable_token_indices", "target_parameters": "target_parameters",
    "layer_replication": "layer_replication", "use_qalora": "QALoRA", "use_bdlora": "BD-LoRA",
    "kasa_config": "KaSA", "monteclora_config": "MonteCLoRA", "arrow_config": "Arrow", "velora_config": "VeLoRA",
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    """What the writer must know of a base model.

    Attributes:
        name: llama.cpp's name of the architecture; it must equal the base file's.
        heads: attention heads of a layer.
        kv_heads: key and value heads of a layer.
        blocks: number of layers.
        permute: whether this architecture's files keep q and k rows in interleaved order.
    """

    name: str
    heads: int
    kv_heads: int
    blocks: int
    permute: bool


# transformers' model type → llama.cpp's architecture, and whether q and k are permuted in its files.
_KNOWN = {
    "llama": ("llama", True), "mistral": ("llama", True), "qwen2": ("qwen2", False),
    "qwen3": ("qwen3", False), "gemma3_text": ("gemma3", False),
}  # fmt: skip
TRAINABLE = frozenset(name for name, _ in _KNOWN.values())


def architecture_of(config: Any) -> Architecture:
    """Read the architecture from a transformers configuration.

    Raises:
        AdapterUnservable: no adapter can be written for this type of model.
    """
    if config.model_type not in _KNOWN:
        known = ", ".join(sorted(TRAINABLE))
        raise AdapterUnservable(
            f"Adapters for models of type {config.model_type} are not supported; choose a base model of type {known}."
        )
    name, permuted = _KNOWN[config.model_type]
    return Architecture(
        name, config.num_attention_heads, config.num_key_value_heads, config.num_hidden_layers, permuted
    )


@dataclass(frozen=True)
class _Pair:
    """One adapted matrix: `lora_a` (rank × in) and `lora_b` (out × rank), scaled for the file's alpha."""

    name: str
    lora_a: np.ndarray
    lora_b: np.ndarray


def write_adapter(
    peft_folder: Path,
    out: Path,
    lineage: Mapping[str, str | int],
    *,
    architecture: Architecture,
    half: bool = False,
) -> Path:
    """Write a PEFT adapter as one GGUF; it appears under its name only when complete.

    Args:
        peft_folder: holds PEFT's adapter_config.json and adapter_model.safetensors.
        lineage: what the adapter was made from; kept in the file as `understudy.<name>`.
        architecture: the base model's.
        half: tensors as F16 instead of F32; half the size, rounded to eleven bits.

    Returns:
        `out`.

    Raises:
        AdapterUnservable: llama.cpp would not serve it, or not as it was trained.
        AdapterUnwritten: the disk is full or fails.
    """
    config, state = _read(peft_folder)
    _check(config)
    alpha = float(config["lora_alpha"])
    if config.get("use_rslora"):
        alpha *= math.sqrt(config["r"])
    pairs = [_fitted(pair, config, architecture) for pair in _pairs(state, architecture)]
    kind = np.float16 if half else np.float32
    tensors = {f"{p.name}.weight.lora_{letter}": np.ascontiguousarray(array, dtype=kind)
               for p in pairs for letter, array in (("a", p.lora_a), ("b", p.lora_b))}  # fmt: skip
    with whole_file(out, architecture.name) as writer:
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        add_lineage(writer, lineage)
        for name, array in tensors.items():
            writer.add_tensor(name, array)
    return out


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise AdapterUnservable(f"{folder} holds no whole PEFT adapter; run the training again.") from error
    return config, {name: tensor.float().numpy() for name, tensor in tensors.items()}


def _check(config: Mapping[str, Any]) -> None:
    """Refuse what the configuration says llama.cpp cannot serve."""
    found = [name for option, name in _REFUSED.items() if config.get(option)]
    if config.get("peft_type") != "LORA":
        found.append(f"PEFT type {config.get('peft_type')}")
    if config.get("bias", "none") != "none":
        found.append(f"bias={config['bias']}")
    if config.get("init_lora_weights", True) not in _HARMLESS_STARTS:
        found.append(f"init_lora_weights={config['init_lora_weights']}")
    if config.get("lora_alpha", 0) <= 0:
        found.append("a lora_alpha that is not positive")
    if found:
        raise AdapterUnservable(f"llama.cpp cannot serve {' and '.join(found)}; train the adapter without it.")


def _pairs(state: Mapping[str, np.ndarray], architecture: Architecture) -> Iterator[_Pair]:
    """The adapted matrices by llama.cpp's names; every tensor of the file must belong to one."""
    kind = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}[architecture.name]
    names = gguf.get_tensor_name_map(kind, architecture.blocks)
    modules = {name.removesuffix(".lora_A.weight").removesuffix(".lora_B.weight") for name in state}
    if not modules:
        raise AdapterUnservable("The adapter holds no LoRA weights; run the training again.")
    for module in sorted(modules):
        lora_a, lora_b = state.get(f"{module}.lora_A.weight"), state.get(f"{module}.lora_B.weight")
        inner = module.removeprefix("base_model.model.")
        name = names.get_name(inner)
        if lora_a is None or lora_b is None or name is None or name.rpartition(".")[2] not in _SERVED:
            raise AdapterUnservable(
                f"llama.cpp cannot serve an adapter on {inner} of this {architecture.name} model; "
                "train the attention and feed-forward projections alone."
            )
        if not (np.isfinite(lora_a).all() and np.isfinite(lora_b).all()):
            raise AdapterUnservable(
                f"The adapter holds numbers that are not finite ({inner}); train it again at a lower learning rate."
            )
        yield _Pair(name, lora_a, lora_b)


def _fitted(pair: _Pair, config: Mapping[str, Any], architecture: Architecture) -> _Pair:
    """Bring B into llama.cpp's scale and row order."""
    rank, lora_b = pair.lora_a.shape[0], pair.lora_b
    if config.get("use_rslora"):
        # The file's alpha is α·√r for the common rank; a tensor of another rank R needs α·√R.
        lora_b = lora_b * math.sqrt(rank / config["r"])
    heads = {"attn_q": architecture.heads, "attn_k": architecture.kv_heads}.get(pair.name.rpartition(".")[2])
    if heads and architecture.permute:
        if lora_b.shape[0] % (2 * heads):
            raise AdapterUnservable(
                f"The adapter's {pair.name} has {lora_b.shape[0]} rows, which {heads} heads do not divide; "
                "convert it with the configuration of the base model it was trained on."
            )
        lora_b = permute(lora_b, heads)
    return _Pair(pair.name, pair.lora_a, lora_b)
