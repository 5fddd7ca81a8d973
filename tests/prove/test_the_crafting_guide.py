"""Sorrel learns the shipped crafting guide and is asked in words she was never taught with.

The wordings are the exam's, which share no six words in a row with those the offline teacher asks in.
"""

import asyncio
import json
import math
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import find_house, make_engine
from characters.inference.engine import Engine
from characters.inference.starter import STARTER
from characters.library import Library
from characters.messages import Fact, Scene, Turn
from characters.prompt import Budget, Part, build_prompt
from characters.words import terms
from learning.documents.checking import heads, numbers
from learning.documents.entries import Entry, entries_of
from learning.documents.reading import read_documents
from learning.exam.phrasings import phrasings
from learning.gate import Witness
from tests.fakes.program import PROGRAM

GUIDE = Path(__file__).resolve().parents[2] / "learning" / "guides" / "crafting.md"
BY_HEART = GUIDE.parents[1] / "recipes" / "configs" / "sft_by_heart.yaml"
RECIPES = [entry for chunk in read_documents([GUIDE]) for entry in entries_of(chunk) if entry.form == "recipe"]
WORDINGS = [*phrasings()["recipe"], *phrasings()["no_recipe"]]
pytestmark = [
    pytest.mark.prove, pytest.mark.timeout(3600),
    pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here"),
]  # fmt: skip


def right(recipe: Entry, line: str) -> bool:
    """Every ingredient, and every amount."""
    said = set(terms(line))
    return all(heads(item) <= said and numbers(item) <= numbers(line) for item in recipe.items)


async def answers(engine: Engine, adapter: str | None, *, hand: bool) -> list[bool]:
    can = await engine.capabilities()
    sheet = Library(None).get("sorrel")
    part = Part("sorrel", sheet, Library(None).world(sheet.world))
    budget = Budget(min(can.context, can.context_budget or can.context), 110, can.system_budget or 700)
    witness, found = Witness(engine, adapter), []
    for recipe in RECIPES:
        facts = (Fact(f"document.{recipe.subject}", recipe.fact, "memory"),) if hand else ()
        for wording in WORDINGS:
            turn = Turn("Ana", wording.format(x=recipe.subject, npc="Sorrel"))
            prompt = build_prompt(part, [turn], scene=Scene(), template=can.template, budget=budget, at_hand=facts)
            found.append(right(recipe, (await witness.line(prompt.text, prompt.stop))[0]))
    return found


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def lower(before: list[bool], after: list[bool]) -> float:
    """The lower 95 % bound of a paired difference."""
    gains = [int(new) - int(old) for old, new in zip(before, after, strict=True)]
    mean = sum(gains) / len(gains)
    return mean - 1.96 * math.sqrt(sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1) / len(gains))


def understudy(home: Path, *arguments: str) -> dict[str, Any]:
    environment = {**os.environ, "UNDERSTUDY_HOME": str(home)}
    done = subprocess.run([PROGRAM, *arguments, "--json"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


async def test_recipes_taught_from_the_guide_are_known_by_heart_in_other_words(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def learn() -> None:
        understudy(home, "teach", "document", "sorrel", "crafting", "--mean", "40", "--deviation", "3", "--least", "35",
                   "--by-heart", "0.7")  # fmt: skip
        [made] = understudy(home, "dataset", "build", "--npc", "sorrel")["datasets"]
        understudy(home, "train", "sft", "--config", str(BY_HEART), "--dataset", made["dataset"], "--out", str(tmp_path / "sorrel"),
                   "--full-speed")  # fmt: skip

    await asyncio.to_thread(learn)
    engine = make_engine(find_house())
    try:
        await engine.load_adapter("sorrel", next((tmp_path / "sorrel").rglob("*.gguf")))
        before, after = [await answers(engine, adapter, hand=False) for adapter in (None, "sorrel")]
        at_hand = await answers(engine, "sorrel", hand=True)
    finally:
        await engine.close()
    with sqlite3.connect(home / "db.sqlite") as database:
        rows = database.execute("SELECT count(*) FROM candidate_rows").fetchone()[0]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{rows} rows; {len(before)} questions: by heart {share(before):.0%} -> {share(after):.0%} (lower bound of the "
            f"gain {lower(before, after):+.0%}), with facts at hand {share(at_hand):.0%}\n"
        )
    assert share(after) - share(before) >= 0.20
    assert lower(before, after) > 0.10
    assert share(at_hand) >= 0.95
