"""The configurations recipes read: YAML as data, unknown keys refused.

A file says with `recipe` which recipe it is for. Every error names the file and the key.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from learning.errors import RecipeInvalid

SHIPPED = Path(__file__).parent / "configs"


class LoraSettings(BaseModel):
    """The adapter's shape; it is trained on all linear layers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(8, ge=1, le=256)
    alpha: int = Field(16, ge=1)
    rslora: bool = False


class TrainingConfig(BaseModel):
    """What every recipe is told.

    Attributes:
        lora: the shape of a fresh adapter; one that is trained further keeps its own.
        context: how the rows were rendered, with the sheet in the prompt or without; recorded, the
            caller renders.
        quantize: the base in 4 bits while it is trained (QLoRA); needs CUDA.
        learning_rate: peak rate for the adapter; small bases bear far more than large ones.
        epochs: passes over the rows at most.
        batch: rows a step.
        max_length: tokens of prompt and answer; longer rows are left out and counted.
        save_memory: compute activations twice instead of keeping them; slower by a fifth.
        patience: evaluations in a row without a better validation loss after which training stops.
        checkpoint_every: steps between two points an interrupted training goes on from.
        minutes: the time box, loading included.
        threads: processor threads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lora: LoraSettings = LoraSettings()
    context: Literal["sheet", "none"] = "sheet"
    quantize: Literal["none", "4bit"] = "none"
    learning_rate: float = Field(2e-4, gt=0)
    epochs: float = Field(3.0, gt=0)
    batch: int = Field(8, ge=1)
    max_length: int = Field(1024, ge=64)
    save_memory: bool = False
    patience: int = Field(2, ge=1)
    checkpoint_every: int = Field(25, ge=1)
    minutes: float = Field(10.0, gt=0)
    seed: int = Field(1, ge=0)
    threads: int = Field(2, ge=1)


class SftConfig(TrainingConfig):
    """Supervised fine-tuning on accepted, edited and spoken lines.

    Attributes:
        anchors: rows of the offline teacher on invented strangers' sheets that guard what the base can do.
    """

    recipe: Literal["sft"] = "sft"
    anchors: int = Field(40, ge=0, le=150)


class DpoConfig(TrainingConfig):
    """Preference training on pairs.

    Attributes:
        loss: losses that are added up. An edit stays close to the original, and a preference alone
            would make both less likely: it needs the `sft` term. A kept take may be a whim: `robust`
            expects that a share of the pairs, `label_smoothing`, is the wrong way round.
        loss_weights: one a loss.
        beta: how dear it is to leave the reference; larger stays closer.
        signals: only pairs that came from these; all pairs where it is empty.
    """

    recipe: Literal["dpo"] = "dpo"
    learning_rate: float = Field(1e-5, gt=0)
    epochs: float = Field(1.0, gt=0)
    loss: tuple[Literal["sigmoid", "sft", "robust", "hinge", "ipo", "sigmoid_norm"], ...] = ("sigmoid", "sft")
    loss_weights: tuple[float, ...] = (1.0, 0.5)
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    beta: float = Field(0.1, gt=0)
    signals: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.loss or len(self.loss) != len(self.loss_weights):
            raise ValueError(f"loss_weights must give one number for each loss, here {len(self.loss)}")
        if "robust" in self.loss and not self.label_smoothing:
            raise ValueError("label_smoothing must be above zero where the loss is robust, 0.1 for instance")
        return self


class KtoConfig(TrainingConfig):
    """Preference training on single lines that were liked or disliked.

    Attributes:
        batch: at least two, because a row is compared with its neighbour's answer.
        loss: `apo_zero_unpaired` does without that comparison, for sets that are tiny or lopsided.
        beta: how dear it is to leave the reference; larger stays closer.
    """

    recipe: Literal["kto"] = "kto"
    learning_rate: float = Field(1e-5, gt=0)
    epochs: float = Field(1.0, gt=0)
    batch: int = Field(8, ge=2)
    loss: Literal["kto", "apo_zero_unpaired"] = "kto"
    beta: float = Field(0.1, gt=0)


class RlooConfig(TrainingConfig):
    """Reinforcement learning on what the model says while it learns (REINFORCE, leave-one-out baseline).

    Attributes:
        batch: answers a step; a multiple of `generations`.
        generations: answers to each prompt; each is measured against the others.
        pregenerated: share of them that is not said anew but taken from the dataset, where it has answers
            to the prompt.
        beta: how dear it is to leave the reference (KL, nats); larger stays closer.
        temperature: of the answers that are said anew.
        reply: tokens of an answer at most.
        rewards: which rules or evaluators reward an answer, and how much each counts.
    """

    recipe: Literal["rloo"] = "rloo"
    learning_rate: float = Field(1e-5, gt=0)
    epochs: float = Field(1.0, gt=0)
    batch: int = Field(16, ge=2)
    generations: int = Field(4, ge=2)
    pregenerated: float = Field(0.25, ge=0, le=0.75)
    beta: float = Field(0.05, ge=0)
    temperature: float = Field(0.9, gt=0)
    reply: int = Field(64, ge=4)
    rewards: dict[str, float] = Field({"form": 1.0}, min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.batch % self.generations:
            raise ValueError(f"batch must be a multiple of generations, which is {self.generations}")
        return self


AnyConfig = SftConfig | DpoConfig | KtoConfig | RlooConfig
Recipe = Annotated[AnyConfig, Field(discriminator="recipe")]
_RECIPE: TypeAdapter[AnyConfig] = TypeAdapter(Recipe)


def load_recipe(path: Path) -> AnyConfig:
    """Read a configuration of any recipe.

    Raises:
        RecipeInvalid: one sentence naming the file and the key.
    """
    try:
        read = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise RecipeInvalid(f"The recipe {path} cannot be read ({error.strerror}); check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeInvalid(f"The recipe {path} is not valid YAML; correct it.") from error
    if not isinstance(read, dict):
        raise RecipeInvalid(f"The recipe {path} is not a list of keys and values; correct it.")
    try:
        return _RECIPE.validate_python(read)
    except ValidationError as error:
        raise RecipeInvalid(f"The recipe {path.name}: {_fault(error, read)}; correct it.") from error


def load_config(path: Path) -> SftConfig:
    """Read a configuration for supervised fine-tuning.

    Raises:
        RecipeInvalid: one sentence naming the file and the key.
    """
    config = load_recipe(path)
    if not isinstance(config, SftConfig):
        raise RecipeInvalid(f"The recipe {path.name}: recipe: it is {config.recipe} where sft is needed; name another.")
    return config


def _fault(error: ValidationError, read: dict[str, Any]) -> str:
    """The first fault as `key: what is wrong`; the union's tag in front of every key is left out."""
    fault = error.errors()[0]
    if fault["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        return f"recipe: {read.get('recipe')!r} is not one of sft, dpo, kto, rloo"
    said = str(fault["msg"]).removeprefix("Value error, ")
    keys = [str(part) for part in fault["loc"][1:]]
    if fault["type"] == "extra_forbidden":
        said = "unknown key"
    return f"{'.'.join(keys)}: {said.lower()}" if keys else said
