"""Which open secrets come to hand for a reply: the table and the exam put them there by this one rule."""

from collections.abc import Collection, Mapping

from characters.messages import Fact
from characters.remembering import stems

_FEW = 2


def confided(opened: Mapping[str, str], fresh: Collection[str], question: str) -> tuple[Fact, ...]:
    """The secrets an NPC tells now: those that have just opened, and those it is asked about; two at most.

    Args:
        opened: the text of every secret that may be told, by key.
        fresh: keys of those that opened since the NPC's last line.
    """
    asked = set(stems(question))
    return tuple(
        Fact(key, text, "secret") for key, text in opened.items() if key in fresh or asked & set(stems(text))
    )[:_FEW]  # fmt: skip
