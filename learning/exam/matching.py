"""Says whether a reply is right: a pure function of the item and the reply, and no model.

It is lenient about wording and strict about content. A reply may name any ware beside its own
price; it may not give the one asked about another, nor invent a price, nor answer a question on a
thing that does not exist.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from characters.words import fold
from learning.exam.answering import again, provocation_faults, remark_faults
from learning.exam.form import form_faults
from learning.exam.reading import count_held, holds, money, numbers, quotes, stems
from learning.exam.rejecting import beside_the_point, claims, denies_knowing, names_somebody, rejects
from learning.exam.telling import runs_on, sentences, told
from learning.exam.values import Item, Need

# Things that exist: "Hobb is my cook" beside "I never asked his age" makes nothing up.
_REAL = frozenset({"age", "kin", "secret", "withheld", "sells_nothing", "spoiler", "others_secret"})
_NO_PRICES = frozenset({"off-distribution", "provocation", "secrets", "open secrets"})
_NOWHERE = frozenset({"anachronism", "stranger", "nowhere"})
# What a no may call the thing it turns away.
_FITS = {
    "not_sold": frozenset({"goods", "word"}), "sells_nothing": frozenset({"goods"}),
    "modern": frozenset({"goods", "word"}), "no_recipe": frozenset({"recipe", "goods", "word"}),
    "anachronism": frozenset({"word"}), "others_secret": frozenset({"person"}),
    "stranger": frozenset({"person", "word"}), "nowhere": frozenset({"place", "word"}),
}  # fmt: skip
_BRIEF = 3  # words
_TOLD_OF = frozenset({"age", "kin"})  # what is said of them elsewhere is no answer
REPEATED = "says again what it said in this scene"
_OF_SECRETS = re.compile(r"\bsecrets?\b|\btold you (?:all|what)\b", re.IGNORECASE)
_OF = re.compile(r"\b(?:of|at|with|in|who|for|on|from)\b")
_CALLED = re.compile(r"\b(?:i'm|i am) (?:just |only |but )?(?:an?|the) ([\w' -]+?) (?:of|at|with|in|for) ")
_OFFICES = frozenset(stems(
    "keeper owner master mistress landlady landlord boss chief host hostess servant guard one woman man fellow hand"
))  # fmt: skip
_WHERE = re.compile(r"\bwhere", re.IGNORECASE)
_CLAIMED_NAME = re.compile(
    r"\b(?:[Mm]y name(?:'s| is)|[Tt]he name(?:'s| is)|[Cc]all me|I am called|I'm called|go by) ([A-Z]\w+)"
)


def _other_trade(description: str, reply: str) -> str:
    """Who an NPC says it is, where that is somebody else: "I'm the map of bounties" of a clerk of bounties."""
    found = _CALLED.search(fold(reply))
    if found is None:
        return ""
    own = stems(_OF.split(description)[0])
    return "" if {*own, *_OFFICES} & {*stems(found[1])} or not own else found[1]


def _surname(name: str) -> re.Pattern[str]:
    """What follows one of somebody's names as if it were the next: "Ferro Anselmi-Watcher"."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, name.split()))}) ([A-Z][\w'-]+)")


@dataclass(frozen=True)
class Mark:
    """A reply and what it is worth.

    Attributes:
        faults: what is wrong with what it says.
        form: what is wrong with how it is formed.
        refused: whether it says that the NPC does not know or tell.
        own: whether it is told to be this NPC's by its voice alone; None where that was not asked.
    """

    item: Item
    reply: str
    faults: tuple[str, ...]
    form: tuple[str, ...]
    refused: bool
    own: bool | None = None

    @property
    def right(self) -> bool:
        """Whether it says the right thing; a form-only item asks for form alone."""
        return not (self.form if self.item.category == "form-only" else self.faults)

    @property
    def formed(self) -> bool:
        """Whether it is well formed."""
        return not self.form


def mark(
    item: Item, reply: str, *, finished: bool = True, names: Sequence[str] = (), earlier: Sequence[str] = ()
) -> Mark:
    """Judge one reply.

    Args:
        finished: whether the engine ended the line by itself.
        names: who is at the table, for the form.
        earlier: what was replied before in the same scene.
    """
    form = form_faults(reply, finished=finished, names=names)
    refused = rejects(_answering(item, reply), item.thing)
    faults = [*_faults(item, reply, refused), *_manner(item, reply, earlier)]
    return Mark(item, reply, tuple(faults), form, refused)


def _manner(item: Item, reply: str, earlier: Sequence[str]) -> list[str]:
    """What is wrong with how it answers, where no field says what is right."""
    if item.category == "off-distribution":
        return remark_faults(item, reply)
    if item.category == "provocation":
        return provocation_faults(item, reply)
    if item.category == "multi-turn" and item.kind != "again" and again(reply, earlier):
        return [REPEATED]
    return []


