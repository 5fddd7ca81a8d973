"""Who answers, where people talk among themselves and an NPC stands by.

An NPC that is named answers. Else the one answers to whom it matters most, if it is talkative
enough: what it knows of the matter counts, and that the speaker was just talking with it. In an open
channel a name anywhere is enough (`who_answers`); where every word is meant for an NPC, a name calls
at the beginning or the end of the first clause (`called`), and somebody always answers.
"""

from collections.abc import Mapping

from characters.errors import SheetError
from characters.knowing import When
from characters.knowledge import index_of, mentions
from characters.library import Library
from characters.messages import Turn
from characters.sheet import Sheet
from characters.words import words

_ENOUGH = 0.45
_PARTNER = 0.3
_SHARED = 0.5  # what a fact counts that others have, too, or everybody has of themselves; one's own ware counts whole


def named(text: str, present: Mapping[str, str]) -> str | None:
    """The NPC that is named first in a text.

    Args:
        present: first names by slug.
    """
    found = [(text.casefold().find(name.casefold()), slug) for slug, name in present.items() if mentions(name, text)]
    return min(found)[1] if found else None


def who_answers(
    text: str, present: list[str], library: Library, partner: str | None, when: When = When()
) -> str | None:
    """The NPC that would speak up now; None where people are left to themselves.

    Args:
        partner: the NPC the speaker was just talking with.
        when: how far the story has come; what is not known yet draws nobody.
    """
    by_name = named(text, {slug: sheet.first_name for slug in present if (sheet := _sheet(slug, library))})
    if by_name is not None:
        return by_name
    return who_is_drawn(text, present, library, partner, when)


def who_is_drawn(
    text: str, present: list[str], library: Library, partner: str | None, when: When = When()
) -> str | None:
    """The NPC to whom a text matters most, if it is talkative enough; nobody has to be named."""
    brought = {slug: _brought(text, slug, library, when) for slug in present}
    ranked = [
        (_drawn(slug, brought, library) + (_PARTNER if slug == partner else 0.0), slug == partner, slug)
        for slug in present
    ]
    best = max(ranked, default=(0.0, False, None))
    return best[2] if best[0] >= _ENOUGH else None


def called(text: str, present: list[str], library: Library) -> str | None:
    """The NPC whom a clause begins or ends with: "Hey Eel, …", and not "The eel stew, please"."""
    clause, comma, _ = text.partition(",")
    said = words(clause)
    for slug in present if comma else ():
        sheet = _sheet(slug, library)
        if sheet is None:
            continue
        names = [words(name) for name in (sheet.first_name, sheet.name)]
        if any(name and name in (said[: len(name)], said[-len(name) :]) for name in names):
            return slug
    return None


def _sheet(slug: str, library: Library) -> Sheet | None:
    """An NPC's sheet; None where its file is broken, which is told when it is to speak and costs nobody else a word."""
    try:
        return library.get(slug)
    except SheetError:
        return None


def _brought(text: str, slug: str, library: Library, when: When) -> dict[str, bool]:
    """The facts a text brings to an NPC's mind, by key, and whether each is a particular one of its own sheet."""
    try:
        sheet = library.get(slug)
        index = index_of(sheet, library.world(sheet.world), slug, when)
    except SheetError:
        return {}
    found = index.search(text, (Turn("", text),))
    return {fact.key: fact.source == "sheet" and "." in fact.key for fact in found}


def _drawn(slug: str, brought: Mapping[str, Mapping[str, bool]], library: Library) -> float:
    """How much a text draws an NPC to speak, 0 to 1; below 0 where it speaks when called alone."""
    sheet = _sheet(slug, library)
    if sheet is None or not sheet.talkativeness:
        return -1.0
    others = {key for other, facts in brought.items() if other != slug for key in facts}
    relevance = sum(1.0 if own and key not in others else _SHARED for key, own in brought[slug].items())
    return sheet.talkativeness * (0.25 + 0.75 * min(1.0, relevance))


def in_character(text: str) -> str:
    """What is said, without the mark some tables put before it."""
    stripped = text.strip()
    return stripped[1:].strip() if stripped.startswith(">") else stripped
