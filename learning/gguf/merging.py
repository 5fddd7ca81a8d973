"""Folds an adapter into its base: one quantized file for game engines that know no adapters.

Works on the files' tensors, so any family that llama.cpp serves will do. Where the base's kind of
quantization cannot be written here (K-quants), a changed matrix becomes Q8_0; what the adapter does
not touch is copied byte for byte. Where the adapter came from goes with it.
"""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import quants

from learning.errors import AdapterUnservable
from learning.gguf.files import add_lineage, read_lineage, whole_file

_PLAIN = {gguf.GGMLQuantizationType.F32: np.float32, gguf.GGMLQuantizationType.F16: np.float16}
_FALLBACK = gguf.GGMLQuantizationType.Q8_0


def merge(base: Path, adapter: Path, out: Path) -> Path:
    """Write base + adapter as one GGUF; it appears under its name only when complete.

    Args:
        base: the model file the adapter was trained for.
        adapter: an adapter as `learning.gguf.adapter.write_adapter` writes it.

    Raises:
        AdapterUnservable: the two do not belong together.
        AdapterUnwritten: the disk is full or fails.
    """
    model, changes = gguf.GGUFReader(base), gguf.GGUFReader(adapter)
    deltas = _deltas(changes)
    shapes = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in model.tensors}
    if foreign := sorted(name for name, delta in deltas.items() if shapes.get(name) != delta.shape):
        raise AdapterUnservable(
            f"{adapter.name} changes {foreign[0]}, which {base.name} does not have in that shape; "
            "name the base it was trained for."
        )
    architecture = model.get_field("general.architecture").contents()
    with whole_file(out, architecture) as writer:
        for field in model.fields.values():
            if field.name == "general.architecture" or field.name.startswith("GGUF."):
                continue
            kind = field.types[0]
            inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
        add_lineage(writer, {**read_lineage(adapter), "merged": adapter.stem})
        for tensor in model.tensors:
            data, kind = _merged(tensor, deltas.get(tensor.name))
            writer.add_tensor(tensor.name, data, raw_dtype=kind)
    return out


def _deltas(adapter: Any) -> dict[str, np.ndarray]:
    """What each matrix gains: alpha / rank · B·A, shaped (out, in)."""
    alpha = float(adapter.get_field("adapter.lora.alpha").contents())
    found: dict[str, dict[str, np.ndarray]] = {}
    for tensor in adapter.tensors:
        name, _, letter = tensor.name.rpartition(".lora_")
        found.setdefault(name, {})[letter] = np.asarray(tensor.data, dtype=np.float32)
    return {name: alpha / pair["a"].shape[0] * (pair["b"] @ pair["a"]) for name, pair in found.items()}


def _merged(tensor: Any, delta: np.ndarray | None) -> tuple[np.ndarray, Any]:
    """A tensor's data as it is stored, and its type."""
    kind = tensor.tensor_type
    if delta is None:
        return np.asarray(tensor.data), kind
    weights = quants.dequantize(tensor.data, kind).astype(np.float32) + delta
    if kind in _PLAIN:
        return weights.astype(_PLAIN[kind]), kind
    try:
        return quants.quantize(weights, kind), kind
    except NotImplementedError:
        return quants.quantize(weights, _FALLBACK), _FALLBACK
