"""The same value in any writing is the same value."""


import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.exam.form import form_faults
from learning.exam.reading import holds, money, numbers, quotes
from learning.exam.rejecting import claims, rejects


@pytest.mark.parametrize(("text", "coppers"), [
    ("8 copper", [8]), ("Eight coppers, love.", [8]), ("8cp", [8]), ("eight copper pieces", [8]), ("5 silver", [50]),
    ("2 gold and 5 silver", [250]), ("1 gold, 2 silver and 8 copper", [128]), ("ale 4 copper, 2 silver and 8 copper the rest", [4, 28]), ("twenty-five gold", [2500]), ("a hundred gold", [10000]), ("a dozen coppers", [12]),
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
