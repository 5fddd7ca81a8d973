"""Keeps a small model from the line it has said before.

Where nothing is at hand, a model of a few million parameters has one line that it likes best, and says it to every
other remark. So what would go on with a whole line of its own from its beginning is disfavoured, token by token, until
the two part. Where a fact is at hand nothing is: who asks for a price again is to hear it again.
"""

from collections.abc import Sequence


class Varying:
    """The NPC's own earlier lines, as far as the line that is spoken now is the same.

    Args:
        spoken: the tokens of each earlier line.
    """

    def __init__(self, spoken: Sequence[Sequence[int]]) -> None:
        self._same = list(spoken)
        self._length = 0

    def again(self) -> list[int]:
        """The tokens that would go on as an earlier line did, once for each line that did."""
        return [line[self._length] for line in self._same if len(line) > self._length]

    def take(self, token: int) -> None:
        """Note which token the line went on with."""
        self._same = [line for line in self._same if len(line) > self._length and line[self._length] == token]
        self._length += 1
