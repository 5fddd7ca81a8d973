"""What `dpo` and `kto` share: where they start from, and whose lines the trained model prefers."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from characters.inference.llama_cpp_engine import file_id
from learning.errors import LearningError
from learning.recipes.config import TrainingConfig
from learning.recipes.training import Row, fresh_lora, load_model


@dataclass(frozen=True)
class Start:
    """Where a preference training begins.

    Attributes:
        base: the GGUF that will serve the adapter.
        adapter: PEFT's folder of the supervised adapter to go on with; what it says now is the
            reference that training must not leave far. Without one a fresh adapter is trained, and
            the bare base is the reference.
    """

    base: Path
    adapter: Path | None = None

    def identity(self) -> list[str]:
        """The content's hashes.

        Raises:
            LearningError: the adapter's folder holds none.
        """
        if self.adapter is None:
            return [file_id(self.base)]
        try:
            weights = (self.adapter / "adapter_model.safetensors").read_bytes()
        except OSError as error:
            raise LearningError(f"{self.adapter} holds no adapter; name the folder `train sft` made.") from error
        return [file_id(self.base), hashlib.sha256(weights).hexdigest()]


def start_model(start: Start, config: TrainingConfig) -> tuple[Any, Any, Any]:
    """The model to train, its tokenizer, and the shape of a fresh adapter or None where there is one."""
    model, tokenizer = load_model(start.base, config)
    if start.adapter is None:
        return model, tokenizer, fresh_lora(config)
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(start.adapter), is_trainable=True), tokenizer, None


def ranking(liked: Sequence[float], disliked: Sequence[float]) -> float | None:
    """The share of couples (one liked line, one disliked) whose liked line is rewarded more; ties count half."""
    couples = [(one > other) + 0.5 * (one == other) for one in liked for other in disliked]
    return sum(couples) / len(couples) if couples else None


def ranks(tokenizer: Any, rows: Sequence[Row]) -> Callable[[Any], Mapping[str, float]]:
    """What measures a model on labelled rows: the accuracy of its rewards, which TRL does not tell for them.

    A line's reward is its log-probability (nats) less the reference's, which is asked once.
    """
    reference: list[float] = []

    def measure(model: Any) -> Mapping[str, float]:
        from trl.trainer.utils import use_adapter

        if not reference:
            with use_adapter(model, "ref" if "ref" in model.peft_config else None):
                reference.extend(_log_probability(model, tokenizer, row) for row in rows)
        rewards = [
            _log_probability(model, tokenizer, row) - before for row, before in zip(rows, reference, strict=True)
        ]
        found = ranking([reward for reward, row in zip(rewards, rows, strict=True) if row["label"]],
                        [reward for reward, row in zip(rewards, rows, strict=True) if not row["label"]])  # fmt: skip
        return {} if found is None else {"accuracy": found}

    return measure


def _log_probability(model: Any, tokenizer: Any, row: Row) -> float:
    """Of the completion, given the prompt; nats."""
    import torch

    before = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
    whole = tokenizer(row["prompt"] + row["completion"], add_special_tokens=False)["input_ids"]
    read = torch.tensor([whole], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=read).logits[0, len(before) - 1 : -1].float()
        return float(logits.log_softmax(-1).gather(1, read[0, len(before) :, None]).sum())
