"""Who answers, where people talk among themselves and an NPC stands by.

An NPC that is named answers. Else the one answers to whom it matters most, if it is talkative
enough: what it knows of the matter counts, and that the speaker was just talking with it.
"""

from collections.abc import Mapping

from characters.knowledge import index_of, mentions
from characters.library import Library
from characters.messages import Turn

_ENOUGH = 0.45
_PARTNER = 0.3
_FACTS = 2  # that many facts make a matter wholly one's own


def named(text: str, present: Mapping[str, str]) -> str | None:
    """The NPC that is named first in a text.

    Args:
        present: first names by slug.
    """
    found = [(text.casefold().find(name.casefold()), slug) for slug, name in present.items() if mentions(name, text)]
    return min(found)[1] if found else None


def who_answers(text: str, present: list[str], library: Library, partner: str | None) -> str | None:
    """The NPC that would speak up now; None where people are left to themselves.

    Args:
        partner: the NPC the speaker was just talking with.
    """
    by_name = named(text, {slug: library.get(slug).first_name for slug in present})
    if by_name is not None:
        return by_name
    ranked = [(_drawn(text, slug, library) + (_PARTNER if slug == partner else 0.0), slug) for slug in present]
    best = max(ranked, default=(0.0, None))
    return best[1] if best[0] >= _ENOUGH else None


def _drawn(text: str, slug: str, library: Library) -> float:
    """How much a text draws an NPC to speak, 0 to 1."""
    sheet = library.get(slug)
    if not sheet.talkativeness:
        return -1.0
    facts = index_of(sheet, library.world(sheet.world), slug).search(text, (Turn("", text),))
    relevance = min(1.0, len(facts) / _FACTS)
    return sheet.talkativeness * (0.25 + 0.75 * relevance)


def in_character(text: str) -> str:
    """What is said, without the mark some tables put before it."""
    stripped = text.strip()
    return stripped[1:].strip() if stripped.startswith(">") else stripped
