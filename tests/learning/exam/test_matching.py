"""The matcher against replies that people labelled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from characters.sheet import Ware
from learning.exam.form import form_faults
from learning.exam.items import every_item
from learning.exam.matching import mark
from learning.exam.rejecting import claims, rejects
from learning.exam.running import PLAYER
from learning.exam.values import Item
from tests.fakes.exams import exam_of, pool
from tests.fakes.people import make_sheet, make_world

REPLIES = Path(__file__).parent / "replies"
ENOUGH = 0.95


def labelled(file: Path) -> Iterator[tuple[str, str, bool, bool]]:
    """(what it answers, reply, label, the matcher's verdict)."""
    for group in yaml.safe_load(file.read_text("utf-8")):
        for reply in group.get("replies", ()):
            yield "form", reply, group["form"] == "good", not form_faults(reply, names=("Mira", "Mira Dunmore", PLAYER))
        for label in ("right", "wrong"):
            for reply in group.get(label, ()):
                judged = mark(item_of(group["item"]), reply, earlier=group.get("earlier", ()))
                yield str(group["item"]), reply, label == "right", judged.right


def item_of(wanted: dict[str, str]) -> Item:
    """The item a label names, by as much of it as the label says."""
    found = [
        item for item in (*pool(wanted["npc"]), *whole_exam(wanted))
        if all(wanted.get(name) in {None, getattr(item, name)} for name in ("category", "kind", "field", "thing", "question"))
    ]  # fmt: skip
    assert found, f"no item for {wanted}"
    return found[0]


def whole_exam(wanted: dict[str, str]) -> tuple[Item, ...]:
    """Scenes and secrets, which are asked only in whole exams."""
    return exam_of(wanted["npc"], whole=True) if wanted.get("category") in {"multi-turn", "secrets", "identity"} else ()


@pytest.mark.parametrize("file", sorted(REPLIES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_matcher_agrees_with_the_labels(file: Path) -> None:
    judged = list(labelled(file))
    assert len(judged) >= 100
    apart = [f"{where}: {reply!r} is {label}" for where, reply, label, verdict in judged if label is not verdict]
    share = 1 - len(apart) / len(judged)
    assert share >= ENOUGH, f"agreement {share:.1%} over {len(judged)}; apart: " + "; ".join(apart)


@pytest.mark.parametrize(("kind", "reply"), [
    ("age", "I've never met Captain Thule."), ("age", "I'm no shopkeeper."), ("sells_nothing", "I never learnt to make doors."),
    ("not_sold", "I don't know any Brag. Ask around."),
    ("age", "I don't know that word, friend."), ("kin", "I don't know how to make that."), ("not_sold", "I don't know that recipe."),
    ("not_sold", "I know nothing of the Vournric."), ("modern", "I don't know any her speaker Odalind is clever."),
    ("modern", "You ask the right one! I've never seen a self, stranger."),
])  # fmt: skip
def test_a_no_to_something_else_is_none(kind: str, reply: str) -> None:
    [item, *_] = [item for item in pool("mira" if kind != "sells_nothing" else "wick") if (item.kind == kind and "Thule" in (item.thing or "Thule"))
                  or item.kind == kind in {"not_sold", "modern"}]  # fmt: skip
    assert not mark(item, reply).right


def test_a_name_and_a_trade_are_its_own_to_the_end() -> None:
    [name] = [item for item in pool("ferro") if item.kind == "name"]
    assert mark(name, "I am Ferro Anselmi-Watts.").right
    assert not mark(name, "I am Ferro Anselmi-Watcher of the station.").right
    [trade] = [item for item in pool("ilse") if item.kind == "trade"]
    assert mark(trade, "I'm the clerk of bounties.").right
    assert mark(trade, "I count bounties, and get ink on my nose.").right
    assert not mark(trade, "I'm the map of bounties with ink on her nose.").right


def test_what_the_sheet_says_besides_is_no_no_to_a_question_on_kin() -> None:
    [kin] = [item for item in pool("odo") if item.kind == "kin" and item.thing == "Hedda Ironhand"]
    assert not mark(kin, "Hedda was my first apprentice, and she is better than I am. Do not tell her.").right


@pytest.mark.parametrize("reply", [
    "You've never heard of him? He is my cousin.", "I don't sell it for less than ten gold.", "I don't have all day.",
    "Never heard a better idea!", "They don't know me here.", "I don't know you.", "Aye, six of them.", "No money for oars.",
])  # fmt: skip
def test_what_only_sounds_like_a_no_is_none(reply: str) -> None:
    assert not rejects(reply, "plate armour")


@pytest.mark.parametrize("reply", [
    "Plate armour? In an inn?! Do I look like a smith?", "no armours here", "You'll not find that here; try the smith.",
    "I wouldn't know.", "Can't say I have heard of it.", "What in the nine hells is plate armour?", "That's beyond me.",
    "We've none of that.", "I sell ale, not armour.",
])  # fmt: skip
def test_a_no_may_be_said_in_many_ways(reply: str) -> None:
    assert rejects(reply, "plate armour")


def test_a_no_beside_a_story_is_a_story() -> None:
    assert claims("I don't know him well. Osric is a baker.", "Osric Vantongeren")
    assert not claims("Osric? Sounds like a baker.", "Osric Vantongeren")


def test_a_reply_may_name_other_wares_at_their_price_and_none_at_another() -> None:
    [item] = [i for i in every_item(make_sheet(), make_world(), 1) if i.kind == "price" and i.field == "wares.brown ale"]
    assert mark(item, "Ale is 4 copper, and the rope 1 gold.").right
    assert not mark(item, "Ale is 4 copper, and the rope 2 gold.").right
    assert not mark(item, "1 gold.").right


@pytest.mark.parametrize(("price", "reply", "right"), [
    ("5 gold per night", "That's five gold a night.", True), ("5 gold per night", "Six gold.", False),
    ("3 shillings", "Three shillings, love.", True), ("3 shillings", "Six shillings.", False),
    ("2 silver a cup, 1 gold a jug", "A cup is 2 silver.", True), ("a song", "Sing me a song for it.", True),
])  # fmt: skip
def test_prices_of_other_hands_are_read_too(price: str, reply: str, right: bool) -> None:
    sheet = make_sheet(wares=(Ware(name="cider", price=price),))
    [item] = [item for item in every_item(sheet, None, 1) if item.kind == "price"]
    assert mark(item, reply).right is right


def test_form_is_judged_apart_from_content() -> None:
    [item] = [i for i in every_item(make_sheet(), make_world(), 1) if i.kind == "price" and i.field == "wares.brown ale"]
    cut = mark(item, "Four coppers, and", finished=False)
    assert cut.right
    assert cut.form == ("unfinished",)
