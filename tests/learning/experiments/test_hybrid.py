"""The research question: what an arm without the sheet reads, and what the document tells."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from characters.library import Library
from characters.messages import Turn
from characters.prompt import Part, build_prompt
from learning.errors import NothingToLearn
from learning.exam.items import make_items
from learning.exam.matching import mark
from learning.experiments.hybrid import Arm, Interval, Lab, preferred_folder, supervised_folder, without_sheet
from learning.experiments.telling import markdown
from learning.recipes.config import DpoConfig
from tests.fakes.candidates import RENDERER, built, evening
from tests.fakes.scripted_engine import ScriptedEngine
from tests.fakes.training import LORA, SFT, pairs

LIBRARY = Library(None)
MIRA = Part("mira", LIBRARY.get("mira"), LIBRARY.world("saltmere"))
ITEMS = make_items(MIRA.sheet, MIRA.world, 1, knower="mira")


def test_without_the_sheet_the_prompt_tells_who_the_npc_is_and_nothing_it_knows() -> None:
    prompt = build_prompt(without_sheet(MIRA), [Turn("Ana", "How much is the brown ale?")])
    text = " ".join(message.content for message in prompt.messages)
    assert "Mira Dunmore" in text
    assert MIRA.sheet.wares[0].price not in text
    assert "Brannoc" not in text


def arm(name: str, right: int) -> Arm:
    asked = [item for item in ITEMS if item.category == "grounding"][:40]
    replies = [f"{item.value}." if at < right else "Hm." for at, item in enumerate(asked)]
    marks = [mark(item, reply, finished=True) for item, reply in zip(asked, replies, strict=True)]
    return Arm(name, 100, marks, Interval(12, 1.5, 1.25, 1.75), (("Who are you?", f"I am {name}."),))


def test_the_document_gives_every_arm_with_intervals_and_says_what_differs() -> None:
    text = markdown("The question", [arm("base", 0), arm("teacher", 40)], ["`a command`"], "plot.svg")
    assert "| base | 100 | 1.500 (1.250–1.750) |" in text
    assert "held-out lines 12" in text
    assert "- **teacher** against **base**: grounding +" in text
    assert "  - teacher: I am teacher." in text
    same = markdown("The question", [arm("base", 0), arm("teacher", 0)], [], "plot.svg")
    assert "**base**: no measure differs by more than chance would." in same


def test_an_experiment_without_rows_says_which_command_makes_them(tiny_model: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from learning.commands.experiment import experiment

    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    done = CliRunner().invoke(experiment, ["hybrid", "--npc", "mira"])
    assert isinstance(done.exception, NothingToLearn)
    assert "no rows of `understudy teach bootstrap` yet" in str(done.exception)


def lab_of(root: Path, base: Path) -> Lab:
    dpo = DpoConfig(lora=LORA, learning_rate=5e-3, epochs=1, batch=2, threads=1)
    return Lab(ScriptedEngine(), base, MIRA, RENDERER, root, [], [], (), SFT, dpo, {}, lambda _: None)


def test_another_base_or_other_validation_rows_are_never_taken_for_what_was_trained_before(tmp_path: Path) -> None:
    bases = [tmp_path / "one.gguf", tmp_path / "two.gguf"]
    for base in bases:
        base.write_bytes(b"GGUF" + base.name.encode())
    one, two = (lab_of(tmp_path, base) for base in bases)
    made = built(tmp_path / "datasets", evening(7))
    fewer = replace(made, splits={**made.splits, "validation": made.splits["validation"][1:]})
    folder = supervised_folder(one, made)
    assert supervised_folder(lab_of(tmp_path, bases[0]), made) == folder
    assert len({folder, supervised_folder(two, made), supervised_folder(one, fewer)}) == 3
    assert preferred_folder(one, folder, pairs(3)) != preferred_folder(two, folder, pairs(3))
