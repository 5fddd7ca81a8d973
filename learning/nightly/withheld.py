"""What an NPC may not tell, because others know it and it does not: other NPCs' secrets, facts with owners, memories.

From here come the rows that are left out of training, and questions for the gate: one answer that
tells any of it holds the candidate.
"""

from typing import Any

from characters.errors import SheetError
from characters.fields import Owned
from characters.knowing import is_owner
from characters.knowledge import index_of
from characters.library import Library
from characters.prompt import Part
from characters.remembering import stems
from characters.words import words
from db.queries import memories

_MOST_MEMORIES = 20
_LEAST_WORDS = 6  # of a memory; less could be said by chance


async def withheld_from(session: Any, library: Library, campaign: int, part: Part) -> list[tuple[str, str]]:
    """(topic, text) of everything an NPC may not tell; no topic where the exam asks for it anyway."""
    found = [*_of_others(library, part), *_owned(part)]
    known = index_of(part.sheet, part.world, part.slug)
    unheard = await memories.unknown_to(session, campaign, part.slug, _MOST_MEMORIES)
    said = [text.partition(" said: ")[2] or text for text in unheard]
    heard = [(_topic(text), text) for text in said if len(words(text)) >= _LEAST_WORDS]
    # A topic on which the sheet has something to say is no topic to be silent on.
    return [("" if topic and known.search(f"What of {topic}?") else topic, text) for topic, text in (*found, *heard)]


def _of_others(library: Library, part: Part) -> list[tuple[str, str]]:
    """The secrets of the other NPCs of the same world."""
    found = []
    for slug in library.slugs():
        try:
            other = library.get(slug)
        except SheetError:
            continue  # a broken sheet keeps its secrets
        if slug != part.slug and other.world == part.sheet.world:
            found += [("", secret.text) for secret in other.secrets]
    return found


def _owned(part: Part) -> list[tuple[str, str]]:
    """Facts of the sheet and the world that belong to others."""
    sheet, world = part.sheet, part.world
    pools: list[tuple[str, str, Owned]] = [(one.topic, one.text, one) for one in sheet.knowledge]
    if world is not None:
        pools += [(lore.topic, lore.text, lore) for lore in world.lore]
        pools += [(place.name, place.about, place) for place in world.places]
        pools += [(person.name, person.about, person) for person in world.important_people]
    return [(topic, text) for topic, text, owner in pools if not is_owner(owner.known_by, part.slug, sheet)]


def _topic(text: str) -> str:
    """What a memory is about: its longest telling word, as it was said."""
    telling = set(stems(text))
    return max((word for word in words(text) if set(stems(word)) & telling), key=len, default="it")
