"""One training on disk: it goes on where it was killed, keeps its best weights, and tells what it does.

A run works in `<out>.work`: checkpoints, weights at every evaluation, and one line of metrics a step.
Killed at any moment it goes on from its last whole checkpoint to the result it would have had, because
everything that decides (best weights, patience, losses) is read back from the metrics up to that
point. `out` appears at the end, by one rename.
"""

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from learning.errors import LearningError
from learning.recipes.config import SftConfig, TrainingConfig

_WHOLE = "whole"  # an empty file that marks a checkpoint as complete
_PREFERENCES = {"rewards/margins": "margin", "rewards/accuracies": "accuracy"}
_REWARDS = {"reward": "reward", "kl": "kl", "completions/mean_length": "answer_tokens"}

Progress = Callable[[float, float], None]
Measure = Callable[[Any], Mapping[str, float]]


@dataclass(frozen=True)
class Evaluation:
    """What validation rows said at one step; step 0 is before training.

    Attributes:
        loss: mean loss of the recipe over the validation rows.
        accuracy: preferences only: share of the couples whose better line is rewarded more.
        margin: preferences only: mean reward of the better lines less that of the worse ones.
    """

    step: int
    loss: float
    accuracy: float | None = None
    margin: float | None = None

    @property
    def perplexity(self) -> float:
        """Of the answers' tokens; it means something for `sft` alone."""
        return math.exp(min(self.loss, 700.0))


@dataclass(frozen=True)
class Trained:
    """What a training left behind.

    Attributes:
        folder: PEFT's adapter_config.json and adapter_model.safetensors, recipe.json, metrics.jsonl.
        losses: training loss at every step.
        rows: rows trained on, repetitions by weight not counted.
        left_out: rows not trained on.
        seconds: wall time, loading and interrupted tries included.
        reasons: how many rows were left out why, those of validation included.
        evaluations: in order; empty without validation rows.
        best_step: the step whose weights were kept.
        stopped: "" after all passes, "patience" or "time".
        margin: preferences only: mean over the last quarter of the steps.
        accuracy: likewise, where the recipe knows it.
        rewards: reinforcement only: mean reward of the answers at every step.
    """

    folder: Path
    losses: tuple[float, ...]
    rows: int
    left_out: int
    seconds: float
    reasons: Mapping[str, int] = field(default_factory=dict)
    evaluations: tuple[Evaluation, ...] = ()
    best_step: int = 0
    stopped: str = ""
    margin: float | None = None
    accuracy: float | None = None
    rewards: tuple[float, ...] = ()


