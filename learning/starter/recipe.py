"""The runs that lead to the starter, in one file: each goes on from the one before, or is a mean of some.

A run that is finished is not made again, so a recipe that was interrupted goes on where it stood.
"""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from learning.errors import RecipeInvalid

RESULT = "starter.gguf"


class Run(BaseModel):
    """One run of a recipe.

    Attributes:
        mean_of: earlier runs whose weights are averaged; nothing is trained then.
        tokens: tokens to read in all; the run ends with them.
        minutes: the time box; what is cut short by it is not the same starter.
        begin: where in the schedule a run joins that goes on from another, 0 to 1.
        version: what the file says it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    mean_of: tuple[str, ...] = ()
    tokens: int = Field(default=0, ge=0)
    minutes: float = Field(default=0.0, ge=0)
    seed: int = 1
    begin: float = Field(default=0.4, ge=0, lt=1)
    version: str = "0"

    @model_validator(mode="after")
    def _trains_or_averages(self) -> "Run":
        if bool(self.mean_of) == bool(self.tokens and self.minutes):
            raise ValueError("name tokens and minutes, or the runs that it is the mean of")
        return self


def read_recipe(path: Path) -> tuple[Run, ...]:
    """The runs in their order.

    Raises:
        RecipeInvalid: one sentence on the first thing that is wrong.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        runs = tuple(Run.model_validate(entry) for entry in _listed(found))
    except (OSError, yaml.YAMLError, TypeError, UnicodeDecodeError) as error:
        why = f"{path} cannot be read as a list of runs ({type(error).__name__}); see learning/starter/recipe.yaml."
        raise RecipeInvalid(why) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeInvalid(f"{path}, {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    if len({run.name for run in runs}) < len(runs):
        raise RecipeInvalid(f"{path} names two runs alike; give each a name of its own.")
    for place, run in enumerate(runs):
        if unknown := set(run.mean_of) - {earlier.name for earlier in runs[:place]}:
            raise RecipeInvalid(f"{path}: {run.name} is a mean of {min(unknown)}, which no run before it is called.")
    return runs


def _listed(found: object) -> list[object]:
    if not isinstance(found, list):
        raise TypeError
    return found
