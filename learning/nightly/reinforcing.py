"""The last of a night's trainings, where the settings want it: rewards for what the NPC says itself.

It goes on from the adapter of the trainings before. A judge rewards only while people agree with it; where
they do not, or it cannot be reached, or its budget ends in mid-training, the rules of the recipe reward
alone from then on, and the night says so.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from learning.datasets.snapshot import Snapshot
from learning.errors import LearningError
from learning.nightly.runs import done, named_by, progress_of, say_of_what, small
from learning.nightly.values import Night, Say
from learning.recipes.config import SHIPPED, RlooConfig, load_recipe
from learning.recipes.evaluating import ALL, rewarding
from learning.recipes.preferences import Start
from learning.recipes.rewards import Reward, Said
from learning.recipes.rloo import train_rloo
from learning.recipes.run import Trained

_SHARE = 0.2  # of the night's time box
_KINDS = ("sft", "pair")


def reinforce(night: Night, snapshot: Snapshot, start: Path) -> tuple[Path, Trained | None]:
    """Go on from an adapter by rewards; what was trained before with the same is not trained again."""
    recipe = load_recipe(SHIPPED / f"rloo{'_starter' if small(night.base) else ''}.yaml")
    assert isinstance(recipe, RlooConfig)
    config = recipe.model_copy(update={"minutes": min(recipe.minutes, night.minutes * _SHARE)})
    rows = [row for kind in _KINDS for row in snapshot.rows(kind, "train")]
    with contextlib.ExitStack() as open_judge:
        evaluators: dict[str, Reward] = {}
        if night.reinforce == "judge" and night.seat is not None:
            try:
                opened = open_judge.enter_context(rewarding(night.seat, {ALL: 1.0}, rows))
                evaluators = {name: _while_it_lasts(reward, night.say) for name, reward in opened.items()}
            except LearningError as error:
                night.say(f"rewards: by rules alone; {error}")
        if evaluators:
            config = config.model_copy(update={"rewards": {**config.rewards, ALL: 1.0}})
        folder = night.home.folder("runs") / f"rloo-{named_by([start.name, rows, config.model_dump()])}"
        if done(folder):
            say_of_what(folder, snapshot.hash)
            return folder, None
        night.say(f"rewards: {', '.join(config.rewards)}, {config.minutes:g} minutes at most")
        trained = train_rloo(Start(night.base, start), rows, config, folder, progress_of(night, "rewards"),
                             evaluators=evaluators)  # fmt: skip
    say_of_what(folder, snapshot.hash)
    return folder, trained


def _while_it_lasts(reward: Reward, say: Say) -> Reward:
    """A judge's reward that is none for any answer once the judge has failed: what was trained by then is kept."""
    lasts = True

    def of(answers: Sequence[Said]) -> Sequence[float | None]:
        nonlocal lasts
        if lasts:
            try:
                return reward(answers)
            except LearningError as error:
                lasts = False  # nor asked again: a server that is away would be waited for at every step
                say(f"rewards: by rules alone from here on; {error}")
        return [None] * len(answers)

    return of
