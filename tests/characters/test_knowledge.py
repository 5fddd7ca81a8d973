"""Which facts come to hand for which question."""

import pytest

from characters.knowing import When
from characters.knowledge import FactIndex, facts_of, index_of, mentions
from characters.messages import Fact, Turn
from characters.prices import Price
from characters.prompt import Part, look_up
from characters.sheet import Knowledge
from tests.fakes.people import make_sheet, make_world


def search(question: str, before: tuple[Turn, ...] = ()) -> list[str]:
    return [fact.key for fact in index_of(make_sheet(), make_world(), "mira").search(question, before)]


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("Who are you?", "name"),
        ("what do you sell", "wares"),
        ("How much is the rope?", "wares.hempen rope"),
        ("tell me about the church", "opinions.the temple"),
        ("any news of the flooding?", "knowledge.the flood"),
        ("how do I make river stew?", "recipes.river stew"),
        ("We're looking for work.", "quests.The Lost Bell"),
        ("where is the mill", "places.Old Mill"),
        ("Who rules this town?", "politics"),
        ("do you know Tobin?", "relations.Tobin"),
        ("Who is Ostan?", "people.Ostan Reed"),
        ("what day is it?", "date"),
        ("where are you from?", "backstory"),
        ("what do you want most?", "objectives"),
        ("do you have a motto?", "speech.mottos"),
        ("where do u live", "home"),
        ("which city is this?", "home"),
        ("what's your line of work?", "trade"),
        ("any wishes left in you? a dream of yours?", "objectives"),
        ("how do you earn your bread, Mira?", "trade"),
        ("what goods have you", "wares"), ("What is good to eat?", "wares"),
        ("which sayings do you keep?", "speech.mottos"),
        ("whom do I have the honour of meeting? a name would do", "name"),
    ],
)
def test_a_question_brings_the_fact_that_answers_it_first(question: str, key: str) -> None:
    assert search(question)[0] == key


def test_being_called_by_name_is_no_question_about_oneself() -> None:
    assert search("sell me a crystal ball, Mira") == []
    assert search("who is Mira?")[0] == "name"


def test_everyday_words_alone_bring_nothing() -> None:
    assert search("who turns out to be the villain of this whole story") == []
    assert search("is Moonfall Terrace still open at this hour of the night") == []


def test_a_greeting_around_a_question_leaves_the_question() -> None:
    part = Part("mira", make_sheet(), make_world())
    found = look_up(part, [Turn("Ana", "Hello Mira, how much is the rope?")])
    assert [fact.key for fact in found] == ["wares.hempen rope"]


@pytest.mark.parametrize("question", ["Do you have a smartphone?", "goodbye", "Is there a dragon in the bath?", ""])
def test_a_question_about_nothing_known_brings_nothing(question: str) -> None:
    assert search(question) == []


def test_a_follow_up_finds_what_the_last_line_was_about() -> None:
    line = Turn("Mira", "Good rope.", "mira", (Fact("wares.hempen rope", "hempen rope: 1 gold."),))
    assert search("how much is it?", (line,))[0] == "wares.hempen rope"


def test_buying_several_brings_the_sum_worked_out() -> None:
    line = Turn("Mira", "Good rope.", "mira", (Fact("wares.hempen rope", "hempen rope: 1 gold."),))
    found = index_of(make_sheet(), make_world(), "mira").search("I'll take three", (line,))
    assert found[0].text == "3 hempen rope together: 3 gold."


def test_a_secret_is_among_nobodys_facts() -> None:
    assert not [known for known in facts_of(make_sheet(), make_world()) if "deserter" in known.fact.text]


def test_a_fact_with_owners_is_known_to_them_alone() -> None:
    item = Knowledge(topic="the key", text="The key lies under the mat.", known_by=("mira",))
    sheet = make_sheet(knowledge=(item,))
    assert any("mat" in known.fact.text for known in facts_of(sheet, None, "mira"))
    other = make_sheet(name="Tobin Reed", knowledge=(item,))
    assert not any("mat" in known.fact.text for known in facts_of(other, None, "tobin"))


def test_a_changed_price_changes_the_fact() -> None:
    wares = tuple(ware.model_copy(update={"price": "7 silver"}) for ware in make_sheet().wares)
    index = FactIndex(facts_of(make_sheet(wares=wares), None, "mira"))
    assert "7 silver" in index.search("how much is the rope?")[0].text


def test_names_are_mentioned_as_whole_words_only() -> None:
    assert mentions("Mira Dunmore", "Well, Mira, what now?")
    assert not mentions("Mira Dunmore", "An admirable house.")


def test_prices_are_read_multiplied_and_written() -> None:
    price = Price.find("hempen rope: 12 gp, sturdy")
    assert price == Price(12, "gold")
    assert str(price.times(3)) == "36 gold"
    assert price.coppers == 1200
    assert Price.find("no price at all") is None


def test_some_of_a_ware_is_still_counted_when_the_talk_has_gone_on_to_something_else() -> None:
    index = index_of(make_sheet(), make_world(), "mira")
    rope = next(known.fact for known in index.facts if known.fact.key == "wares.hempen rope")
    priced = (Turn("Ana", "How much is the rope?"), Turn("Mira", "1 gold.", "mira", (rope,)))
    temple = (Turn("Ana", "And the church?"), Turn("Mira", "It is old.", "mira", ()))
    found = index.search("I'll take two.", (*priced, *temple, *temple))
    assert "sum.hempen rope" in [fact.key for fact in found]
    assert index.search("Two of you are fools.", (*priced, *temple)) == index.search("Two of you are fools.", temple)
    assert "sum.hempen rope" not in [fact.key for fact in index.search("I'll take two.", (*priced, *temple * 4))]


@pytest.mark.parametrize("offer", ["Can you do it for 10 copper?", "Come on, ten silver for it!", "I'd give you 3 gp for it."])
def test_coins_that_are_offered_are_no_count_of_wares(offer: str) -> None:
    line = Turn("Mira", "Good rope.", "mira", (Fact("wares.hempen rope", "hempen rope: 1 gold."),))
    found = search(offer, (line,))
    assert "wares.hempen rope" in found
    assert not [key for key in found if key.startswith("sum.")]


def test_scenes_that_bring_nothing_new_share_one_index() -> None:
    sheet, world = make_sheet(), make_world()
    first, later = (index_of(sheet, world, "mira", When(scenes=scenes)) for scenes in ((), ("The flood",)))
    assert first is later
