"""Adapters that were never trained and still say something."""

import contextlib
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.fakes.tiny_model import SHAPE


def with_lora(model: Any, **options: Any) -> Any:
    """A PEFT model whose adapter says something: B starts at zero, so it is drawn here."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    adapted = get_peft_model(model, LoraConfig(**{"target_modules": "all-linear", "task_type": "CAUSAL_LM", **options}))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.1)
    return adapted


def write_random_adapter(path: Path, seed: int = 1, dataset: str = "") -> Path:
    """An adapter for the tiny model, drawn and written without any training; `dataset` is the one it says it comes from."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 8.0)
    if dataset:
        writer.add_string("understudy.dataset", dataset)
    for layer in range(SHAPE.num_hidden_layers):
        for letter in ("a", "b"):
            shape = (4, SHAPE.hidden_size) if letter == "a" else (SHAPE.hidden_size, 4)
            writer.add_tensor(f"blk.{layer}.attn_v.weight.lora_{letter}", rng.normal(0, 0.5, shape).astype(np.float32))
    with contextlib.closing(writer):
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    return path
