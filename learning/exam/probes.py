"""What can be asked, before it is asked: a field, its value, and what a right reply must hold.

A probe has no wording yet; `items` gives it one, as often as the exam has room.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from characters.knowledge import KnownFact
from characters.sheet import Sheet
from characters.words import STOPWORDS, stem
from learning.exam.reading import count_held, holds, money, numbers, stems
from learning.exam.values import Category, Item, Need

# Words that any reply may hold by chance.
WEAK = frozenset(stems(
    """down until without going goes turn follow once before went since still never every always again ever away own
    back left put even only other another else nothing nobody everybody somebody everything everyone while after through
    though because may must might far came come walk stand sit second yet too just quite same such where whoever
    whatever stranger strangers friend friends traveller dear sir gave keep kept let seen see saw said say says tells
    told day night ask asked call called speak talk spoke likes knows knew tries try used use mean means better all
    already each both than cannot could now then makes takes gets wants looks thinks people person man woman long
    thing"""
)) | frozenset(map(stem, STOPWORDS))  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """A question without its words.

    Attributes:
        tier: 0 for the NPC's own sheet, 1 for what everybody in its world could know.
        slots: what the wording's slots are filled with.
        after: a kind of question, and its answer, that were said before this one.
    """

    category: Category
    kind: str
    field: str
    value: str
    slots: tuple[tuple[str, str], ...] = ()
    needs: tuple[Need, ...] = ()
    leaks: tuple[Need, ...] = ()
    prices: tuple[tuple[str, str], ...] = ()
    numbers: tuple[int, ...] | None = None
    rejects: bool = False
    thing: str = ""
    lines: tuple[str, ...] = ()
    after: tuple[str, str] = ("", "")
    tier: int = 0

    @property
    def key(self) -> str:
        """What tells it from all others of the same sheet."""
        return f"{self.kind}/{self.field}/{self.thing}"

    def item(self, question: str, before: tuple[tuple[str, str], ...] = ()) -> Item:
        """Ask it in these words; what the words themselves say is no longer asked for."""
        needs = tuple(need for need in (_unsaid(need, question) for need in self.needs) if need.any_of)
        return Item(
            self.category, self.kind, self.field, self.value, question, needs, self.leaks, self.prices, self.numbers,
            self.rejects, self.thing, self.lines, before,
        )  # fmt: skip


def _unsaid(need: Need, question: str) -> Need:
    if not need.gist:
        return need
    left = tuple(entry for entry in need.any_of if not holds(question, entry))
    return replace(need, any_of=left, count=min(need.count, len(left)))


def gist(text: str, topic: str = "", *, count: int = 0) -> Need:
    """The content words of a text that are not its topic, and how many of them show that it was told."""
    about = set(stems(topic))
    words = dict.fromkeys(word for word in stems(text) if word not in about)
    found = tuple(word for word in words if word not in WEAK) or tuple(words)
    return Need(found, count or (1 if len(found) <= 4 else 2 if len(found) <= 24 else 3), gist=True)


def telling(texts: Sequence[str], topic: str, others: Iterable[str], *, brief: bool = False) -> tuple[Need, ...]:
    """Needs for texts on one thing, told in any words: some of their words, one of them nobody else's.

    Whoever tells one of the texts to its end has told enough.

    Args:
        others: the texts of facts about other things.
        brief: one word that is its own is enough ("Hobb? He cooks for me").
    """
    whole = gist(" ".join(texts), topic)
    elsewhere = {word for other in others for word in stems(other)}
    own = Need(tuple(entry for entry in whole.any_of if entry not in elsewhere), gist=True)
    if brief and len(own.any_of) >= 2:
        needs: tuple[Need, ...] = (own,)
    elif len(own.any_of) < 3:
        needs = (replace(whole, count=whole.count + (len(whole.any_of) >= 8)),)
    else:
        needs = (own,) if whole.count == 1 else (whole, own)
    return tuple(need for need in (_enough(need, texts) for need in needs) if need.count)


def _enough(need: Need, texts: Sequence[str]) -> Need:
    """Ask for no more than each of the texts gives."""
    given = [count_held(text, need.any_of) for text in texts]
    return replace(need, count=min(need.count, *given))


def other_texts(facts: Sequence[KnownFact], topic: str) -> list[str]:
    """The texts of all facts that do not speak of a topic."""
    about = set(stems(topic))
    return [known.fact.text for known in facts if not about <= set(stems(known.fact.text))]


def price_list(sheet: Sheet, facts: Sequence[KnownFact]) -> tuple[tuple[str, str], ...]:
    """Every price the NPC may name: a ware's with its name, one that stands in some other fact with none."""
    wares = tuple((variants(ware.name), ware.price) for ware in sheet.wares)
    loose = [
        f"{price.coppers} copper" for known_fact in facts if known_fact.category not in {"ware", "wares"}
        for price in money(known_fact.fact.text)
    ]  # fmt: skip
    return (*wares, *(("", text) for text in dict.fromkeys(loose)))


def paid(text: str) -> Need:
    """A price as it is written: any of those a text names ("2 silver a cup, 1 gold a jug"), else its very words."""
    found = tuple(f"{price.coppers} copper" for price in money(text))
    if found:
        return Need(found)
    whole = gist(text, count=1)  # no coin we know: "3 shillings" must be three and shillings, "a song" a song
    return replace(whole, count=len(whole.any_of)) if numbers(text) else whole


def variants(name: str) -> str:
    """A thing by its whole name or its last word: ``brown ale|ale``."""
    head = name.split()[-1]
    return name if head == name else f"{name}|{head}"
