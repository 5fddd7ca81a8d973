"""The runs that lead to the starter, in one file: each goes on from the weights of the one before.

A run that is finished is not made again, so a recipe that was interrupted goes on where it stood.
"""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learning.errors import RecipeInvalid

RESULT = "starter.gguf"


class Run(BaseModel):
    """One run of a recipe.

    Attributes:
        tokens: tokens to read in all; the run ends with them.
        minutes: the time box; what is cut short by it is not the same starter.
        begin: where in the schedule a run joins that goes on from another, 0 to 1.
        version: what the file says it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    tokens: int = Field(gt=0)
    minutes: float = Field(gt=0)
    seed: int = 1
    begin: float = Field(default=0.4, ge=0, lt=1)
    version: str = "0"


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
    return runs


def _listed(found: object) -> list[object]:
    if not isinstance(found, list):
        raise TypeError
    return found
