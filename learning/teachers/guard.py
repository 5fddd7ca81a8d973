"""Keeps untrainable text on this machine: asked before every request that leaves it.

Whoever writes a request picks its material by provenance already. This is the second lock: a request
that repeats eight words in a row of something untrainable, or has a shorter saying of four words and
more as a line of its own, is not sent.
"""

import re
from collections.abc import Iterable, Sequence

from characters.messages import Message
from db.provenance import Policy, shares_words, verdict
from db.queries.teaching import Said
from db.sayings import Sayings

_SHORTEST = 4  # words; what is shorter is everybody's
_SPEAKER = re.compile(r"^[^:]{1,40}:\s*")
REASON = "would carry words off this machine that may not be learnt from"


class Guard:
    """What may not leave.

    Args:
        said: everything people said; what the policy forbids to train on is barred.
    """

    def __init__(self, said: Iterable[Said], policy: Policy) -> None:
        self.barred = tuple(one.text for one in said if not free(one, policy))
        self._sayings = Sayings(self.barred)

    def stops(self, messages: Sequence[Message]) -> bool:
        """Whether a request may not be sent."""
        return any(self.holds(message.content) for message in messages)

    def holds(self, text: str) -> bool:
        """Whether a text repeats something that may not leave."""
        if not self.barred:
            return False
        lines = [line for line in text.splitlines() if line.strip()]
        said = [_SPEAKER.sub("", line) for line in lines]
        return self._sayings.quoted_in(text, short=False) or any(
            self._sayings.is_one(line, least=_SHORTEST) for line in (*lines, *said)
        )


def free(said: Said, policy: Policy) -> bool:
    """Whether something said may be learnt from, and so may leave."""
    return not said.out_of_character and verdict(said.source, said.consent, policy).trainable


def free_examples(
    examples: Iterable[tuple[str, str, Said | None]], policy: Policy, guard: Guard
) -> list[tuple[str, str]]:
    """The learnt style examples that may leave: what they answer is free, and no barred words are in them."""
    return [
        (asked, line) for asked, line, answered in examples
        if (answered is None or free(answered, policy) or not shares(asked, answered.text))
        and not guard.holds(asked) and not guard.holds(line)
    ]  # fmt: skip


def shares(asked: str, said: str) -> bool:
    """Whether what an example was asked is what somebody said, or quotes it."""
    return asked.casefold().split() == said.casefold().split() or shares_words(asked, said)
