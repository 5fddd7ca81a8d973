"""What a remark is for."""

import pytest

from characters.intents import intents


@pytest.mark.parametrize(
    ("remark", "intent"),
    [
        ("Evening, stranger!", "greeting"), ("a greeting", "greeting"), ("see you tomorrow", "farewell"),
        ("much obliged", "thanks"), ("you are a liar", "insult"), ("your money or else", "threat"),
        ("too expensive, I'll give you two", "haggle"), ("somebody haggles", "haggle"), ("tell me a joke", "joke"),
        ("are you an AI?", "machine"), ("how is business", "wellbeing"),
    ],
)  # fmt: skip
def test_players_words_and_authors_words_mean_the_same(remark: str, intent: str) -> None:
    assert intent in intents(remark)


@pytest.mark.parametrize("remark", ["where is the mill?", "what do you sell?", "Tobin is my brother"])
def test_a_plain_question_is_no_social_remark(remark: str) -> None:
    assert intents(remark) == frozenset()
