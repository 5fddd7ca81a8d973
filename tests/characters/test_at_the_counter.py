"""A table orders, changes its mind, pays and asks for the bill: what comes to hand is what was ordered of whom."""

import pytest

from characters.library import Library
from characters.messages import Turn
from characters.orders import counted, pays, refusal, takes
from characters.prices import Price
from characters.prompt import Part, look_up

LIBRARY = Library(None)


def part(slug: str) -> Part:
    sheet = LIBRARY.get(slug)
    return Part(slug, sheet, LIBRARY.world(sheet.world))


def played(*said: str | tuple[str, str], npc: str = "mira") -> list[list[str]]:
    """What is at hand for each answer; a pair names the NPC that gives it."""
    turns, found = list[Turn](), list[list[str]]()
    for one in said:
        slug, text = one if isinstance(one, tuple) else (npc, one)
        turns.append(Turn("Ana", text))
        hand = look_up(part(slug), turns)
        found.append([fact.text for fact in hand if fact.source != "style"])
        turns.append(Turn(slug, "Aye.", slug, hand))
    return found


def billed(*said: str | tuple[str, str], npc: str = "mira") -> str:
    [*_, last] = played(*said, "What do we owe you?", npc=npc)
    return last[0].removeprefix("bill: ") if last and last[0].startswith("bill: ") else ""


@pytest.mark.parametrize(("order", "together"), [
    ("Two ales and a bath, please.", "2 brown ale and bath together: 2 silver and 8 copper."),
    ("One ale and two baths please.", "brown ale and 2 bath together: 4 silver and 4 copper."),
    ("Two ales for me and three stews for my friends.", "2 brown ale and 3 eel stew together: 3 silver and 2 copper."),
    ("Two ales and an eel stew, please", "2 brown ale and eel stew together: 1 silver and 6 copper."),
    ("Half a dozen ales!", "6 brown ale together: 24 copper."),
    ("We'll have two dozen ales.", "24 brown ale together: 96 copper."),
    ("Bring us twenty-two ales.", "22 brown ale together: 88 copper."),
])  # fmt: skip
def test_a_number_counts_what_is_named_after_it(order: str, together: str) -> None:
    [hand] = played(order)
    assert hand[0] == together
    assert len(hand) == 1 or " and " not in hand[0].split(" together")[0], "a sum of several stands alone"


def test_an_order_of_two_wares_is_billed_whole() -> None:
    assert billed("Two ales and a bath, please.") == "2 silver and 8 copper. For 2 brown ale and bath."
    assert billed("Two ales for me and three stews for my friends.") == "3 silver and 2 copper. For 2 brown ale and 3 eel stew."


def test_both_is_one_of_each_of_two_and_two_of_one() -> None:
    [*_, both] = played("How much are the ale and the bath?", "I'll take both.")
    assert both[0] == "bath and brown ale together: 2 silver and 4 copper."
    [*_, both] = played("How much is the ale?", "We'll take both.")
    assert both[0] == "2 brown ale together: 8 copper."


@pytest.mark.parametrize(("said", "owed"), [
    (["I'll take two brown ales.", "Make it three."], "1 silver and 2 copper. For 3 brown ale."),
    (["I'll take two brown ales.", "Make that two baths."], "4 silver and 8 copper. For 2 brown ale and 2 bath."),
    (["Two ales and a bath, please.", "Make that three ales."], "3 silver and 2 copper. For 3 brown ale and bath."),
    (["Two ales and a bath, please.", "Never mind the bath."], "8 copper. For 2 brown ale."),
    (["I'll take the eel stew.", "Please don't bring me the bath."], "8 copper. For eel stew."),
    (["Two ales please.", "Actually, no ale, just the bath please."], "2 silver. For bath."),
    (["I'll take the eel stew, but no bath."], "8 copper. For eel stew."),
    (["Two ales.", "And don't forget the bath, please."], "2 silver and 8 copper. For 2 brown ale and bath."),
    (["Two ales.", "Forget the ales, give us a bath."], "2 silver. For bath."),
])  # fmt: skip
def test_a_change_of_mind_changes_the_bill(said: list[str], owed: str) -> None:
    assert billed(*said) == owed


@pytest.mark.parametrize("order", ["Can I have two ales?", "Could you bring us two ales?", "I'd like two ales.", "Two ales.", "We'd like to order two ales."])
def test_polite_orders_are_orders(order: str) -> None:
    assert billed(order) == "8 copper. For 2 brown ale."


