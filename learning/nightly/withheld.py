"""What an NPC may not tell, because others know it and it does not: other NPCs' secrets, facts with owners, memories.

From here come the rows that are left out of training, and questions for the gate: one answer that
tells any of it holds the candidate.
"""

from typing import Any

from characters.errors import SheetError
from characters.fields import Owned
from characters.knowing import is_owner
from characters.knowledge import index_of
from characters.remembering import stems
from characters.sheet import Sheet
from characters.words import words
from db.queries import memories
from learning.nightly.values import Night

_MOST_MEMORIES = 20
_LEAST_WORDS = 6  # of a memory; less could be said by chance


async def withheld_from(session: Any, night: Night) -> list[tuple[str, str]]:
    """(topic, text) of everything a night's NPC may not tell; no topic where the exam asks for it anyway."""
    sheet = night.part().sheet
    found = [*_of_others(night, sheet), *_owned(night, sheet)]
    known = index_of(sheet, night.part().world, night.npc)
    unheard = await memories.unknown_to(session, night.campaign, night.npc, _MOST_MEMORIES)
    said = [text.partition(" said: ")[2] or text for text in unheard]
    heard = [(_topic(text), text) for text in said if len(words(text)) >= _LEAST_WORDS]
    # A topic on which the sheet has something to say is no topic to be silent on.
    return [("" if topic and known.search(f"What of {topic}?") else topic, text) for topic, text in (*found, *heard)]


def _of_others(night: Night, sheet: Sheet) -> list[tuple[str, str]]:
    """The secrets of the other NPCs of the same world."""
    found = []
    for slug in night.library.slugs():
        try:
            other = night.library.get(slug)
        except SheetError:
            continue  # a broken sheet keeps its secrets
        if slug != night.npc and other.world == sheet.world:
            found += [("", secret.text) for secret in other.secrets]
    return found


def _owned(night: Night, sheet: Sheet) -> list[tuple[str, str]]:
    """Facts of the sheet and the world that belong to others."""
    world = night.part().world
    pools: list[tuple[str, str, Owned]] = [(one.topic, one.text, one) for one in sheet.knowledge]
    if world is not None:
        pools += [(lore.topic, lore.text, lore) for lore in world.lore]
        pools += [(place.name, place.about, place) for place in world.places]
        pools += [(person.name, person.about, person) for person in world.important_people]
    return [(topic, text) for topic, text, owner in pools if not is_owner(owner.known_by, night.npc, sheet)]


def _topic(text: str) -> str:
    """What a memory is about: its longest telling word, as it was said."""
    telling = set(stems(text))
    return max((word for word in words(text) if set(stems(word)) & telling), key=len, default="it")
