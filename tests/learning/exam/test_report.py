"""What an exam tells: numbers with n and interval, the worst replies, a picture, a table in a document."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from characters.prompt import Budget
from learning.exam import plot, report, tables
from learning.exam.errors import ExamImpossible
from learning.exam.footprint import footprint, memory_of_all
from learning.exam.running import Reply, Result, sit
from learning.exam.scoring import score, wilson
from learning.exam.sitting import Sitting, judged
from learning.exam.values import Item
from learning.starter.tokens import TEMPLATE
from tests.fakes.exams import part, small_exam
from tests.fakes.people import make_sheet
from tests.fakes.scripted_engine import ScriptedEngine


async def sat(line: str, speaker: str = "the base model") -> Sitting:
    items = small_exam()
    engine = ScriptedEngine(*[line] * len(items))
    result = await sit(engine, part(), items, adapter=None, budget=Budget(reply=40), template=TEMPLATE)
    return judged(result, items, make_sheet(), {}, speaker=speaker)


async def test_the_report_gives_n_and_interval_and_the_worst_replies() -> None:
    one = await sat("rock rock rock rock")
    page = report.markdown(one, "mira.svg")
    assert f"| form | 0 | {len(one.marks)} |" in page
    assert "“rock rock rock rock”" in page
    assert "(mira.svg)" in page
    assert "tokens a second" in page
    two = report.markdown_of_two(one, await sat("I don't know that.", "an adapter"))
    assert re.search(r"\| unknown \| \d+ \| 0% \| \d+% \| \+\d+%", two)
    assert "A is the base model, B is an adapter." in two
    told = report.as_json(one)
    assert json.loads(json.dumps(told))["scores"]["form"]["n"] == len(one.marks)


def test_the_picture_is_well_formed_and_its_bars_are_as_long_as_the_shares() -> None:
    shares = {"A <base>": {"grounding": wilson(50, 100), "form": wilson(100, 100)}, "B": {"grounding": wilson(25, 100)}}
    tree = ET.fromstring(plot.svg("Mira & friends", shares))
    bars = [float(one.attrib["width"]) for one in tree.iter("{http://www.w3.org/2000/svg}rect") if "fill-opacity" in one.attrib]
    assert len(bars) == 3
    assert bars[0] == pytest.approx(2 * bars[1], rel=0.01)
    assert max(bars) == bars[2]
    texts = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Mira & friends", "A <base>", "50% (n 100)"} <= set(texts)


async def test_the_table_has_a_row_for_every_npc_and_one_for_all() -> None:
    one, two = await sat("I don't know that."), await sat("8 copper.")
    text = tables.table([one, replace(two, name="Odo Thistle")])
    right = score(one.marks)["unknown"].right + score(two.marks)["unknown"].right
    n = 2 * score(one.marks)["unknown"].n
    assert text.count("\n| Mira Dunmore |") == text.count("\n| Odo Thistle |") == 1
    assert f"**{right / n:.0%}**" in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


async def test_two_models_stand_in_one_table_before_and_after() -> None:
    before = await sat("I don't know.")
    after = await sat("Mira.", "another")
    text = tables.table([before, replace(before, name="Odo Thistle"), after, replace(after, name="Odo Thistle")])
    a, b = score(before.marks)["identity"], score(after.marks)["identity"]
    assert a.right < b.right
    assert text.count(f"| {a.right} → {b.right} of {a.n} |") == 2
    assert f"**{a.share:.0%} → {b.share:.0%}**" in text
    assert f"{100 * (b.share - a.share):+.0f}, p < 0.001" in text or f"{100 * (b.share - a.share):+.0f}, p = " in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


async def test_the_table_is_written_between_its_marks_and_nothing_else_is_touched(tmp_path: Path) -> None:
    file = tmp_path / "exam.md"
    file.write_text(f"# Before\n\n{tables.BEGINS}\nold\n{tables.ENDS}\n\nafter\n", "utf-8")
    tables.write_into(file, r"new \1")
    assert file.read_text("utf-8") == f"# Before\n\n{tables.BEGINS}\nnew \\1\n{tables.ENDS}\n\nafter\n"
    file.write_text("no marks", "utf-8")
    with pytest.raises(ExamImpossible, match="no place for the table"):
        tables.write_into(file, "new")
    tables.write_into(tmp_path / "made.md", "new")
    assert "new" in (tmp_path / "made.md").read_text("utf-8")


def test_speed_is_that_of_longer_lines_and_nothing_is_made_up_for_untimed_exams() -> None:
    timed = [Reply("a", "x", "stop", 10, 110, 11), Reply("b", "x", "stop", 30, 40, 2), Reply("c", "x", "stop", 20, 120, 21)]
    found = footprint(timed, 80.0)
    assert found is not None
    assert found.first_ms == (20, 30)
    assert found.tokens_per_second == 150
    assert footprint([Reply("a", "x", "stop")], None) is None
    assert (memory_of_all() or 1) > 0


def test_a_secret_is_kept_only_if_none_of_ten_questions_brings_it_out() -> None:
    from learning.exam.matching import Mark

    def asked(field: str, times: int, told: int) -> list[Mark]:
        return [Mark(Item("secrets", "secret", field, "v", f"q{n}"), "r", ("gives away x",) if n < told else (), (), False)
                for n in range(times)]  # fmt: skip

    found = score([*asked("secrets[0]", 10, 1), *asked("secrets[1]", 10, 0)])["secrets"]
    assert (found.right, found.n) == (1, 2)


def test_an_old_result_without_times_is_still_read(tmp_path: Path) -> None:
    from learning.exam.running import read_result

    known = Result("mira", "b", None, "s", "e", "p", (Reply("i", "t", "stop"),))
    bare = {**known.__dict__, "replies": [{"item": "i", "text": "t", "reason": "stop"}]}
    (tmp_path / "r.json").write_text(json.dumps(bare), "utf-8")
    assert read_result(tmp_path / "r.json") == known
