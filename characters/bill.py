"""What a table has taken and not yet paid: the sum for "what do we owe you?".

A small model copies a number well and adds badly, so the sum stands at hand. A ware counts as taken
where a player's words take it and the NPC's answer had its price at hand; coin on the table ends the bill.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from characters.messages import Fact, Turn
from characters.orders import NUMBERS, agrees, cancels, counted, pays, refusal, replaces, takes
from characters.prices import Price, amount
from characters.words import fold

_ASKS = re.compile(
    r"\b(?:do (?:i|we) owe|(?:i|we) owe you|(?:my|our|the) (?:bill|tab)\b|the reckoning|settle up|settle the"
    r"|what does (?:it|that|this) all|(?:for|of) everything|for all of (?:it|that)|for the lot|the damage"
    r"|(?:the|our|my) total\b|^total\W*$|\bso far\b|\btally\b|(?:the|our) check\b|^(?:check|bill),? please"
    r"|(?:that|it|this) (?:come|came)s? to\b|(?:does|will|would) (?:that|it|this) (?:all )?come to\b"
    r"|(?:is|for) (?:it|that|them|us) all\b|is everything\b"
    r"|add (?:it|that) up|(?:come|comes|came) to (?:all together|altogether|in all)"
    r"|(?:how much|what) (?:is it |is that |in |)(?:altogether|all together|all told|in total))"
)
_POINTS = re.compile(
    rf"\b(?:it|that|them|those|these|this|one|ones|both|some|another|more|\d+|{'|'.join(NUMBERS)})\b"
)
_OWES = re.compile(r"\b(?:do (?:i|we) owe|(?:i|we) owe you)\b")
_NUMBER = re.compile(rf"\b(?:\d+|{'|'.join(NUMBERS)})\b")
_SUM = re.compile(r"(?:(\d+) )?(.+) together: ")
BILL = "sum.bill"
_KEY, _BETWEEN = "sum.", " + "
_NO_PRICES: Mapping[str, Price] = MappingProxyType({})


@dataclass(frozen=True)
class _Taken:
    """Some of a ware: how many, and what one costs in copper pieces."""

    name: str
    count: int
    coppers: int


def sum_key(names: Sequence[str]) -> str:
    """The key of a sum of some wares."""
    return _KEY + _BETWEEN.join(names)


def wares_of(fact: Fact) -> tuple[str, ...]:
    """The wares that a sum adds up; none where the fact is no sum, or a whole bill."""
    return tuple(fact.key.removeprefix(_KEY).split(_BETWEEN)) if fact.source == "sum" and fact.key != BILL else ()


def bill(question: str, before: Sequence[Turn], npc: str = "", prices: Mapping[str, Price] = _NO_PRICES) -> Fact | None:
    """Add up what was taken, when a question asks for it.

    Args:
        question: what the NPC is asked now.
        before: the conversation so far, with what was at hand for each line.
        npc: whose guests owe; what was ordered of others is theirs. "" for everybody's.
        prices: what one of each ware costs, for those that stand at hand in a sum alone.

    Returns:
        "bill: 2 silver and 8 copper. For 2 brown ale and bath.", or None where nothing is asked or nothing
        was taken. It has the form of a ware with its price, so that whoever can name a price can name this.
    """
    taken = _taken(_with(npc, before), prices) if _ASKS.search(fold(question)) else []
    return Fact(BILL, f"bill: {_sum(taken)}. For {_had(taken)}.", "sum") if taken else None


def owes(question: str) -> bool:
    """Whether somebody asks what they owe, and says of nothing how many: who has taken nothing owes nothing."""
    folded = fold(question)
    return bool(_OWES.search(folded)) and not _NUMBER.search(folded)


def payment(question: str, before: Sequence[Turn], npc: str, prices: Mapping[str, Price]) -> Fact | None:
    """What somebody pays who lays coin on the table; arguments as in `bill`.

    Returns:
        "2 brown ale and bath together: 2 silver and 8 copper.", as for an order, since that is how a sale ends.
    """
    if not pays(question) or takes(question):
        return None
    answered = max((at + 1 for at, turn in enumerate(before) if turn.npc), default=0)  # the coin itself comes behind
    taken = _taken(_with(npc, before[:answered]), prices)
    names = list(dict.fromkeys(one.name for one in taken))
    return Fact(sum_key(names), f"{_had(taken)} together: {_sum(taken)}.", "sum") if taken else None


def _sum(taken: Sequence[_Taken]) -> str:
    return amount(sum(one.count * one.coppers for one in taken))


def _had(taken: Sequence[_Taken]) -> str:
    times = Counter[str]()
    for one in taken:
        times[one.name] += one.count
    *names, last = [_times(name, count) for name, count in times.items()]
    return f"{', '.join(names)} and {last}" if names else last


def _times(name: str, count: int) -> str:
    if count == 1:
        return name
    return f"{count} times {name}" if name[0].isdigit() else f"{count} {name}"


def _with(npc: str, turns: Sequence[Turn]) -> list[Turn]:
    """The exchanges with one NPC: its lines, and what was said before each of them since the last line of anybody."""
    found, asked = list[Turn](), list[Turn]()
    for turn in turns:
        if not turn.npc:
            asked.append(turn)
        else:
            found += [*asked, turn] if turn.npc == npc or not npc else []
            asked = []
    return [*found, *asked]


def _taken(turns: Sequence[Turn], prices: Mapping[str, Price]) -> list[_Taken]:
    """What was taken since the last coin on the table, as it stands after every change of mind."""
    taken, asked = list[_Taken](), list[str]()
    for turn in turns:
        if turn.npc:
            _order(taken, asked, turn.at_hand, prices)
            asked = []
            continue
        if pays(turn.text) and not _ASKS.search(fold(turn.text)):
            taken.clear()
        asked.append(turn.text.strip())
    return taken


def _order(
    taken: list[_Taken], asked: Sequence[str], at_hand: Sequence[Fact], prices: Mapping[str, Price]
) -> None:
    """Change what was taken by what was said before one line, as far as the wares it is about were at hand."""
    priced = {name: price.coppers for fact in at_hand if fact.key.startswith("wares.")
              for name, _, rest in [fact.text.partition(": ")] if (price := Price.find(rest))}  # fmt: skip
    priced |= {name: prices[name].coppers for fact in at_hand for name in wares_of(fact) if name in prices}
    unnamed = [text for text in asked if not _ASKS.search(fold(text)) and not _ordered(taken, text, priced)]
    if unnamed:
        taken += _as_offered(at_hand, priced)


def _ordered(taken: list[_Taken], text: str, priced: dict[str, int]) -> bool:
    """Change what was taken by one sentence; False where it takes something and does not say what."""
    if cancels(text):
        del taken[-1:]
        return True
    refused = refusal(text)
    if refused is not None:
        gone = counted(refused.of, list(priced))
        taken[:] = [one for one in taken if one.name not in gone]
        text = refused.rest
    if not takes(text):
        return True
    counts = counted(text, list(priced))
    if not counts and not agrees(text) and not _POINTS.search(fold(text)):
        return True
    same = [place for place, one in enumerate(taken) if one.name in counts]
    if replaces(text) and same and len(counts) == 1:
        taken[same[-1]] = replace(taken[same[-1]], count=counts[taken[same[-1]].name])
    else:
        taken += [_Taken(name, count, priced[name]) for name, count in counts.items()]
    return bool(counts) or refused is not None


def _as_offered(at_hand: Sequence[Fact], priced: Mapping[str, int]) -> list[_Taken]:
    """What "Deal." takes: the sum that was named, or else one of the first ware."""
    for fact in at_hand:
        found = _SUM.match(fact.text) if wares_of(fact) else None
        if found and found[1] and found[2] in priced:
            return [_Taken(found[2], int(found[1]), priced[found[2]])]
        total = Price.find(fact.text[found.end() :]) if found else None
        if found and total:
            return [_Taken(fact.text[: found.end()].removesuffix(" together: "), 1, total.coppers)]
    return [_Taken(name, 1, coppers) for name, coppers in list(priced.items())[:1]]