@pytest.mark.parametrize("talk", ["Right, tell me about the eel stew.", "Tell me about the brown ale please.", "What is in the eel stew, please?", "I'd like to know what the bath costs."])
def test_what_is_only_talked_about_is_not_owed(talk: str) -> None:
    assert billed(talk) == ""


def test_deal_takes_what_was_priced() -> None:
    assert billed("How much is the bath?", "Deal.") == "2 silver. For bath."
    assert billed("How much for two brown ales?", "Deal.") == "8 copper. For 2 brown ale."
    assert billed("How much for two brown ales?", "Alright, I'll take them.") == "8 copper. For 2 brown ale."
    [*_, named] = played("Two ales and a bath, please.", "We'll take the bath, too.")
    assert named[0].startswith("bath: 2 silver"), "what is named is not the sum of before"


def test_asking_for_the_bill_again_does_not_bill_the_bill() -> None:
    told = played("I'll take an ale.", "The bill, please.", "Could you say the bill again, please", "The bill please!")
    assert [hand[0] for hand in told[1:]] == ["bill: 4 copper. For brown ale."] * 3


def test_an_order_counts_though_somebody_asks_something_right_after_it() -> None:
    turns = [Turn("Ana", "Two ales, please."), Turn("Ben", "Who is Hobb?")]
    hand = look_up(part("mira"), turns)
    turns += [Turn("Mira", "Aye.", "mira", hand), Turn("Ana", "What do we owe you?")]
    assert look_up(part("mira"), turns)[0].text == "bill: 8 copper. For 2 brown ale."


def test_everybody_bills_what_was_ordered_of_them() -> None:
    orders = [("mira", "Mira, two brown ales please."), ("odo", "Odo, two healing salves, please.")]
    assert billed(*orders) == "8 copper. For 2 brown ale."
    assert billed(*orders, ("odo", "Here's your gold, Odo.")) == "8 copper. For 2 brown ale."
    assert billed(*orders, ("mira", "Here's your silver, Mira.")) == ""


def test_what_another_npc_has_answered_is_not_asked_of_this_one() -> None:
    [_, salve] = played(("mira", "Two ales, please."), ("odo", "Odo, how much is a healing salve?"))
    assert not [text for text in salve if "together" in text]


@pytest.mark.parametrize("said", ["Here, 8 copper", "Here's two silver.", "*pays*", "I give you 8 copper.", "Here you go.", "Keep the change.", "I put the coins on the table."])
def test_coin_on_the_table_is_seen(said: str) -> None:
    assert pays(said)
    assert billed("I'll take an ale.", said) == ""


@pytest.mark.parametrize("said", ["Do I pay now or later?", "Can I pay tomorrow?", "We pay later, put it on the tab.", "I'll give you 2 copper for it.", "Here are two friends of mine."])
def test_talk_of_paying_pays_nothing(said: str) -> None:
    assert not pays(said)
    assert billed("I'll take an ale.", said) == "4 copper. For brown ale."


def test_a_name_that_holds_a_number_or_a_word_of_another_is_not_miscounted() -> None:
    assert counted("I'll take the 20 arrows.", ["20 arrows"]) == {"20 arrows": 1}
    assert counted("two brown ales and a ginger ale", ["ginger ale", "brown ale"]) == {"brown ale": 2, "ginger ale": 1}
    assert counted("four of the rooms, and five times the bath", ["room", "bath"]) == {"room": 4, "bath": 5}
    assert counted("hand us two of those, the room i mean", ["room", "bath"]) == {"room": 2}
    assert counted("a bath for two", ["bath"]) == {"bath": 1}
    assert counted("the stew: how much for three?", ["eel stew"]) == {"eel stew": 3}
    assert counted("10 copper for the ale?", ["brown ale"]) == {"brown ale": 1}
    assert counted("Hello.", ["brown ale"]) == {}


def test_what_is_taken_back_stands_between_the_refusal_and_the_next_clause() -> None:
    found = refusal("No ale, just the bath please.")
    assert found is not None
    assert ("ale" in found.of, "bath" in found.of) == (True, False)
    assert takes(found.rest)
    assert refusal("Two ales.") is None


@pytest.mark.parametrize(("text", "price"), [
    ("1,200 gold", Price(1200, "gold")), ("2 gold and 5 silver", Price(25, "silver")), ("2 gold, 5 silver and 3 copper", Price(253, "copper")),
    ("1.5 gp", None), ("1/2 gp", None), ("3 gold. 2 silver a night", Price(3, "gold")), ("2 silver and 3 gold", Price(2, "silver")),
])  # fmt: skip
def test_prices_are_read_whole_or_not_at_all(text: str, price: Price | None) -> None:
    assert Price.find(text) == price


