"""Whoever trains or builds what is trained on holds the night's lock: two at once would take turns badly."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.home import Home
from db.night_lock import NightHeld, night_lock


@pytest.mark.parametrize("words", [["sft", "--dataset", "nowhere", "--out", "out"], ["build"]])
def test_a_second_training_is_refused_while_one_runs(words: list[str], home: Path) -> None:
    from learning.commands.dataset import dataset
    from learning.commands.train import train

    with night_lock(Home(home), lambda: datetime.now(UTC), "A training"):
        done = CliRunner().invoke(dataset if words == ["build"] else train, words)
    assert isinstance(done.exception, NightHeld)
    assert str(done.exception).startswith("A training is running already (process ")
