"""What a table has taken and not yet paid: the sum for "what do we owe you?".

A small model copies a number well and adds badly, so the sum stands at hand. A ware counts as taken
where a player's words take it and the NPC's answer had its price at hand; coin on the table ends the bill.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from characters.messages import Fact, Turn
from characters.prices import Price, amount
from characters.words import fold

_ASKS = re.compile(
    r"\b(?:do (?:i|we) owe|(?:i|we) owe you|the bill\b|(?:my|our|the) tab\b|the reckoning|settle up|settle the"
    r"|what does (?:it|that|this) all|(?:for|of) everything|for all of (?:it|that)|for the lot|the damage"
    r"|add (?:it|that) up|(?:come|comes|came) to (?:all together|altogether|in all)"
    r"|(?:how much|what) (?:is it |is that |in |)(?:altogether|all together|all told|in total))"
)
_TAKES = re.compile(
    r"\b(?:i|we)(?:'ll| will|'d like| would like)(?: to)? (?:take|have|buy|get)\b"
    r"|\b(?:give|hand|bring|pour|fetch|sell|get) (?:me|us)\b"
    r"|^(?:deal|sold|done|fine|agreed|alright|all right|right|good)\b"
    r"|\b(?:let me|can (?:i|we)|may (?:i|we)|could (?:i|we)) (?:have|take|buy|get)\b"
    r"|\bmake it\b|,? please\b|, then\b"
)
_ONLY_ASKS = re.compile(r"\bhow much|what (?:would|does|do|about)|\bcost|\bprice|\?\s*$")
_PAYS = re.compile(
    r"\b(?:here(?:'s| is| are) (?:your |the |my )?(?:coins?|money|gold|silver|copper|pay|\d+)"
    r"|(?:i|we) pay\b|pays? up|keep the change"
    r"|(?:put|lay|slide|count)s? (?:the |down |out )*(?:coins?|money))"
)


def bill(question: str, before: Sequence[Turn]) -> Fact | None:
    """Add up what was taken, when a question asks for it.

    Args:
        question: what the NPC is asked now.
        before: the conversation so far, with what was at hand for each line.

    Returns:
        "So far: 2 brown ale, bath. Together: 2 silver and 8 copper.", or None where nothing is
        asked or nothing was taken.
    """
    if not _ASKS.search(fold(question)):
        return None
    taken = list(_taken(before))
    if not taken:
        return None
    times = Counter(name for name, _ in taken)
    names = ", ".join(_times(name, count) for name, count in times.items())
    return Fact("sum.bill", f"So far: {names}. Together: {amount(sum(coppers for _, coppers in taken))}.", "sum")


def _times(name: str, count: int) -> str:
    if count == 1:
        return name
    return f"{count} times {name}" if name[0].isdigit() else f"{count} {name}"


def _taken(turns: Sequence[Turn]) -> Iterator[tuple[str, int]]:
    """Each ware taken since the last coin on the table, with its price in copper pieces."""
    pays = (place for place, turn in enumerate(turns) if not turn.npc and _PAYS.search(fold(turn.text)))
    paid = max(pays, default=-1)
    asked = ""
    for turn in turns[paid + 1 :]:
        if not turn.npc:
            asked = fold(turn.text).strip()
        elif _TAKES.search(asked) and not _ONLY_ASKS.search(asked):
            found = next(filter(None, map(_priced, turn.at_hand)), None)
            asked = ""
            if found:
                yield found


def _priced(fact: Fact) -> tuple[str, int] | None:
    """"2 ale together: 8 copper." or "bath: 2 silver." as a name and copper pieces."""
    if fact.source != "sum" and not fact.key.startswith("wares."):
        return None
    name, _, rest = fact.text.partition(": ")
    price = Price.find(rest)
    return (name.removesuffix(" together"), price.coppers) if price else None