@pytest.mark.parametrize("remark", [
    "That's robbery!", "Half?", "How about half that?", "Two copper, and not a coin more.", "Fine, two coppers.", "Three copper? Outrageous!",
    "Can you do it for less?", "That's a bit steep.", "My last offer.", "Is that your best price?",
])  # fmt: skip
def test_who_haggles_hears_of_the_ware_on_the_counter(remark: str) -> None:
    [*_, hand] = played("How much is the lamp oil?", remark)
    assert hand[0].startswith("lamp oil: 3 copper.")
    assert billed("How much is the lamp oil?", remark) == "", "nobody has taken it yet"


def test_who_haggles_over_an_order_hears_of_its_sum() -> None:
    [*_, hand] = played("Two ales and a bath, please.", "That is far too much!")
    assert hand[0] == "2 brown ale and bath together: 2 silver and 8 copper."


def test_robbery_is_no_haggling_where_nothing_was_priced() -> None:
    [hand] = played("Was there a robbery at the bridge last night?")
    assert not any(" copper" in fact for fact in hand)


@pytest.mark.parametrize("payment", [
    "Here's the coin.", "I pay her.", "*puts eight coppers on the counter*", "Keep the change.", "Here you go, 8 copper.", "*lays the money down*",
])  # fmt: skip
def test_who_pays_hears_the_sum_of_what_was_taken(payment: str) -> None:
    [*_, hand] = played("Two ales, please.", "And a lovely evening.", payment)
    assert hand == ["2 brown ale together: 8 copper."]
    assert billed("Two ales, please.", payment) == ""


def test_who_pays_for_what_was_only_priced_hears_its_price() -> None:
    [*_, hand] = played("How much is the lamp oil?", "Here's the coin.")
    assert hand == ["lamp oil together: 3 copper."]


def test_who_pays_where_nothing_was_priced_hears_nothing_of_wares() -> None:
    [*_, hand] = played("Nice weather today.", "Here's the coin.")
    assert hand == []


def test_who_has_taken_nothing_owes_nothing_though_a_price_was_named() -> None:
    [*_, hand] = played("How much for a room?", "What do I owe you?")
    assert hand == []
    [*_, hand] = played("How much for a room?", "What do we owe you for two of those?")
    assert hand[0] == "2 room together: 10 silver."


@pytest.mark.parametrize(("remark", "begins"), [
    ("Good evening, two ales please!", "2 brown ale together: 8 copper."), ("Hello! I need a room.", "room: 5 silver"),
    ("Hi, tell me about the temple.", "On the"), ("Thanks Mira, two more ales please!", "2 brown ale together: 8 copper."),
])  # fmt: skip
def test_a_greeting_or_thanks_swallows_no_order_and_no_question(remark: str, begins: str) -> None:
    [hand] = played(remark)
    assert hand[0].startswith(begins)


def test_an_order_said_with_a_greeting_or_thanks_is_billed() -> None:
    assert billed("Good evening, two ales please!") == "8 copper. For 2 brown ale."
    assert billed("Two ales please.", "Thanks Mira, two more ales please!") == "1 silver and 6 copper. For 4 brown ale."


@pytest.mark.parametrize("order", [
    "I need two ales.", "I want two ales.", "Let's have two ales.", "Gimme two ales", "I'll order two ales.", "We take two ales.", "Yes, two ales.",
    "Ok two ales.", "I'd love two ales.", "Add two ales.", "Just two ales.", "I'll go with two ales.", "2x ale", "And throw in two ales.",
])  # fmt: skip
def test_an_order_is_an_order_however_people_word_it(order: str) -> None:
    assert billed(order) == "8 copper. For 2 brown ale."


@pytest.mark.parametrize("order", ["An ale and a bath.", "Just an ale and a bath.", "We want an ale and a bath.", "I'll try the ale and a bath."])
def test_articles_order_one_of_each(order: str) -> None:
    assert billed(order) == "2 silver and 4 copper. For brown ale and bath."


@pytest.mark.parametrize("agreement", ["Ok, deal.", "It's a deal.", "Yes please.", "Sounds good.", "Sure.", "Deal.", "Fine."])
def test_who_agrees_takes_what_was_priced(agreement: str) -> None:
    assert billed("How much is the bath?", agreement) == "2 silver. For bath."


