"""Dice, in d20's syntax; honest ones, rolled here and never by a model."""

import re
from collections.abc import Iterator
from typing import Any

from bot.errors import TableError

_LONGEST = 100
_MOST_DICE, _MOST_SIDES = 100, 1000  # a table reads the result
_GLUED = re.compile(r"\d[A-Za-z]|[dx]\d")
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
        parsed = d20.parse(expression, allow_comments=True)
        _check(expression, [node for node in _nodes(parsed) if isinstance(node, d20.diceast.Dice)])
        rolled = d20.roll(parsed, stringifier=d20.SimpleStringifier())
        return int(rolled.total), str(rolled.result)  # worked out only now
    except d20.RollError as error:
        raise TableError(f"Nobody can roll {expression[:40]!r}; write dice such as 1d20+3 or 2d6kh1.") from error


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for child in tree.children:
        yield from _nodes(child)


def _check(expression: str, dice: list[Any]) -> None:
    """Refuse what is no roll, though d20 would work it out: to it, "2x6" is a 2 with a remark.

    A number alone ("14 persuasion") is what a die on somebody's own table showed.
    """
    if not dice:
        if not _GLUED.search(expression):
            return
        raise TableError(f"There is no die in {expression[:40]!r}; write dice such as 1d20+3 or 2d6kh1.")
    sides = [10 if die.size == "%" else die.size for die in dice]  # "%": a die of tens, 00 to 90
    if min(die.num for die in dice) < 1 or min(sides) < 1:
        raise TableError("A roll takes at least one die, and a die has at least one side.")
    if sum(die.num for die in dice) > _MOST_DICE:
        raise TableError(f"A roll has at most {_MOST_DICE} dice; roll in parts.")
    if max(sides) > _MOST_SIDES:
        raise TableError(f"A die has at most {_MOST_SIDES} sides.")


def skill_of(expression: str) -> str:
    """What is rolled for: the words after the dice, as in "1d20+3 persuasion"; "" without any."""
    found = _SKILL.search(" ".join(expression.split()))
    return found[1] if found and " " in expression.strip() else ""
