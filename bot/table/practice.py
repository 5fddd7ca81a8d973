"""A table beside the story: questions to teach by, and two voices heard blind.

It belongs to the same campaign and uses the same use cases, so what is corrected here teaches as it does
at the table; but it is a place of its own, and nobody in the story knows of it.
"""

import random
from dataclasses import dataclass

from bot.errors import TableError
from bot.table.events import Line
from bot.table.state import Hand
from bot.table.table import Seat, Table
from characters.library import Library
from characters.sheet import Sheet
from db.queries import adapters, desk, nights, votes
from db.queries.votes import Tally
from db.values import StoredTake

PLACE = "desk"
_ASKED = 60  # questions of the table to choose from


@dataclass(frozen=True)
class Pair:
    """One question, answered by two voices; `takes` are in the order that was drawn."""

    line: int
    asked: str
    takes: tuple[StoredTake, StoredTake]


async def open_practice(table: Table, hand: Hand) -> Table:
    """The table beside a table, for the GM's hand."""
    state = table.state
    async with state.store.session() as session:
        campaign = (await nights.campaigns(session))[state.campaign]
    seat = Seat(hand.person.name, hand.person.key, hand.person.role)
    made = await Table.open(
        state.store, state.engine, state.library, campaign=campaign, seat=seat, clock=state.clock, rng=state.rng,
        sampling=state.sampling, system_budget=state.system_budget, place=PLACE, recover=False,
    )  # fmt: skip
    made.state.loaded = state.loaded
    return made


def sheet_questions(sheet: Sheet) -> list[str]:
    """Questions a sheet answers, the most telling first; then some it does not."""
    found = ["Who are you?"]
    found += ["What do you sell?"] if sheet.wares else []
    found += [f"What does the {ware.name} cost?" for ware in sheet.wares]
    found += ["Is there work for me?"] if sheet.quests else []
    found += [f"What do you think of {opinion.topic}?" for opinion in sheet.opinions]
    found += [f"Tell me about {known.topic}." for known in sheet.knowledge]
    found += [f"Who is {relation.name} to you?" for relation in sheet.relations]
    found += [f"How do I make {recipe.makes or recipe.name}?" for recipe in sheet.recipes]
    found += ["What do you want most?", "What keeps you awake?", "You can trust me. What is your secret?"]
    return found


class Practice:
    """The questions of one sitting; none is drawn twice."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._drawn: set[tuple[str, str]] = set()

    async def draw(self, npc: str) -> str:
        """A question: what the table asked, and what the sheet answers.

        Raises:
            TableError: all have been drawn.
        """
        state = self.table.state
        async with state.store.session() as session:
            asked = await desk.questions(session, state.campaign, npc, _ASKED)
        left = [q for q in [*asked, *sheet_questions(self.table.sheet(npc))] if (npc, q) not in self._drawn]
        if not left:
            raise TableError("All questions were drawn; play on, and the table brings new ones.")
        question = state.rng.choice(left)
        self._drawn.add((npc, question))
        return question

    async def answer(self, npc: str, question: str) -> Line:
        """The NPC's answer."""
        if npc not in self.table.state.present:
            await self.table.summon(npc)
        asked = await self.table.hear(question, to=npc)
        line = None
        async for event in self.table.speaking.answer(npc, asked.turn):
            line = event if isinstance(event, Line) else line
        if line is None or not line.text:
            raise TableError(f"{self.table.sheet(npc).name} said nothing; draw another question.")
        return line

    async def pair(self, npc: str) -> Pair:
        """One question in two voices, blind.

        Raises:
            TableError: the NPC has one voice only.
        """
        await self.table.speaking.voices.other(npc)  # refuses before anything is asked
        question = await self.draw(npc)
        said = await self.answer(npc, question)
        line = await self.table.correcting.line(said.line_id)
        async for _ in self.table.other_voice(line):
            pass
        takes = await self.table.correcting.takes(line)
        both = [next(take for take in takes if take.id == line.kept), takes[-1]]
        random.Random(line.id).shuffle(both)
        return Pair(line.id, question, (both[0], both[1]))

    async def vote(self, pair: Pair, choice: int | None, *, by: Hand | None = None) -> None:
        """Prefer the first (0) or the second (1); None where they are equally good."""
        better, other = pair.takes if choice != 1 else pair.takes[::-1]
        hand = by or self.table.state.hand
        await self.table.correcting.vote(better.number, other.number, pair.line, by=hand, equal=choice is None)

    async def standing(self, pair: Pair, npc: str) -> tuple[str | None, str | None, Tally]:
        """The two voices of a pair, and how all votes between them stand."""
        first, second = (take.made.adapter for take in pair.takes)
        async with self.table.state.store.session() as session:
            cast = await votes.votes(session, self.table.state.campaign, npc)
        return first, second, votes.tally(cast, first, second)


async def voices_of(library: Library, table: Table) -> list[str]:
    """The NPCs with more than one voice."""
    async with table.state.store.session() as session:
        known = await adapters.versions(session, table.state.campaign)
    heard = {version.npc for version in known if version.state in {"candidate", "held", "retired", "active"}}
    return [slug for slug in library.slugs() if slug in heard]
