"""The night's preference stage: the recipe that the rows are for, in its share of the night, and no night lost for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from characters.library import Library
from db.home import Home
from db.provenance import Policy
from db.store import Store
from learning.datasets.rows import Row
from learning.datasets.snapshot import Snapshot, write_snapshot
from learning.nightly.preferring import Preferred, prefer
from learning.nightly.values import Night
from learning.recipes.config import load_recipe
from learning.recipes.sft import train_sft
from learning.starter.tokens import TEMPLATE
from tests.fakes.candidates import row
from tests.fakes.scripted_engine import ScriptedEngine
from tests.fakes.training import SFT, sft_rows, silent
from tests.learning.test_automatic import NOW


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    return train_sft(tiny_model, sft_rows(4), SFT.model_copy(update={"epochs": 1}), tmp_path_factory.mktemp("sft") / "out", silent).folder


@pytest.fixture
async def night(tmp_path: Path, tiny_model: Path) -> AsyncIterator[Night]:
    home = tmp_path / "home"
    home.mkdir()
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    yield Night(store, ScriptedEngine(), Library(None), Home(home), tiny_model, 1, "mira", SFT, Policy(), NOW, lambda line: None, lambda: NOW, minutes=15)
    await store.close()


def pairs(signal: str, count: int, completion: str = "Aye") -> list[Row]:
    return [row(f"{signal} {n}", kind="pair", signal=signal, completion=f"{completion} {n}.{TEMPLATE.eos}", rejected=f"No, {n}.{TEMPLATE.eos}")
            for n in range(count)]  # fmt: skip


def labels(likes: int, dislikes: int) -> list[Row]:
    return [row(f"vote {n}", kind="label", signal="thumbs_up" if n < likes else "thumbs_down", label=n < likes) for n in range(likes + dislikes)]


def of(night: Night, supervised: Path, rows: list[Row], **found: int) -> Preferred:
    made: Snapshot = write_snapshot(night.home.folder("datasets"), {"train": rows}, {"npc": "mira"})
    return prefer(night, made, supervised, {"sft": 20, "pair": 0, "label": 0, **found})


@pytest.mark.parametrize(
    ("rows", "found", "recipe"),
    [
        (pairs("vote", 18) + pairs("keep", 6), {"pair": 30}, "dpo_takes"),
        (pairs("edit", 4) + pairs("keep", 20), {"pair": 30}, "dpo_takes"),
        (pairs("edit", 12) + pairs("keep", 12), {"pair": 30}, "dpo"),
        (pairs("edit", 12) + labels(30, 18), {"pair": 15, "label": 60}, "kto"),
        (pairs("teacher", 30) + labels(30, 18), {"pair": 30, "label": 60}, "kto"),
    ],
)
def test_the_recipe_is_the_one_the_rows_are_for(night: Night, supervised: Path, rows: list[Row], found: dict[str, int], recipe: str) -> None:
    done = of(night, supervised, rows, **found)
    assert (done.folder.name.rpartition("-")[0], done.note) == (recipe, "")
    assert done.trained is not None
    assert done.trained.rows >= 10
    assert load_recipe(done.folder / "recipe.json").minutes <= 15 * 0.2
    again = of(night, supervised, rows, **found)
    assert (again.folder, again.trained) == (done.folder, None), "what was trained is not trained again"


@pytest.mark.parametrize(
    ("rows", "found", "why"),
    [
        (labels(48, 0), {"label": 60}, "lines that are disliked"),
        (pairs("edit", 8) + pairs("keep", 8), {"pair": 30}, "pairs of one kind"),
        (pairs("edit", 24, "word " * 2000), {"pair": 30}, "No pair is left"),
    ],
)
def test_where_no_recipe_has_rows_the_night_goes_on_with_the_supervised_adapter_and_says_so(
    night: Night, supervised: Path, rows: list[Row], found: dict[str, Any], why: str
) -> None:
    done = of(night, supervised, rows, **found)
    assert (done.folder, done.trained) == (supervised, None)
    assert why in done.note
    assert done.note.startswith("There was no preference stage: ")
