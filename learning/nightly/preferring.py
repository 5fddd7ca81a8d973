"""The night's training by preferences, which goes on from the supervised adapter.

Which recipe fits is told by the rows themselves: edits, kept takes with blind votes, or thumbs up and down.
Where none does, the night goes on with what it has, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.tonight import FIRST_LABELS, FIRST_PAIRS
from learning.datasets.snapshot import Snapshot
from learning.errors import NothingToLearn
from learning.nightly.runs import done, named_by, progress_of, say_of_what, small
from learning.nightly.values import Night
from learning.recipes.config import SHIPPED, DpoConfig, KtoConfig, load_recipe
from learning.recipes.dpo import train_dpo
from learning.recipes.kto import train_kto
from learning.recipes.preferences import Start
from learning.recipes.run import Trained

_SHARE = 0.2  # of the night's time box
_PAIR_RECIPES = ("dpo", "dpo_takes")  # an edit says more than a choice among takes
_FEWEST = FIRST_PAIRS // 3  # of a recipe's own pairs: thirty of both kinds, less what is held out, have it of one

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Preferred:
    """What came of it: the folder to go on with, the training if there was one, else why there was none."""

    folder: Path
    trained: Trained | None = None
    note: str = ""


@dataclass(frozen=True)
class _Choice:
    name: str
    kind: str
    config: DpoConfig | KtoConfig
    rows: Rows


def prefer(night: Night, snapshot: Snapshot, start: Path, found: Mapping[str, int]) -> Preferred:
    """Go on from an adapter by preferences; what was trained before with the same is not trained again."""
    try:
        choice = _choice(night, snapshot, found)
        return _train(night, snapshot, start, choice)
    except NothingToLearn as error:
        note = f"There was no preference stage: {error}"
        night.say(f"preferences: {note}")
        return Preferred(start, note=note)


def _choice(night: Night, snapshot: Snapshot, found: Mapping[str, int]) -> _Choice:
    """The recipe the rows are enough for.

    Raises:
        NothingToLearn: they are enough for none.
    """
    pairs, labels = snapshot.rows("pair", "train"), snapshot.rows("label", "train")
    if found["pair"] >= FIRST_PAIRS:
        for name in _PAIR_RECIPES:
            config = _config(night, name)
            assert isinstance(config, DpoConfig)
            if sum(row["signal"] in config.signals for row in pairs) >= _FEWEST:
                return _Choice(name, "pair", config, pairs)
    if found["label"] >= FIRST_LABELS and {bool(row["label"]) for row in labels} == {True, False}:
        config = _config(night, "kto")
        assert isinstance(config, KtoConfig)
        return _Choice("kto", "label", config, labels)
    raise NothingToLearn(
        f"it needs {_FEWEST} pairs of one kind (edits, or kept takes and blind votes), or lines that are liked and "
        "lines that are disliked, in what is trained on."
    )


def _config(night: Night, name: str) -> DpoConfig | KtoConfig:
    config = load_recipe(SHIPPED / f"{name}{'_starter' if small(night.base) else ''}.yaml")
    assert isinstance(config, DpoConfig | KtoConfig)
    return config.model_copy(update={"minutes": min(config.minutes, night.minutes * _SHARE)})


def _train(night: Night, snapshot: Snapshot, start: Path, choice: _Choice) -> Preferred:
    config, rows = choice.config, choice.rows
    folder = night.home.folder("runs") / f"{choice.name}-{named_by([start.name, rows, config.model_dump()])}"
    if done(folder):
        say_of_what(folder, snapshot.hash)
        return Preferred(folder)
    night.say(f"preferences: {len(rows)} {choice.kind}s, {choice.name}, {config.minutes:g} minutes at most")
    begin, progress = Start(night.base, start), progress_of(night, "preferences")
    held = snapshot.rows(choice.kind, "validation")
    if isinstance(config, DpoConfig):
        trained = train_dpo(begin, rows, config, folder, progress, validation=held)
    else:
        trained = train_kto(begin, rows, config, folder, progress, validation=held)
    say_of_what(folder, snapshot.hash)
    return Preferred(folder, trained)