@pytest.mark.parametrize("remark", [
    "Fine, I'll think about it.", "We'll have to think about it.", "Right, it is a lot.", "Make it quick.", "One question though.",
    "One day I will be rich.", "Give me all your money!", "Do you have a table for 5?", "Give me 5 minutes please.", "We arrived 3 days ago.",
    "I need to rest.", "I want it back.",
])  # fmt: skip
def test_who_takes_nothing_owes_nothing(remark: str) -> None:
    [*_, hand] = played("How much is the bath?", remark)
    assert not any("together" in fact for fact in hand)
    assert billed("How much is the bath?", remark) == ""


@pytest.mark.parametrize("remark", ["Do you have a table for 5?", "We need a table for 4.", "Do you have 5 minutes?", "What's 2+2?"])
def test_a_bare_number_brings_no_price_that_has_it(remark: str) -> None:
    assert not any("together" in fact for fact in played(remark)[0])


@pytest.mark.parametrize(("remark", "after"), [
    ("Tell me about the temple.", "How do I get there?"), ("Who are the Drowned Choir?", "What do they want?"),
    ("Any rumours?", "Go on."), ("Where is the temple?", "Really?"),
])  # fmt: skip
def test_a_follow_up_keeps_its_subject(remark: str, after: str) -> None:
    first, then = played(remark, after)
    assert first
    assert set(first) & set(then)


def test_thanks_in_between_changes_no_subject() -> None:
    first, _, then = played("Where is the temple?", "Thanks!", "How far is it?")
    assert set(first) & set(then)


@pytest.mark.parametrize("question", [
    "What do you have?", "What's on tonight?", "What's good here?", "What do you serve?", "What are you serving?", "What can we get here?",
    "We're hungry.", "What can you offer us?",
])  # fmt: skip
def test_who_asks_what_there_is_hears_what_is_sold(question: str) -> None:
    assert played(question)[0][0].startswith("You sell: brown ale")


@pytest.mark.parametrize("question", [
    "Heard anything interesting lately?", "What's new in town?", "What's going on around here?", "Any trouble lately?", "What's the word on the street?",
])  # fmt: skip
def test_rumours_are_asked_for_in_many_words(question: str) -> None:
    assert played(question)[0] == played("Any rumours?")[0] != []


@pytest.mark.parametrize("question", [
    "What's the total?", "How much is that so far?", "So how much is it all?", "How much is everything?", "What does that come to?", "Check please!",
    "Can we have the check?", "Bill please.", "Total?",
])  # fmt: skip
def test_the_bill_is_asked_for_in_many_words(question: str) -> None:
    [*_, hand] = played("Two ales and a bath please.", "And a flask of lamp oil, please.", question)
    assert hand == ["bill: 3 silver and 1 copper. For 2 brown ale, bath and lamp oil."]


@pytest.mark.parametrize("payment", [
    "*hands over 20 gold*", "*hands her 8 copper*", "*gives Mira the coins*", "*flips her a silver*", "Here's a gold piece.", "Here is a silver.",
])  # fmt: skip
def test_who_pays_without_saying_so_has_paid(payment: str) -> None:
    assert billed("Two ales please.", payment) == ""


def test_and_that_after_a_price_asks_for_another_price() -> None:
    *_, then, took = played("How much is the lantern?", "And the compass?", "I'll take it.", npc="brug")
    assert then[0].startswith("lost compass: 12 gold")
    assert took[0].startswith("lost compass: 12 gold")


@pytest.mark.parametrize(("change", "owed"), [
    ("Actually, a stew instead of the ales, please.", "8 copper. For eel stew."), ("Actually just one, please.", "4 copper. For brown ale."),
    ("Sorry, only one ale.", "4 copper. For brown ale."), ("Cancel that.", ""), ("No, forget it.", ""),
])  # fmt: skip
def test_other_words_change_the_bill_as_well(change: str, owed: str) -> None:
    assert billed("Two ales please.", change) == owed


@pytest.mark.parametrize("remark", ["The goose of Fenwick lays silver eggs.", "They count gold coins all night long.", "We put silver bells on the mule."])
def test_who_talks_of_silver_has_not_paid(remark: str) -> None:
    assert not pays(remark)


def test_a_number_that_is_offered_counts_no_wares() -> None:
    *_, pressed, agreed = played("How much is a room?", "Five silver? That's a bit steep. Would you take four?", "Fine. Ok, deal.")
    assert pressed[0] == agreed[0] == "room: 5 silver. One night, clean sheets, no questions."
