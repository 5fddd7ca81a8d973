"""Dice, in d20's syntax; honest ones, rolled here and never by a model."""

from bot.errors import TableError

_LONGEST = 100


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
