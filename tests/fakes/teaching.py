"""A teacher that writes passable questions and answers, for runs through the real command."""

import hashlib
from typing import Any

from tests.fakes.teacher_server import asked

_OPENERS = ("Tell me,", "Say,", "Listen:", "A word:", "Friend,", "Well then,")
_THINGS = "bridge bell river winter mule lantern council queen goat rope ladle forge shrine market toll feast".split()


def question_or_answer(request: dict[str, Any]) -> str:
    """A question of its own for every prompt, and an answer that rests on nothing."""
    text = asked(request)
    number = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    one, other = _THINGS[number % 16], _THINGS[number // 16 % 16]
    if "one line of dialogue" in text:
        return f"{_OPENERS[number % 6]} what of the {one} and the {other}, and why {number}?"
    return f"The {one}? Better than any {other}, and older than the two of us together."
