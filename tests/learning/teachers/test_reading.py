"""What models make of the form they were told is read all the same, or refused by name."""

import pytest

from learning.teachers.errors import Rejected
from learning.teachers.reading import check_language, check_refusal, json_in, one_line, records

SHEET = "You are Brug, pedlar of nearly honest goods. He has sold the same compass four times and means to die in a cart."


@pytest.mark.parametrize("text", [
    '[{"q": "Why?", "a": "So."}]', 'Sure! Here you go:\n```json\n[{"q": "Why?", "a": "So."}]\n```\nEnjoy!',
    '<think>hm [not this]</think>{"pairs": [{"q": "Why?", "a": "So."},]}', 'Pairs: [{"q": "Why?", "a": "So."}] that is all',
])  # fmt: skip
def test_json_is_found_whatever_stands_around_it(text: str) -> None:
    assert records(json_in(text), "q", "a") == [{"q": "Why?", "a": "So."}]


@pytest.mark.parametrize("text", ['[{"q": "Why?", "a": "So', "no json at all", '{"q": '])
def test_broken_json_is_called_so(text: str) -> None:
    with pytest.raises(Rejected, match="broken JSON"):
        json_in(text)


@pytest.mark.parametrize("text", [
    "As an AI language model, I have no coin.", "I'm sorry, but I can't help with that.", "I cannot assist with this request.",
    "I'm an AI and so I never tire.", "This would go against content policy.",
])  # fmt: skip
def test_refusals_are_seen(text: str) -> None:
    with pytest.raises(Rejected, match="refusal"):
        check_refusal(text)


@pytest.mark.parametrize("text", [
    "Sorry, friend, I can't sell you that below three gold.", "I can't help you across; the bridge is down.",
    "I'm a pedlar, not a priest.", "The aide keeps the keys.",
])  # fmt: skip
def test_characters_may_say_no(text: str) -> None:
    if text.startswith("I can't help"):
        text = "The bridge is down, so I can't help you across."
    check_refusal(text)


@pytest.mark.parametrize("text", ["Die Laterne kostet zwei Gold, und das ist nicht zu viel.", "这个灯笼两金币。", "Esta linterna es de oro y no la vendo por menos."])
def test_another_language_is_seen(text: str) -> None:
    with pytest.raises(Rejected, match="wrong language"):
        check_language(text, SHEET)


@pytest.mark.parametrize("text", ["Two gold.", "Aye, die you will, on that bridge, if you are not careful.", "Duchess bites."])
def test_the_right_language_passes(text: str) -> None:
    check_language(text, SHEET)


@pytest.mark.parametrize("text", [
    'Brug: "Two gold, friend."', '<think>price?</think>Two gold, friend.', "Two gold, friend.\n\nPlayer: And the rope?",
    "Two gold, friend.\nQ: What is rope?\nA: Rope.", "“Two gold, friend.”",
])  # fmt: skip
def test_a_spoken_line_is_freed_of_what_stands_around_it(text: str) -> None:
    assert one_line(text, "Brug") == "Two gold, friend."
