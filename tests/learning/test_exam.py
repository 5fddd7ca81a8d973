"""The exam: questions of its own wording, replies judged without a judge, and numbers with their intervals."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from characters.knowledge import facts_of
from characters.library import Library
from characters.prompt import Budget, Part
from characters.sheet import Knowledge, Sheet, Ware
from learning.errors import LearningError
from learning.exam import report
from learning.exam.errors import ExamImpossible
from learning.exam.form import form_faults
from learning.exam.items import every_item, make_items
from learning.exam.matching import Mark, mark
from learning.exam.phrasings import inventions, phrasings
from learning.exam.reading import holds, money, numbers, quotes
from learning.exam.rejecting import claims, rejects
from learning.exam.running import PLAYER, Reply, Result, prompt_of, read_result, sit
from learning.exam.scoring import compare, mcnemar, score, wilson
from learning.exam.values import Item, Need, items_hash
from learning.starter.tokens import TEMPLATE
from learning.teachers.offline import asking
from tests.fakes.people import make_sheet, make_world
from tests.fakes.program import understudy
from tests.fakes.scripted_engine import ScriptedEngine

LIBRARY = Library()
REPLIES = yaml.safe_load((Path(__file__).parent / "exam_replies" / "known.yaml").read_text("utf-8"))
ENOUGH = 0.95


@lru_cache
def pool(npc: str) -> tuple[Item, ...]:
    sheet = LIBRARY.get(npc)
    others = [LIBRARY.get(other) for other in LIBRARY.slugs() if other != npc]
    return every_item(sheet, LIBRARY.world(sheet.world), 1, others=others, knower=npc)


@lru_cache
def exam_of(npc: str) -> tuple[Item, ...]:
    sheet = LIBRARY.get(npc)
    others = [LIBRARY.get(other) for other in LIBRARY.slugs() if other != npc]
    return make_items(sheet, LIBRARY.world(sheet.world), 1, others=others, knower=npc)


def small_exam(**changes: object) -> tuple[Item, ...]:
    return make_items(make_sheet(**changes), make_world(), 1)


# --- wordings ----------------------------------------------------------------------------------


def alternatives(pattern: str) -> Iterator[str]:
    """Every sentence one of the teacher's patterns stands for."""
    found = re.search(r"\(([^()]*)\)", pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split("|"):
        yield from alternatives(pattern[: found.start()] + choice + pattern[found.end() :])


def words_with_slots(text: str) -> list[str]:
    """A phrasing's words; whatever fills a slot is one and the same word."""
    return re.findall(r"[a-z0-9']+|slotmark", re.sub(r"\{\w+\}", " slotmark ", text).casefold())


def grams(words: Sequence[str], width: int = 6) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + width]) for at in range(len(words) - width + 1)}


def teachers_grams() -> set[tuple[str, ...]]:
    tables = [pattern for patterns in asking.QUESTIONS.values() for pattern in patterns]
    tables += asking.MODERN_QUESTIONS
    taught: set[tuple[str, ...]] = set()
    beginnings: set[tuple[str, ...]] = set()
    for sentence in itertools.chain.from_iterable(map(alternatives, tables)):
        words = words_with_slots(sentence)
        taught |= grams(words)
        beginnings.add(tuple(words[:5]))
    for lead_in in itertools.chain.from_iterable(map(alternatives, asking.LEAD_INS)):
        taught |= {gram for start in beginnings for gram in grams([*words_with_slots(lead_in)[-5:], *start])}
    return taught


def test_no_six_words_in_a_row_are_the_teachers() -> None:
    taught = teachers_grams()
    assert ("how", "much", "would", "the", "slotmark", "cost") in taught, "the teacher's tables are read"
    shared = {
        (kind, " ".join(gram)) for kind, texts in phrasings().items() for text in texts
        for gram in grams(words_with_slots(text)) & taught
    }  # fmt: skip
    assert not shared


def test_every_kind_of_question_has_eight_wordings_and_all_differ() -> None:
    assert all(len(texts) >= 8 for texts in phrasings().values())
    everything = [text for texts in phrasings().values() for text in texts if "{" in text]
    folded = Counter(" ".join(words_with_slots(text)) for text in everything)
    assert [text for text, times in folded.items() if times > 2] == []


def test_wordings_are_typed_as_people_type() -> None:
    texts = [text for many in phrasings().values() for text in many]
    assert sum(text[:1].islower() for text in texts) > len(texts) / 4, "many without a capital"
    assert sum(text[-1] not in ".?!" for text in texts) > len(texts) / 5, "many without their mark"
    assert any(word in " ".join(texts).split() for word in ("wats", "hw", "ur", "recipie"))


