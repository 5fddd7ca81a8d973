"""What an exam asks: questions that know what a right reply holds."""

from collections import Counter

import pytest

from characters.knowledge import facts_of
from characters.sheet import Knowledge, Sheet, Ware
from learning.exam.items import every_item, make_items
from learning.exam.matching import mark
from learning.exam.values import items_hash
from tests.fakes.exams import LIBRARY, exam_of, pool
from tests.fakes.people import make_sheet, make_world


@pytest.mark.parametrize("npc", LIBRARY.slugs())
def test_the_exam_of_every_shipped_npc_is_of_a_bearable_size_and_asks_nothing_twice(npc: str) -> None:
    items = exam_of(npc)
    counts = Counter(item.category for item in items)
    assert 60 <= len(items) <= 150
    assert counts["grounding"] >= 30
    assert counts["unknown"] >= 30
    assert counts["identity"] >= 12
    assert len({item.id for item in items}) == len(items) == len({(item.question.casefold(), item.before) for item in items})
    assert not [item.question for item in items if "{" in item.question]


@pytest.mark.parametrize("npc", LIBRARY.slugs())
def test_every_grounding_item_is_answered_rightly_by_its_own_field(npc: str) -> None:
    lacking = [
        (item.kind, item.field, mark(item, item.value).faults) for item in exam_of(npc)
        if item.category == "grounding" and item.kind not in {"total", "total_after", "reward"}
        and not mark(item, item.value).right
    ]  # fmt: skip
    assert not lacking


@pytest.mark.parametrize("npc", LIBRARY.slugs())
def test_whoever_says_the_fact_at_hand_is_right(npc: str) -> None:
    sheet = LIBRARY.get(npc)
    texts = {known.fact.key: known.fact.text for known in facts_of(sheet, LIBRARY.world(sheet.world), npc)}
    wrong = [
        (item.kind, item.question, texts[item.field], mark(item, texts[item.field]).faults) for item in pool(npc)
        if item.category == "grounding" and item.field in texts and item.kind not in {"total", "total_after"}
        and not mark(item, texts[item.field]).right
    ]  # fmt: skip
    assert not wrong


@pytest.mark.parametrize("npc", LIBRARY.slugs())
def test_no_item_is_answered_rightly_by_a_greeting(npc: str) -> None:
    line = "Well met, stranger. Sit down by the fire and warm yourself."
    assert not [item.question for item in exam_of(npc) if item.category != "form-only" and mark(item, line).right]


def test_the_same_seed_makes_the_same_exam_and_another_seed_another() -> None:
    sheet, world = make_sheet(), make_world()
    assert make_items(sheet, world, 1) == make_items(sheet, world, 1)
    assert items_hash(make_items(sheet, world, 1)) != items_hash(make_items(sheet, world, 2))


def test_a_changed_price_makes_only_the_items_that_rest_on_it_anew() -> None:
    cheap, dear = (every_item(make_sheet(wares=(Ware(name="brown ale", price=price), Ware(name="hempen rope", price="1 gold")),
                                         knowledge=()), None, 1) for price in ("4 copper", "6 copper"))  # fmt: skip
    before, after = {(i.kind, i.field): i for i in cheap}, {(i.kind, i.field): i for i in dear}
    assert before["price", "wares.brown ale"].value == "4 copper"
    assert after["price", "wares.brown ale"].value == "6 copper"
    assert [i.question for i in cheap] == [i.question for i in dear], "the wording stays"
    assert before["motto", "speech.mottos"].id == after["motto", "speech.mottos"].id
    assert before["price", "wares.brown ale"].id != after["price", "wares.brown ale"].id


def test_a_sheet_that_says_little_still_makes_an_exam() -> None:
    bare = Sheet.model_validate({"name": "Tolly", "kind": "conversational", "description": "a ferryman", "world": "w",
                                 "speech": {"voice": "Plain."}})  # fmt: skip
    items = make_items(bare, None, 1)
    assert {item.category for item in items} == {"identity", "unknown", "form-only"}
    assert any(item.kind == "sells_nothing" for item in items)


def test_a_fact_with_owners_is_asked_of_an_owner_and_withheld_from_everybody_else() -> None:
    owned = Knowledge(topic="the vault", text="The vault opens at the ninth knock.", known_by=("mira", "Somebody"))
    sheet = make_sheet(name="Orla Venn", knowledge=(owned,))
    knows = every_item(sheet, make_world(), 1, knower="mira")
    ignorant = every_item(sheet, make_world(), 1, knower="orla")
    assert [item.category for item in knows if item.field == "knowledge.the vault"] == ["grounding"]
    [item] = [item for item in ignorant if item.field == "knowledge.the vault"]
    assert (item.category, item.kind, item.rejects) == ("unknown", "withheld", True)
    assert not mark(item, "I don't know much, but it opens at the ninth knock.").right
    assert mark(item, "I know nothing of a vault.").right


def test_what_belongs_to_others_is_asked_for_unless_the_npc_has_it_too() -> None:
    other = make_sheet(name="Odo Thistle", wares=(Ware(name="brown ale", price="9 gold"), Ware(name="tin whistle", price="2 gold")))
    asked = {item.thing for item in every_item(make_sheet(), make_world(), 1, others=[other]) if item.kind == "not_sold"}
    assert "tin whistle" in asked
    assert "brown ale" not in asked


def test_a_sum_is_asked_at_once_and_after_the_price() -> None:
    items = {item.kind: item for item in every_item(make_sheet(), make_world(), 1) if item.field == "wares.brown ale"}
    assert items["total"].before == ()
    [(question, answer)] = items["total_after"].before
    assert "brown ale" in question
    assert answer == "The brown ale is 4 copper."
    assert mark(items["total_after"], "Eight coppers for the pair.").right
