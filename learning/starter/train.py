"""The training loop of the starter: two phases, one schedule, checkpoints one can speak with.

Muon moves the matrices and AdamW the embeddings and norms; loss is taken on the masked-in tokens
only, so the output layer is computed for those alone. Progress is the larger of tokens done and
time spent, so a slow machine ends on time with a finished schedule.
"""

import json
import logging
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from learning.processor import multiplies_bfloat16
from learning.starter.corpus import Reader
from learning.starter.muon import Muon
from learning.teachers.offline.invent import Spice

log = logging.getLogger(__name__)

_WARM_STEPS = 30  # a continued run has no momentum yet
_SAVE_MINUTES = 5.0  # between checkpoints: what a killed run loses at most


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    Attributes:
        tokens: tokens to read in all, padding included.
        minutes: the time box.
        prose_until: share of the run that is prose and induction only.
        batch_tokens: tokens a step.
        matrix_rate: peak learning rate of Muon.
        other_rate: peak learning rate of AdamW.
        begin: where in the schedule to begin, for a run that continues an earlier one.
    """

    tokens: int = 12_000_000
    minutes: float = 90.0
    prose_until: float = 0.05
    batch_tokens: int = 4096
    matrix_rate: float = 0.02
    other_rate: float = 0.004
    begin: float = 0.0
    seed: int = 1
    threads: int = 2
    compile: bool = True

    def progress(self, tokens: int, minutes: float) -> float:
        """Where in the schedule a run is: at 1.0 it ends."""
        return self.begin + (1.0 - self.begin) * max(tokens / self.tokens, minutes / self.minutes)


def mix(progress: float, rng: random.Random, prose_until: float) -> tuple[str, int]:
    """Choose a batch's kind and length for this point of the run."""
    roll = rng.random()
    if progress < prose_until:
        # Prose alone unlearns the planted copying heads within a hundred steps.
        return ("induction", 256) if progress < 0.01 or roll < 0.5 else ("passage", 512)
    if roll < (0.12 if progress < 0.5 else 0.08 if progress < 0.8 else 0.03):
        return "induction", 256
    if roll < (0.15 if progress < 0.5 else 0.09 if progress < 0.7 else 0.03):
        return "passage", 512
    if rng.random() < 0.06:
        return "listing", 512
    if progress > 0.6 and rng.random() < 0.08:
        return "conversation", 2048
    return "conversation", 1024 if rng.random() < 0.75 else 512  # a longer row has more replies to learn from


class _Stream(IterableDataset[tuple[str, torch.Tensor, torch.Tensor]]):
    """Batches, made in a second process while the first one trains."""

    def __init__(self, tokenizer: Tokenizer, plan: Plan, spice: Spice, prose: list[str]) -> None:
        self.tokenizer, self.plan, self.spice, self.prose = tokenizer, plan, spice, prose

    def __iter__(self) -> Any:
        torch.set_num_threads(1)
        rng = random.Random(self.plan.seed)
        reader = Reader(self.tokenizer, self.plan.seed + 1, self.spice, self.prose)
        done = 0
        started = time.monotonic()
        while True:
            progress = self.plan.progress(done, (time.monotonic() - started) / 60)
            kind, length = mix(progress, rng, self.plan.prose_until if self.prose else 0.0)
            make = getattr(reader, kind if self.prose or kind != "passage" else "conversation")
            rows = [make(length) for _ in range(max(1, self.plan.batch_tokens // length))]
            yield kind, torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])
            done += self.plan.batch_tokens


def _optimizers(model: nn.Module, plan: Plan) -> list[torch.optim.Optimizer]:
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        Muon(matrices, lr=plan.matrix_rate),
        torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.97), weight_decay=0.0),
    ]


def rate(progress: float) -> float:
    """The schedule: a short warm-up, a plateau, and a long linear descent."""
    if progress < 0.01:
        return max(0.02, progress / 0.01)
    return 1.0 if progress < 0.35 else max(0.02, (1.0 - progress) / 0.65)


def masked_loss(model: Any, ids: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean next-token loss over the wanted tokens.

    Args:
        ids: (rows, length) token ids.
        wanted: (rows, length) whether each token is a target.
    """
    hidden = model.model(input_ids=ids[:, :-1]).last_hidden_state
    chosen = wanted[:, 1:]
    logits = model.lm_head(hidden[chosen])
    return functional.cross_entropy(logits.float(), ids[:, 1:][chosen])


class _Journal:
    """The losses since the last line of the log, by kind of batch."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._recent: dict[str, list[float]] = {}

    def note(self, kind: str, loss: float) -> None:
        """Remember a step's loss."""
        self._recent.setdefault(kind, []).append(loss)

    def write(self, step: int, tokens: int, minutes: float, progress: float) -> None:
        """Write one line of means and begin anew."""
        losses = {k: round(sum(v) / len(v), 3) for k, v in self._recent.items()}
        place = {"step": step, "tokens": tokens, "minutes": round(minutes, 1), "progress": round(progress, 3)}
        record = {**place, **losses}
        self._out.write(json.dumps(record) + "\n")
        self._out.flush()
        log.info("%s", record)
        self._recent.clear()


def train(model: Any, tokenizer: Tokenizer, plan: Plan, spice: Spice, prose: list[str], out: Path) -> None:
    """Train in place, writing checkpoints and a log of losses to `out`."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    out.mkdir(parents=True, exist_ok=True)
    optimizers = _optimizers(model, plan)
    peaks = [group["lr"] for o in optimizers for group in o.param_groups]
    body = model.model
    if plan.compile:
        model.model.forward = torch.compile(body.forward, dynamic=True)
    half = torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16())
    stream = DataLoader(_Stream(tokenizer, plan, spice, prose), batch_size=None, num_workers=1, prefetch_factor=4)
    started, done, step = time.monotonic(), 0, 0
    saved = 0.0
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        journal = _Journal(file)
        for kind, ids, wanted in stream:
            spent = (time.monotonic() - started) / 60
            progress = plan.progress(done, spent)
            if progress >= 1.0:
                break
            with half:
                loss = masked_loss(model, ids, wanted)
            loss.backward()  # type: ignore[no-untyped-call]
            for group, peak in zip((g for o in optimizers for g in o.param_groups), peaks, strict=True):
                group["lr"] = peak * rate(progress) * min(1.0, (step + 1) / _WARM_STEPS)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            with half:
                for optimizer in optimizers:
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            done += ids.numel()
            step += 1
            journal.note(kind, loss.item())
            if step % 50 == 0:
                journal.write(step, done, spent, progress)
            if spent - saved >= _SAVE_MINUTES:
                saved = spent
                save(model, out / "checkpoint.pt", plan)
    save(model, out / "final.pt", plan)


def save(model: Any, path: Path, plan: Plan) -> None:
    """Write the weights whole or not at all."""
    partial = path.with_suffix(".partial")
    torch.save({"weights": model.state_dict(), "plan": asdict(plan)}, partial)
    partial.replace(path)


def load(model: Any, folder: Path) -> None:
    """Read the final weights, or the newest checkpoint of an unfinished run."""
    final = folder / "final.pt"
    path = final if final.is_file() else folder / "checkpoint.pt"
    model.load_state_dict(torch.load(path, weights_only=True)["weights"])
