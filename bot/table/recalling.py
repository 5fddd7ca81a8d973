"""What comes to an NPC's mind from its lorebooks before it speaks, and how long it stays there."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from bot.table.state import State
from characters.cards.speech import exchanges, spoken
from characters.knowing import has_come
from characters.library import Library
from characters.lorebook.activation import Finding, Moment, Scan, Settings, scan
from characters.lorebook.timing import Timers
from characters.macros import Names, expand
from characters.messages import Fact, Turn
from characters.prompt import Budget, Part
from db.queries import lore

_SHARE = 4  # a quarter of the context is lore's, as in SillyTavern
_LONG = 60  # tokens; what is longer is not said again while the transcript still shows it
_SHOWN = 8  # turns
_NOBODY = frozenset({"", "you", "gm"})


class Recalling:
    """The lore of one table's conversations."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def facts(
        self, part: Part, turns: Sequence[Turn], budget: Budget
    ) -> tuple[tuple[Fact, ...], Timers | None]:
        """What lorebooks add to the prompt after these turns, and how long it stays once the NPC speaks from it."""
        scene = self.state.scene_id
        if not self.state.library.lorebooks(part.slug, part.sheet.world):
            return (), None
        async with self.state.store.session() as session:
            kept = Timers.from_json(await lore.timers(session, scene, part.slug))
        found = recall(self.state.library, part, turns, budget, kept, f"{self.state.campaign}/{scene}/{part.slug}")
        return lore_facts(found, part, turns, budget), found.timers if found.timers != kept else None

    async def keep(self, session: Any, npc: str, timers: Timers | None) -> None:
        """Let what a prompt found stay with the conversation, now that the NPC speaks from it."""
        if timers is not None:
            await lore.keep_timers(session, self.state.scene_id, npc, timers.as_json())


def recall(
    library: Library, part: Part, turns: Sequence[Turn], budget: Budget, timers: Timers, seed: str
) -> Scan:  # fmt: skip
    """Look through an NPC's lorebooks, as far as the story has come."""
    sheet = part.sheet
    knower = frozenset(name.casefold() for name in (part.slug, sheet.name, sheet.first_name))
    said = [f"{turn.speaker}: {turn.text}" for turn in turns]
    moment = Moment(said, knower, _names(part, turns), seed)
    settings = Settings(budget=budget.context // _SHARE)
    calendar = part.world.calendar if part.world else None
    books = [
        dataclasses.replace(book, entries=tuple(
            entry for entry in book.entries if has_come(entry.known_since, part.when, calendar)
        ))
        for book in library.lorebooks(part.slug, sheet.world)
    ]  # fmt: skip
    return scan(books, moment, timers, settings, budget.count)


def lore_facts(found: Scan, part: Part, turns: Sequence[Turn], budget: Budget) -> tuple[Fact, ...]:
    """What fired, as facts in their places; a long one is not repeated while the transcript shows it."""
    shown = {fact.text for turn in turns[-_SHOWN:] for fact in turn.at_hand if fact.place == "hand"}
    names = _names(part, turns)
    return tuple(
        fact for finding in found.active if (fact := _fact(finding, names))
        if fact.place != "hand" or fact.text not in shown or budget.count(fact.text) <= _LONG
    )  # fmt: skip


def _names(part: Part, turns: Sequence[Turn]) -> Names:
    user = next((turn.speaker for turn in reversed(turns) if turn.npc is None), "")
    return Names(part.sheet.name, "the visitor" if user.casefold() in _NOBODY else user)


def _fact(finding: Finding, names: Names) -> Fact | None:
    """An entry as a fact; one that is a scene of dialogue shows how the NPC answers, and is at hand as its line."""
    entry, key = finding.entry, f"lore.{finding.name}"
    pairs, rest = exchanges(entry.content)
    line = spoken(expand(pairs[-1][1], names, key)) if pairs and not rest.strip() else ""
    if line and entry.place == "hand":
        return Fact(key, line, "style")
    if entry.place == "nowhere":
        return None
    if entry.place == "depth":
        return Fact(key, finding.text, "lore", "depth", entry.depth, entry.role)
    return Fact(key, finding.text, "lore", entry.place)
