"""An exam is held as the table asks, kept, and read again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from characters.inference.errors import EngineError
from characters.prompt import Budget
from learning.errors import LearningError
from learning.exam.errors import ExamImpossible
from learning.exam.items import every_item
from learning.exam.matching import mark
from learning.exam.running import PLAYER, Result, prompt_of, read_result, sit
from learning.exam.values import Item, Need
from learning.starter.tokens import TEMPLATE
from tests.fakes.exams import exam_of, part, small_exam
from tests.fakes.people import make_sheet, make_world
from tests.fakes.scripted_engine import ScriptedEngine


async def held(engine: ScriptedEngine, items: tuple[Item, ...], folder: Path | None = None, **changes: Any) -> Result:
    asked = {"adapter": None, "budget": Budget(reply=40), "template": TEMPLATE, **changes}
    return await sit(engine, part(), items, folder=folder, **asked)


async def test_an_exam_is_asked_as_the_table_asks_and_without_chance() -> None:
    engine = ScriptedEngine()
    items = small_exam()[:20]
    result = await held(engine, items)
    assert len(result.replies) == len(engine.history) == 20
    for item, request in zip(items, engine.history, strict=True):
        assert f"{PLAYER}: {item.question}" in request.prompt
        assert request.sampling.temperature == 0.0
        assert request.sampling.max_tokens == 40
        assert f"\n{PLAYER}:" in request.stop


async def test_facts_are_at_hand_as_in_play_and_after_an_earlier_answer() -> None:
    [item] = [i for i in every_item(make_sheet(), make_world(), 1) if i.kind == "total_after" and i.field == "wares.brown ale"]
    prompt = prompt_of(part(), item, Budget(), TEMPLATE)
    assert prompt.at_hand[0].text == "2 brown ale together: 8 copper."
    assert prompt.text.index("brown ale: 4 copper") < prompt.text.index("The brown ale is 4 copper.")


async def test_the_same_exam_is_not_asked_twice_and_a_changed_one_is(tmp_path: Path) -> None:
    items = small_exam()[:5]
    first = await held(ScriptedEngine("One.", "Two.", "Three.", "Four.", "Five."), items, tmp_path)
    again = ScriptedEngine()
    assert await held(again, items, tmp_path) == first
    assert again.history == []
    for change in ({"adapter": "mira-1"}, {"budget": Budget(reply=50)}):
        engine = ScriptedEngine()
        await held(engine, items, tmp_path, **change)
        assert len(engine.history) == 5
    assert len(list(tmp_path.glob("*.json"))) == 3


async def test_an_exam_that_was_broken_off_goes_on_in_the_middle_of_a_scene(tmp_path: Path) -> None:
    items = tuple(item for item in exam_of("mira", whole=True) if item.category == "multi-turn")[:24]
    lines = [f"Line {number}." for number in range(24)]
    whole = await held(ScriptedEngine(*lines), items)
    with pytest.raises(EngineError):
        await held(ScriptedEngine(*lines[:21], EngineError("gone")), items, tmp_path)
    engine = ScriptedEngine(*lines[20:])
    again = await held(engine, items, tmp_path)
    assert [reply.text for reply in again.replies] == [reply.text for reply in whole.replies]
    assert len(engine.history) == 4
    assert "Line 18." in engine.history[0].prompt, "what was said in the scene before is still read"
    assert not list(tmp_path.glob("*.half"))


async def test_a_kept_exam_that_is_broken_is_held_again(tmp_path: Path) -> None:
    items = small_exam()[:2]
    await held(ScriptedEngine(), items, tmp_path)
    [file] = tmp_path.glob("*.json")
    file.write_text(file.read_text("utf-8")[:-9], "utf-8")
    assert read_result(file) is None
    engine = ScriptedEngine()
    await held(engine, items, tmp_path)
    assert len(engine.history) == 2


async def test_marks_are_made_anew_and_only_for_what_was_asked() -> None:
    items = small_exam()
    result = await held(ScriptedEngine("Mira: Aye."), items)
    judged = result.marks(items, ("Mira",))
    assert judged[0].form == ("speaks for others",)
    assert [one.item for one in judged] == list(items)
    with pytest.raises(ExamImpossible, match="hold the exam again") as raised:
        replace(result, replies=result.replies[1:]).marks(items)
    assert isinstance(raised.value, LearningError)


async def test_a_scene_goes_on_from_what_was_replied_in_it() -> None:
    items = tuple(item for item in exam_of("mira", whole=True) if item.scene == "01")
    engine = ScriptedEngine("Hello.", "I'm Mira.", "One.", "Two.", "Biscuit, you said.", "Mira again.")
    result = await held(engine, items)
    last = engine.history[-1].prompt
    assert last.index("mule Biscuit, she bites") < last.index("I'm Mira.") < last.index("Biscuit, you said.")
    assert "Hello." not in engine.history[0].prompt.split("Ana:")[-1]
    other = tuple(item for item in exam_of("mira", whole=True) if item.scene in {"01", "02"})
    engine = ScriptedEngine(*["Well."] * 12)
    await held(engine, other)
    assert "Biscuit" not in engine.history[6].prompt, "another scene begins anew"
    assert [one.right for one in result.marks(items)] == [True] * 6


async def test_how_long_lines_took_is_kept_with_them(tmp_path: Path) -> None:
    items = small_exam()[:3]
    result = await held(ScriptedEngine(), items, tmp_path)
    assert all(reply.total_ms > 0 and reply.tokens for reply in result.replies)
    assert await held(ScriptedEngine(), items, tmp_path) == result


def test_needs_say_what_is_lacking() -> None:
    item = Item("grounding", "price", "f", "v", "q", (Need(("8 copper",)), Need(("ale", "stew", "oil"), 2)))
    assert mark(item, "Ale.").faults == ("lacks 8 copper", "lacks 2 of: ale / stew / oil")