def test_nothing_invented_is_the_teachers_or_stands_in_a_shipped_world() -> None:
    assert not set(inventions()["modern"]) & set(asking.MODERN)
    told = " ".join(
        known.fact.text for slug in LIBRARY.slugs()
        for known in facts_of(LIBRARY.get(slug), LIBRARY.world(LIBRARY.get(slug).world), slug)
    )  # fmt: skip
    for name in (*inventions()["strangers"], *inventions()["nowhere"]):
        assert not holds(told, name)


# --- items -------------------------------------------------------------------------------------


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


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "coppers"), [
    ("8 copper", [8]), ("Eight coppers, love.", [8]), ("8cp", [8]), ("eight copper pieces", [8]), ("5 silver", [50]),
    ("2 gold and 5 silver", [250]), ("twenty-five gold", [2500]), ("a hundred gold", [10000]), ("a dozen coppers", [12]),
    ("1,200 gold", [120000]), ("one silver", [10]), ("a silver mirror", []), ("not 8 copper but ten copper", [10]),
    ("Five silver. Fifty copper if you must.", [50, 50]), ("eight, I think", []), ("a gold piece each", [100]),
])  # fmt: skip
def test_a_price_is_read_in_any_writing(text: str, coppers: list[int]) -> None:
    assert [price.coppers for price in money(text)] == coppers


def test_manners_of_speaking_are_no_numbers() -> None:
    assert numbers("I told you a hundred times, two hundred and twenty goats, one of them blue") == {220}
    assert numbers("the third pier, twenty-one men") == {21}


@pytest.mark.parametrize(("text", "phrase", "held"), [
    ("The wolves took a goat.", "wolf|wolves", True), ("Mira's stove", "Mira", True), ("admirable", "Mira", False),
    ("down Rope Lane, dear", "rope lane", True), ("the twelfth of Fog", "12th", True), ("ale and stew", "brown ale|ale", True),
    ("a pale face", "ale", False), ("sixteen coppers", "16 copper", True), ("16 silver", "16 copper", False),
    ("the 5 guild masters", "five", True),
])  # fmt: skip
def test_a_phrase_is_held_as_whole_words_and_by_value(text: str, phrase: str, held: bool) -> None:
    assert holds(text, phrase) is held


def test_a_saying_may_lose_a_word_and_no_more() -> None:
    assert quotes("Pay first and weep later, I say.", "Pay first, weep later.")
    assert not quotes("Pay later.", "Pay first, weep later.")


