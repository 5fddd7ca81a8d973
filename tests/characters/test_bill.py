"""What a table owes is added up from what it took, until coin lies on the table."""

import pytest

from characters.bill import bill
from characters.messages import Fact, Turn
from characters.prices import amount

ALE = Fact("wares.brown ale", "brown ale: 4 copper.")
TWO = Fact("sum.brown ale", "2 brown ale together: 8 copper.", "sum")
BATH = Fact("wares.bath", "bath: 2 silver. Hot until noon.")


def played(*exchanges: tuple[str, tuple[Fact, ...]]) -> list[Turn]:
    return [turn for asked, at_hand in exchanges for turn in (Turn("Ana", asked), Turn("Mira", "Aye.", "mira", at_hand))]


def owed(*exchanges: tuple[str, tuple[Fact, ...]], asked: str = "What do we owe you?") -> str:
    found = bill(asked, played(*exchanges))
    return found.text if found else ""


def test_everything_that_was_taken_is_added_up() -> None:
    bought = owed(("I'll take two brown ales.", (TWO, ALE)), ("And the bath, please", (BATH,)), ("Any rumours?", ()))
    assert bought == "bill: 2 silver and 8 copper. For 2 brown ale and bath."


def test_a_price_that_was_only_asked_for_is_not_owed() -> None:
    assert owed(("How much is the bath?", (BATH,))) == ""
    assert owed(("How much for two?", (TWO, ALE)), ("Deal.", (ALE,))) == "bill: 4 copper. For brown ale."


def test_the_same_thing_twice_is_told_as_two() -> None:
    assert owed(("I'll have the bath.", (BATH,)), ("Give me a bath again.", (BATH,))) == "bill: 4 silver. For 2 bath."


@pytest.mark.parametrize(("asked", "bought"), [
    ("Two brown ales!", "8 copper. For 2 brown ale."), ("3 ales.", "1 silver and 2 copper. For 3 brown ale."),
    ("And another one", "4 copper. For brown ale."), ("another ale", "4 copper. For brown ale."),
    ("and the ale, if it's cold", "4 copper. For brown ale."),
])  # fmt: skip
def test_short_orders_count(asked: str, bought: str) -> None:
    assert owed((asked, (ALE,))) == f"bill: {bought}"


@pytest.mark.parametrize("asked", ["And the bath?", "Two what?", "A bath costs how much"])
def test_questions_in_few_words_do_not(asked: str) -> None:
    assert owed((asked, (BATH,))) == ""


def test_coin_on_the_table_ends_the_bill() -> None:
    assert owed(("I'll take the bath.", (BATH,)), ("Here's your coin.", ()), ("Bring me an ale.", (ALE,))) == (
        "bill: 4 copper. For brown ale.")  # fmt: skip
    assert owed(("I'll take the bath.", (BATH,)), ("*counts out the coins*", ())) == ""


@pytest.mark.parametrize("asked", ["the bill, please", "what is my bill?", "So what's the damage?", "How much is it altogether?", "Let's settle up, Mira."])
def test_it_is_asked_for_in_many_ways(asked: str) -> None:
    assert owed(("I'll take the bath.", (BATH,)), asked=asked) == "bill: 2 silver. For bath."


@pytest.mark.parametrize("asked", ["How much is the ale?", "Who is Hobb?", "I'd like a bill of sale for the horse of everyone"])
def test_other_questions_bring_no_bill(asked: str) -> None:
    assert owed(("I'll take the bath.", (BATH,)), asked=asked) == ""


@pytest.mark.parametrize(("coppers", "said"), [(8, "8 copper"), (20, "2 silver"), (128, "1 gold, 2 silver and 8 copper"), (0, "nothing")])
def test_a_sum_is_said_in_coins(coppers: int, said: str) -> None:
    assert amount(coppers) == said
