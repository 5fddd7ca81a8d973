"""The configurations recipes read: YAML as data, unknown keys refused."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learning.errors import RecipeInvalid

SHIPPED = Path(__file__).parent / "configs"


class LoraSettings(BaseModel):
    """The adapter's shape; it is trained on all linear layers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(8, ge=1, le=256)
    alpha: int = Field(16, ge=1)
    rslora: bool = False


class SftConfig(BaseModel):
    """Supervised fine-tuning on accepted, edited and spoken lines.

    Attributes:
        learning_rate: peak rate for the adapter; small bases bear far more than large ones.
        epochs: passes over the rows at most.
        batch: rows a step.
        max_length: tokens of prompt and completion; longer rows are left out and counted.
        anchors: rows of the offline teacher on this NPC's own sheet that guard its knowledge.
        minutes: the time box.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Literal["sft"] = "sft"
    lora: LoraSettings = LoraSettings()
    learning_rate: float = Field(2e-4, gt=0)
    epochs: float = Field(3.0, gt=0)
    batch: int = Field(8, ge=1)
    max_length: int = Field(1024, ge=64)
    anchors: int = Field(150, ge=0)
    minutes: float = Field(10.0, gt=0)
    seed: int = 1
    threads: int = Field(2, ge=1)


def load_config(path: Path) -> SftConfig:
    """Read a configuration.

    Raises:
        RecipeInvalid: one sentence naming the file and the key.
    """
    try:
        read = yaml.safe_load(path.read_text("utf-8")) or {}
        return SftConfig.model_validate(read)
    except OSError as error:
        raise RecipeInvalid(f"The recipe {path} cannot be read ({error.strerror}); check the path.") from error
    except yaml.YAMLError as error:
        raise RecipeInvalid(f"The recipe {path} is not valid YAML; correct it.") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise RecipeInvalid(f"The recipe {path.name}: {where}: {fault['msg'].lower()}; correct it.") from error
