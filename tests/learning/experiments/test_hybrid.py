"""The research question: what an arm without the sheet reads, and what the document tells."""

import pytest
from click.testing import CliRunner

from characters.library import Library
from characters.messages import Turn
from characters.prompt import Part, build_prompt
from learning.errors import NothingToLearn
from learning.exam.items import make_items
from learning.exam.matching import mark
from learning.experiments.hybrid import Arm, Interval, without_sheet
from learning.experiments.telling import markdown

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
