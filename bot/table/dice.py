"""Dice, in d20's syntax; honest ones, rolled here and never by a model."""

import re

from bot.errors import TableError

_LONGEST = 100
_SKILL = re.compile(r"\b([A-Za-z][A-Za-z' ]*?)\W*$")


def roll(expression: str) -> tuple[int, str]:
    """Roll; the total, and how it came about.

    Raises:
        TableError: no dice anybody could roll.
    """
    import d20  # its grammar takes half a second to build, and most programs never roll

    if len(expression) > _LONGEST:
        raise TableError(f"A roll has at most {_LONGEST} characters; roll in parts.")
    try:
        rolled = d20.roll(expression, allow_comments=True, stringifier=d20.SimpleStringifier())
        return int(rolled.total), str(rolled.result)  # worked out only now
    except d20.RollError as error:
        raise TableError(f"Nobody can roll {expression[:40]!r}; write dice such as 1d20+3 or 2d6kh1.") from error


def skill_of(expression: str) -> str:
    """What is rolled for: the words after the dice, as in "1d20+3 persuasion"; "" without any."""
    found = _SKILL.search(" ".join(expression.split()))
    return found[1] if found and " " in expression.strip() else ""
