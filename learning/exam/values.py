"""What an exam is made of: questions that know what a right reply holds."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal, get_args

Category = Literal[
    "grounding", "identity", "unknown", "no false refusal", "off-distribution", "provocation", "secrets",
    "open secrets", "multi-turn", "form-only",
]  # fmt: skip
# What every night asks; the rest is asked by `understudy exam`.
CORE: tuple[Category, ...] = ("grounding", "identity", "unknown", "form-only")
EVERY: tuple[Category, ...] = get_args(Category)


@dataclass(frozen=True)
class Need:
    """Something a reply must hold (or, as a leak, must not).

    Attributes:
        any_of: words, phrases, numbers or prices; an entry may list variants as ``brown ale|ale``.
        count: how many different entries are enough.
        gist: the entries are the stems of a longer text; those the question itself says do not count.
        quoted: an entry counts when three of four of its words come in its order.
    """

    any_of: tuple[str, ...]
    count: int = 1
    gist: bool = False
    quoted: bool = False


@dataclass(frozen=True)
class Item:
    """One question of an exam, with everything needed to judge a reply.

    Attributes:
        kind: the kind of question (``price``, ``stranger``, …), as in ``phrasings.yaml``.
        field: the field of sheet or world it rests on, such as ``wares.eel stew``.
        value: what that field says; an item is made anew when it changes.
        needs: a right reply holds all of these.
        leaks: a right reply holds none of these.
        prices: who may cost what, as (ware, price); a price without a ware may always be named.
        numbers: the numbers a reply may name; None where any number may.
        rejects: a right reply says that it does not know, sell or tell.
        thing: what an unknown item asks about.
        lines: what the NPC says anyway and what sounds like a no ("No magic in my taproom"); recited, it is none.
        before: questions and replies that were said before this one.
        about: words of which one shows that a reply takes up what was said.
        scene: turns of one scene stand behind each other, each after the replies that were given in it.
    """

    category: Category
    kind: str
    field: str
    value: str
    question: str
    needs: tuple[Need, ...] = ()
    leaks: tuple[Need, ...] = ()
    prices: tuple[tuple[str, str], ...] = ()
    numbers: tuple[int, ...] | None = None
    rejects: bool = False
    thing: str = ""
    lines: tuple[str, ...] = ()
    before: tuple[tuple[str, str], ...] = ()
    about: tuple[str, ...] = ()
    scene: str = ""

    @property
    def opened(self) -> str:
        """The secret that has just opened when this is asked; "" where none has."""
        return self.value if self.category == "open secrets" else ""

    @cached_property
    def id(self) -> str:
        """The item's name in every exam that asks it: a hash of its whole content."""
        return "item-" + _digest(asdict(self))


def items_hash(items: tuple[Item, ...]) -> str:
    """Identifies a whole exam."""
    return "exam-" + _digest([item.id for item in items])


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
