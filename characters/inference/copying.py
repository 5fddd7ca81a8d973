"""Holds a small model to what it has begun to copy.

A model of a few million parameters finds the fact it was asked for and then loses its way in the middle of it:
half a name, another ware's price. Once two tokens in a row are those of a fact at hand, the fact's next word is
favoured, and each place of a fact once a line, so that nothing is copied round in a circle. Where the fact has
a full stop or a comma nothing is favoured: there an NPC turns to its own manner, and may have learnt one.

What it brings stands in learning/EXPERIMENTS.md, 11.
"""

from collections.abc import Callable, Sequence

_DEPTH = 2


class Copying:
    """What may be gone on with, in one line.

    Args:
        facts: the tokens of each fact.
        piece: the bytes of a token.
    """

    def __init__(self, facts: Sequence[Sequence[int]], piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._tokens = [token for fact in facts for token in fact]
        self._after: dict[tuple[int, ...], list[int]] = {}
        self._offered: list[int] = []
        self._taken: set[int] = set()
        at = 0
        for fact in facts:
            for end in range(_DEPTH, len(fact)):
                if any(letter.isalnum() for letter in piece(fact[end]).decode("utf-8", "ignore")):
                    self._after.setdefault(tuple(fact[end - _DEPTH : end]), []).append(at + end)
            at += len(fact)

    def offers(self, said: Sequence[int]) -> set[int]:
        """The tokens that go on with what the last tokens of a line have begun, by the longest beginning."""
        places = [place for place in self._after.get(tuple(said[-_DEPTH:]), ()) if place not in self._taken]
        begun = [self._begun(place, said) for place in places] if len(places) > 1 else [0] * len(places)
        self._offered = [place for place, length in zip(places, begun, strict=True) if length == max(begun)]
        return {self._tokens[place] for place in self._offered}

    def _begun(self, place: int, said: Sequence[int]) -> int:
        """How many of the last tokens of a line are those before a place."""
        length = 0
        while length < min(place, len(said)) and said[-1 - length] == self._tokens[place - 1 - length]:
            length += 1
        return length

    def told(self, said: Sequence[int]) -> set[int]:
        """After a full stop, the tokens that would begin a fact's sentence a second time."""
        if not said or not self._piece(said[-1]).endswith(b"."):
            return set()
        return {self._tokens[place] for place in self._taken if self._piece(self._tokens[place - 1]).endswith(b".")}

    def take(self, token: int) -> None:
        """Note which token the line went on with."""
        if self._offered:
            self._taken.update(place for place in self._offered if self._tokens[place] == token)