@given(st.integers(2, 99))
def test_number_words_and_digits_are_one(value: int) -> None:
    ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    if value < 20:
        spelt = ones.split()[value]
    else:
        spelt = tens.split()[value // 10 - 2] + (f"-{ones.split()[value % 10]}" if value % 10 else "")
    assert numbers(f"about {spelt} of them") == numbers(f"about {value} of them") == {value}


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    money(text), numbers(text), rejects(text, "barcode scanner"), claims(text, "Osric Gault"), form_faults(text)


# --- judging -----------------------------------------------------------------------------------


def labelled() -> Iterator[tuple[str, str, bool, bool]]:
    """(what it answers, reply, label, the matcher's verdict)."""
    for group in REPLIES:
        for reply in group.get("replies", ()):
            yield "form", reply, group["form"] == "good", not form_faults(reply, names=("Mira", "Mira Dunmore", PLAYER))
        for label in ("right", "wrong"):
            for reply in group.get(label, ()):
                yield str(group["item"]), reply, label == "right", mark(item_of(group["item"]), reply).right


def item_of(wanted: dict[str, str]) -> Item:
    found = [
        item for item in pool(wanted["npc"])
        if item.kind == wanted["kind"] and wanted.get("field") in {None, item.field}
        and wanted.get("thing") in {None, item.thing}
    ]  # fmt: skip
    assert found, f"no item for {wanted}"
    return found[0]


def test_the_matcher_agrees_with_the_labels() -> None:
    judged = list(labelled())
    assert len(judged) >= 120
    apart = [f"{where}: {reply!r} is {label}" for where, reply, label, verdict in judged if label is not verdict]
    share = 1 - len(apart) / len(judged)
    assert share >= ENOUGH, f"agreement {share:.1%} over {len(judged)}; apart: " + "; ".join(apart)


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


# --- scoring -----------------------------------------------------------------------------------


def marks(pattern: str, category: str = "grounding") -> list[Mark]:
    """One mark a letter: + right, - wrong, ~ right and badly formed."""
    return [
        Mark(Item(category, "price", f"f{at}", "v", "q"), "r", () if sign in "+~" else ("lacks it",),  # type: ignore[arg-type]
             ("loops",) if sign == "~" else (), False)
        for at, sign in enumerate(pattern)
    ]  # fmt: skip


def test_the_interval_is_wilsons() -> None:
    share = wilson(45, 50)
    assert (share.share, share.low, share.high) == (0.9, pytest.approx(0.7864, abs=1e-4), pytest.approx(0.9565, abs=1e-4))
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(20, 20).high == 1.0


@given(st.integers(1, 300), st.floats(0, 1))
def test_the_share_lies_in_its_interval(n: int, part: float) -> None:
    found = wilson(round(part * n), n)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_every_category_is_counted_by_itself_and_form_over_all() -> None:
    found = score([*marks("++-"), *marks("+~", "identity")])
    assert (found["grounding"].right, found["grounding"].n) == (2, 3)
    assert (found["identity"].right, found["identity"].n) == (2, 2)
    assert (found["form"].right, found["form"].n) == (4, 5)
    assert found["unknown"].n == 0


def test_a_refusal_of_what_it_knows_is_a_false_refusal() -> None:
    refused = [replace(one, refused=True) for one in marks("+--")]
    assert score(refused)["false refusals"].right == 2


def test_two_exams_are_compared_question_by_question() -> None:
    found = compare(marks("++--" * 10), marks("+-++" * 10))["grounding"]
    assert (found.n, found.first, found.second, found.gain) == (40, 0.5, 0.75, pytest.approx(0.25))
    assert (found.gained, found.lost) == (20, 10)
    assert found.low < 0.25 < found.high
    assert found == compare(marks("++--" * 10), marks("+-++" * 10))["grounding"], "the seed is fixed"


def test_an_exam_does_not_differ_from_itself() -> None:
    found = compare(marks("+-+"), marks("+-+"))["grounding"]
    assert (found.gain, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert mcnemar(1, 9) == pytest.approx(0.0215, abs=1e-4)


def test_only_shared_questions_are_compared() -> None:
    assert compare(marks("+-+"), marks("++"))["grounding"].n == 2


# --- sitting it --------------------------------------------------------------------------------


def part() -> Part:
    return Part("mira", make_sheet(), make_world())


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


async def test_the_report_gives_n_and_interval_and_the_worst_replies() -> None:
    items = small_exam()
    result = await held(ScriptedEngine("rock rock rock rock"), items)
    judged = result.marks(items)
    page = report.markdown(result, judged, "Mira")
    assert f"| form | {len(items) - 1} | {len(items)} |" in page
    assert "“rock rock rock rock”" in page
    other = replace(result, replies=tuple(Reply(r.item, "I don't know that.", "stop") for r in result.replies))
    two = report.markdown_of_two([result, other], [judged, other.marks(items)], "Mira")
    assert re.search(r"\| unknown \| \d+ \| 0% \| \d+% \| \+\d+%", two)
    told = report.as_json(result, judged)
    assert json.loads(json.dumps(told))["scores"]["form"]["n"] == len(items)


def test_needs_say_what_is_lacking() -> None:
    item = Item("grounding", "price", "f", "v", "q", (Need(("8 copper",)), Need(("ale", "stew", "oil"), 2)))
    assert mark(item, "Ale.").faults == ("lacks 8 copper", "lacks 2 of: ale / stew / oil")


# --- the command -------------------------------------------------------------------------------


def test_the_command_holds_an_exam_and_compares_two(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "exam.md"
    settings = {"UNDERSTUDY_SAMPLING_MAX_TOKENS": "8"}
    done = understudy("exam", "mira", "--model", tiny_model, "--json", "--out", out, **settings)
    assert done.status == 0, done.err
    assert done.value["items"] == len(exam_of("mira"))
    assert out.read_text("utf-8").startswith("# Mira Dunmore: the exam")
    two = understudy("exam", "mira", "--model", tiny_model, "--compare", "base", "base", "--json", **settings)
    assert two.value["differences"]["grounding"]["gain"] == 0.0


def test_the_command_says_what_it_cannot_find() -> None:
    done = understudy("exam", "mira", "--adapter", "nobody")
    assert done.status == 1
    assert "There is no adapter 'nobody' of mira" in done.err
    assert understudy("exam", "mira", "--model", "no.gguf").status == 1
