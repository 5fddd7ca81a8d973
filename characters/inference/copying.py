"""Holds a small model to what it has begun to copy.

A model of a few million parameters finds the fact it was asked for and then loses its way in the middle of it:
half a name, another ware's price. Once two tokens in a row are those of a fact at hand, the fact's next word is
favoured, and each place of a fact once a line, so that nothing is copied round in a circle. Where the fact has
a full stop or a comma nothing is favoured: there an NPC turns to its own manner, and may have learnt one. The more
was copied, the surer it is what comes next.

What it brings stands in learning/EXPERIMENTS.md, 11.
"""

from collections.abc import Callable, Sequence

_DEPTH = 2
_SURE = 10  # tokens in a row of one fact, from which on the next is favoured twice as much


class Copying:
    """What may be gone on with, in one line.

    Args:
        facts: the tokens of each fact.
        piece: the bytes of a token.

    Attributes:
        surety: how sure the last offers are: 1 after two tokens of a fact, 2 after ten.
    """

    def __init__(self, facts: Sequence[Sequence[int]], piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._tokens = [token for fact in facts for token in fact]
        self._after: dict[tuple[int, ...], list[int]] = {}
        self._offered: list[int] = []
        self._taken: set[int] = set()
        self.surety = 1.0
        at = 0
        for fact in facts:
            for end in range(_DEPTH, len(fact)):
                if piece(fact[end - 1]).endswith((b".", b"!", b"?")):
                    continue  # whether another sentence is told is the NPC's own choice
                if any(letter.isalnum() for letter in piece(fact[end]).decode("utf-8", "ignore")):
                    self._after.setdefault(tuple(fact[end - _DEPTH : end]), []).append(at + end)
            at += len(fact)

    def offers(self, said: Sequence[int]) -> set[int]:
        """The tokens that go on with what the last tokens of a line have begun, by the longest beginning."""
        if not self._after:
            return set()
        places = [place for place in self._after.get(tuple(said[-_DEPTH:]), ()) if place not in self._taken]
        begun = [self._begun(place, said) for place in places]
        self._offered = [place for place, length in zip(places, begun, strict=True) if length == max(begun)]
        self.surety = 1.0 + min(1.0, (max(begun, default=_DEPTH) - _DEPTH) / (_SURE - _DEPTH))
        return {self._tokens[place] for place in self._offered}

    def _begun(self, place: int, said: Sequence[int]) -> int:
        """How many of the last tokens of a line are those before a place."""
        length = 0
        while length < min(place, len(said)) and said[-1 - length] == self._tokens[place - 1 - length]:
            length += 1
        return length

    def told(self, said: Sequence[int]) -> set[int]:
        """After a full stop, the tokens that would begin a fact's sentence a second time."""
        if not self._taken or not said or not self._piece(said[-1]).endswith(b"."):
            return set()
        seconds = (place for place in self._taken if place >= _DEPTH)
        return {self._tokens[p - 1] for p in seconds if self._piece(self._tokens[p - 2]).endswith(b".")}

    def take(self, token: int) -> None:
        """Note which token the line went on with."""
        if self._offered:
            self._taken.update(place for place in self._offered if self._tokens[place] == token)
