"""A loaded base in four bits (NF4), as QLoRA trains on it.

transformers does not quantize what it reads from a GGUF, so its linear layers are exchanged here,
all but the one that writes the words.
"""

import importlib
from typing import Any

from learning.errors import RecipeInvalid


def in_four_bits(model: Any) -> Any:
    """Exchange the model's linear layers and move it to the card; the float weights are gone after.

    Raises:
        RecipeInvalid: bitsandbytes, which does the arithmetic, is not installed.
    """
    import torch

    try:
        bits: Any = importlib.import_module("bitsandbytes.nn")
    except ImportError as error:
        raise RecipeInvalid("quantize: 4bit needs bitsandbytes; install it, or set quantize: none.") from error
    last = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if not isinstance(layer, torch.nn.Linear) or layer is last:
            continue
        small = bits.Linear4bit(layer.in_features, layer.out_features, bias=layer.bias is not None,
                           compute_dtype=torch.bfloat16, quant_type="nf4", device="meta")  # fmt: skip
        small.weight = bits.Params4bit(layer.weight.data, requires_grad=False, quant_type="nf4", module=small)
        small.bias = layer.bias
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, small)
    model.is_loaded_in_4bit = True
    return model.to("cuda")
