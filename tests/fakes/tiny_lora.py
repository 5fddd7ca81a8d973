"""Adapters that were never trained and still say something."""

from typing import Any


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
