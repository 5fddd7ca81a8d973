"""Writes the trained starter as one quantized GGUF."""

import dataclasses
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from learning.gguf.base import Description, LlamaShape, write_llama
from learning.starter.model import SHAPE
from learning.starter.tokens import TEMPLATE

# A small model reads a short prompt best: these budgets travel with the file and are the ones it
# was trained under (learning.starter.corpus).
_BUDGETS: dict[str, str | int] = {"understudy.system_budget": 260, "understudy.context_budget": 1100}


def export(model: Any, tokenizer: Tokenizer, path: Path, version: str = "0") -> None:
    """Write a model as Q8_0 GGUF, chat template and budgets inside."""
    state = {
        name: weights.detach().float().numpy()
        for name, weights in model.state_dict().items()
        if name != "lm_head.weight"
    }
    known = {field.name for field in dataclasses.fields(LlamaShape)}
    shape = LlamaShape(**{key: value for key, value in SHAPE.items() if key in known})
    description = Description(f"Understudy Starter v{version}", extra=_BUDGETS)
    write_llama(path, state, shape, tokenizer, TEMPLATE, description)