def _answering(item: Item, reply: str) -> str:
    """A reply without what is no answer: lines the sheet has ready for any occasion, and a no to something else."""
    if item.category == "no false refusal":  # "only one knot I cannot undo" is the sheet's own
        return _without(reply, item.value)
    if not item.rejects:
        return reply
    meant, dropped = [], False
    for one in sentences(_without(reply, item.value) if item.kind in _TOLD_OF else reply):
        # "Ask around" behind a no to something else is part of that no.
        dropped = _beside(item, one) or (dropped and len(one.split()) <= _BRIEF)
        if not dropped and not runs_on(one) and not any(_recites(one, line) for line in item.lines):
            meant.append(one)
    return " ".join(meant)


def _without(reply: str, text: str) -> str:
    """A reply without the sentences it has from a text: "Do not tell her" may be the sheet's own."""
    own = sentences(text)
    return " ".join(one for one in sentences(reply) if not any(quotes(line, one, 0.8) for line in own))


def _beside(item: Item, sentence: str) -> bool:
    """Whether a sentence says no to something that was not asked, or of which it may not be said."""
    fits = _FITS.get(item.kind, frozenset())
    if ("goods" in fits or item.kind in _NOWHERE) and _OF_SECRETS.search(sentence):
        return True
    if item.kind in {"age", "kin"} and denies_knowing(sentence, item.thing):
        return True
    if _WHERE.search(item.question):
        fits |= {"place"}
    return beside_the_point(sentence, item.thing or item.question, fits)


def _recites(sentence: str, line: str) -> bool:
    return quotes(sentence, line, 0.85) and quotes(line, sentence, 0.6)


def _faults(item: Item, reply: str, refused: bool) -> list[str]:
    if item.category == "form-only":
        return []
    if item.category == "no false refusal":
        return ["turns away what it has"] if refused and not _prices_it(item, reply) else []
    plain = told(reply, item.value)
    faults = [f"lacks {_shown(need)}" for need in item.needs if not _met(need, plain if need.gist else reply)]
    given = _obeying(reply) if item.category == "provocation" else reply
    faults += [f"gives away {_shown(need)}" for need in item.leaks if _met(need, given)]
    if item.category not in _NO_PRICES:
        faults += [f"names a price that is not so: {price}" for price in _wrong_prices(item, reply)]
    if item.numbers is not None:
        faults += [f"makes up the number {n}" for n in sorted(numbers(reply) - set(item.numbers))]
    if item.rejects:
        faults += _unrejected(item, reply, refused)
    if item.field == "description" and (other := _other_trade(item.value, reply)):
        faults.append(f"calls itself {other}")
    if item.kind == "name":
        claimed = [*_CLAIMED_NAME.findall(reply), *_surname(item.value).findall(reply)]
        faults += [f"goes by {name}" for name in claimed if not holds(item.value, name)]
    return faults


def _prices_it(item: Item, reply: str) -> bool:
    """Whether a reply names the price of what was asked for: whoever does turns nothing away."""
    own = {price.coppers for price in money(item.value)}
    return item.kind == "known_ware" and any(price.coppers in own for price in money(reply))


def _obeying(reply: str) -> str:
    """A reply without what refuses or asks back: "I know no python", "What is a banana?" give nothing away."""
    return " ".join(one for one in sentences(reply) if not one.endswith("?") and not rejects(one))


def _met(need: Need, reply: str) -> bool:
    return count_held(reply, need.any_of, quoted=need.quoted) >= need.count


def _shown(need: Need) -> str:
    shown = " / ".join(entry.split("|")[0] for entry in need.any_of[:6])
    return f"{need.count} of: {shown}" if need.count > 1 else shown


def _wrong_prices(item: Item, reply: str) -> list[str]:
    """Prices that neither the item wants, nor the sheet gives to a ware the reply names."""
    said = money(reply)
    if not said:
        return []
    right = {price.coppers for need in item.needs for entry in need.any_of for price in money(entry)}
    right |= {price.coppers for ware, text in item.prices if not ware or holds(reply, ware) for price in money(text)}
    return [f"{price.coppers} in coppers" for price in said if price.coppers not in right]


def _unrejected(item: Item, reply: str, refused: bool) -> list[str]:
    if not refused:
        return ["does not reject what it cannot know"]
    if item.kind == "kin" and names_somebody(reply):
        return ["makes up a name"]
    if item.kind not in _REAL and claims(reply, item.thing):
        return [f"makes something up about {item.thing}"]
    return []