class Run:
    """One training on disk: where it works, how far it is, what it measured, and its clock.

    Attributes:
        work: the folder it works in until it is done.
        checkpoint: the folder to go on from, None at the start.
        lines: the metrics so far, as they are in the file.
    """

    def __init__(self, out: Path, config: TrainingConfig, progress: Progress) -> None:
        self.out, self.config, self._progress = out, config, progress
        self.work = out.with_name(out.name + ".work")
        self.checkpoint: Path | None = None
        self.lines: list[dict[str, Any]] = []
        self._metrics = self.work / "metrics.jsonl"
        self._began, self._before = time.monotonic(), 0.0
        self._measured: tuple[int, float] | None = None
        self._pass = 0
        self._validates = False
        self._measure: Measure | None = None
        self._stopped = ""

    def open(self, made_of: Sequence[Any]) -> None:
        """Find what an interrupted training of the very same left; throw away what another one left.

        Args:
            made_of: everything that decides the result, besides the configuration.

        Raises:
            LearningError: `out` holds something already; what a kill right after its rename left goes.
        """
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            shutil.rmtree(self.work, ignore_errors=True)
            raise LearningError(f"{self.out} holds something already; name another folder, or remove it.")
        deciding = [self.config.model_dump(exclude={"minutes", "checkpoint_every"}), list(made_of)]
        identity = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
        mark = self.work / "made_of"
        if not mark.is_file() or mark.read_text("utf-8") != identity:
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir(parents=True)
            mark.write_text(identity, "utf-8")
        self._find_checkpoint()

    def _find_checkpoint(self) -> None:
        """The last whole checkpoint and the metrics up to it; what came after it is forgotten."""
        whole: dict[int, Path] = {}
        for folder in self.work.glob("checkpoint-*"):
            if (folder / _WHOLE).is_file():
                whole[_step(folder)] = folder
            else:
                shutil.rmtree(folder)
        step = max(whole, default=0)
        self.checkpoint = whole.get(step)
        self.lines = [line for line in _lines(self._metrics) if line["step"] <= step] if self.checkpoint else []
        self._metrics.write_text("".join(json.dumps(line) + "\n" for line in self.lines), "utf-8")
        for folder in self.work.glob("weights-*"):
            if _step(folder) > step:
                shutil.rmtree(folder)
        self._before = max((float(line["seconds"]) for line in self.lines), default=0.0)

    def train(self, trainer: Any, rows: int, measure: Measure | None = None) -> None:
        """Train to the end, from the checkpoint where there is one.

        Args:
            rows: what the trainer was given; it must not have dropped any.
            measure: what else to measure on validation rows, given the model.
        """
        if len(trainer.train_dataset) != rows:
            taken = len(trainer.train_dataset)
            raise LearningError(f"The trainer took {taken} of {rows} rows; report this with the versions in use.")
        self._pass, self._validates = math.ceil(rows / self.config.batch), trainer.eval_dataset is not None
        self._measure = measure
        _watch(self, trainer)
        if self._validates and self.checkpoint is None:
            trainer.evaluate()
        if not self._at_the_end():
            trainer.train(resume_from_checkpoint=str(self.checkpoint) if self.checkpoint else None)

    def finish(self, rows: int, left: Mapping[str, int], held_left: Mapping[str, int]) -> Trained:
        """Put the best weights where they belong, whole, and remove the workplace.

        Args:
            rows: rows trained on.
            left: train rows left out, by reason.
            held_left: validation rows left out, by reason.
        """
        best = self._best()
        partial = self.out.with_name(self.out.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(self.work / f"weights-{best}", partial)
        (partial / "README.md").unlink(missing_ok=True)
        (partial / "recipe.json").write_text(json.dumps(self.config.model_dump(), indent=2), "utf-8")
        shutil.copyfile(self._metrics, partial / "metrics.jsonl")
        partial.replace(self.out)
        shutil.rmtree(self.work, ignore_errors=True)
        self._progress(1.0, 0.0)
        reasons = {**left, **{f"for validation: {reason}": count for reason, count in held_left.items()}}
        losses = tuple(math.nan if line["loss"] is None else line["loss"] for line in self.lines if "loss" in line)
        return Trained(self.out, losses, rows, sum(left.values()), self._spent(), reasons, self._evaluations(),
                       best, self._stopped, self._late("margin"), self._late("accuracy"),
                       tuple(line["reward"] for line in self.lines if line.get("reward") is not None))  # fmt: skip

    def stepped(self, state: Any, control: Any, model: Any) -> None:
        """After a step: keep the time box and the weights, and tell how far it is."""
        step, now = state.global_step, time.monotonic()
        if self._spent() > self.config.minutes * 60 and step < state.max_steps:
            control.should_training_stop, self._stopped = True, "time"
        last = control.should_training_stop or step >= state.max_steps
        if last or (self._validates and step % self._pass == 0):
            folder = str(self.work / f"weights-{step}")
            model.save_pretrained(folder, selected_adapters=["default"], save_embedding_layers=False)
            control.should_evaluate = self._validates
        if self._measured is None:
            self._measured = (step, now)
        elif not last:
            a_step = (now - self._measured[1]) / (step - self._measured[0])
            in_the_box = self.config.minutes * 60 - self._spent()
            self._progress(step / state.max_steps, max(0.0, min(a_step * (state.max_steps - step), in_the_box)))

    def logged(self, step: int, epoch: float, logs: Mapping[str, float]) -> None:
        """Write a step's training metrics down."""
        if "loss" in logs:
            told = {ours: logs[theirs] for theirs, ours in (_PREFERENCES | _REWARDS).items() if theirs in logs}
            self._write({"step": step, "epoch": epoch, "loss": logs["loss"],
                         "learning_rate": logs.get("learning_rate"), **told})  # fmt: skip

    def evaluated(self, state: Any, control: Any, metrics: Mapping[str, float], model: Any) -> None:
        """Write an evaluation down, and stop where nothing gets better."""
        loss = metrics["eval_loss"]
        told = {ours: metrics[f"eval_{theirs}"] for theirs, ours in _PREFERENCES.items() if f"eval_{theirs}" in metrics}
        if self._measure is not None:
            told |= self._measure(model)
        if isinstance(self.config, SftConfig):
            told["perplexity"] = Evaluation(0, loss).perplexity
        self._write({"step": state.global_step, "validation_loss": loss,
                     **{f"validation_{name}": value for name, value in told.items()}})  # fmt: skip
        if state.global_step < state.max_steps and self._patience_is_out():
            control.should_training_stop, self._stopped = True, "patience"

    def saved(self, step: int) -> None:
        """Mark a checkpoint as whole."""
        (self.work / f"checkpoint-{step}" / _WHOLE).touch()

    def _write(self, line: Mapping[str, Any]) -> None:
        whole = {name: value if not isinstance(value, float) or math.isfinite(value) else None
                 for name, value in line.items()} | {"seconds": round(self._spent(), 2)}  # fmt: skip
        self.lines.append(whole)
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole) + "\n")

    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began

    def _evaluations(self) -> tuple[Evaluation, ...]:
        return tuple(
            Evaluation(line["step"], math.inf if line["validation_loss"] is None else line["validation_loss"],
                       line.get("validation_accuracy"), line.get("validation_margin"))
            for line in self.lines if "validation_loss" in line
        )  # fmt: skip

    def _patience_is_out(self) -> bool:
        losses = [evaluation.loss for evaluation in self._evaluations() if evaluation.step]
        return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= self.config.patience

    def _at_the_end(self) -> bool:
        """The checkpoint is that of the last step, or of the one where patience was out."""
        if self.checkpoint is None:
            return False
        state = json.loads((self.checkpoint / "trainer_state.json").read_text("utf-8"))
        if state["global_step"] >= state["max_steps"]:
            return True
        self._stopped = "patience" if self._patience_is_out() else ""
        return bool(self._stopped)

    def _best(self) -> int:
        """The step with the lowest validation loss; without validation rows the last one."""
        evaluated = [evaluation for evaluation in self._evaluations() if evaluation.step]
        if evaluated:
            return min(evaluated, key=lambda evaluation: evaluation.loss).step
        return max(_step(folder) for folder in self.work.glob("weights-*"))

    def _late(self, name: str) -> float | None:
        """The mean of a training metric over the last quarter of the steps."""
        known = [line[name] for line in self.lines if line.get(name) is not None]
        late = known[-max(1, len(known) // 4) :]
        return sum(late) / len(late) if late else None


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file whose last one may be half."""
    found = []
    for text in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(text))
        except ValueError:
            break
    return found


def _watch(run: Run, trainer: Any) -> None:
    """Let the trainer ask the run after every step, and keep silent itself: standard output is not its own."""
    from transformers import PrinterCallback, TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.stepped(state, control, kwargs["model"])

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.logged(state.global_step, state.epoch or 0.0, kwargs["logs"])

        def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.evaluated(state, control, state.log_history[-1], kwargs["model"])

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            run.saved(state.global_step)

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch())
