"""What the GM does behind the screen: directions, facts put into heads, people made up, dice, drafts."""

import contextlib
from collections.abc import AsyncGenerator

from bot.errors import TableError
from bot.table.improvise import Ensemble, as_json
from bot.table.improvise import improvise as make_up
from bot.table.speaking import Speaking
from bot.table.state import Hand, State
from bot.table.watching import Moved
from characters.inference.engine import Delta, Finish, Request, Restart
from characters.sheet import Sheet
from db.queries import memories, places, play, told
from db.queries.memories import Remembered

_LONGEST = 500
_LONGEST_DIRECTION = 200
_SHOWN = 40


class Backstage:
    """The use cases nobody but the GM sees."""

    def __init__(self, state: State, speaking: Speaking) -> None:
        self.state = state
        self._speaking = speaking

    async def gm(self, name: str) -> Hand:
        """The hand of the GM at this machine, whoever opened the table; nobody in the scene sees them come."""
        state = self.state
        async with state.store.session() as session:
            person = await play.person(session, state.campaign, "local:gm", name, "gm")
        return Hand(person, "gm")

    def direct(self, npc: str, text: str) -> None:
        """A stage direction for an NPC's next line; "" takes it back."""
        text = " ".join(text.split())[:_LONGEST_DIRECTION]
        if text:
            self.state.directions[npc] = text
        else:
            self.state.directions.pop(npc, None)
        self.state.watchers.tell(Moved())

    async def tell(
        self, npc: str | None, text: str, *, by: Hand | None = None, known_since: str = ""
    ) -> int:
        """Put a fact into one NPC's head; without an NPC everybody knows it.

        Args:
            known_since: a campaign date or a scene, before which nobody knows it yet.
        """
        text, state = _a_sentence(text), self.state
        async with state.store.session() as session:
            person, now = (by or state.hand).person.id, state.clock()
            return await told.tell(session, state.campaign, npc, text, now, by=person, known_since=known_since)

    async def untell(self, fact: int) -> None:
        """Let a memory or a fact go."""
        async with self.state.store.session() as session:
            if not await memories.forget(session, self.state.campaign, fact):
                raise TableError(f"There is no memory {fact}; `/memory show` lists them.")

    async def retell(self, fact: int, text: str) -> Remembered:
        """Put a memory or a fact in other words."""
        async with self.state.store.session() as session:
            changed = await memories.reword(session, self.state.campaign, fact, _a_sentence(text))
        if changed is None:
            raise TableError(f"There is no memory {fact}; `/memory show` lists them.")
        return changed

    async def told(self, npc: str | None, about: str = "") -> list[Remembered]:
        """What an NPC remembers and everybody knows, newest first; without an NPC what everybody knows."""
        async with self.state.store.session() as session:
            return (await memories.shown(session, self.state.campaign, npc, about))[:_SHOWN]

    async def improvise(self, about: str) -> tuple[str, Sheet]:
        """Make an NPC up, in the world of whoever is here; it stays with this campaign."""
        state = self.state
        if not isinstance(state.library, Ensemble):
            raise TableError("Nobody can be made up at this table; write a sheet instead (`understudy sheet new`).")
        somebody = state.speaker or next(iter(state.library.slugs()))
        slug, sheet = make_up(about, state.library.get(somebody).world, state.library, state.rng)
        state.library.improvised[slug] = sheet
        if state.made_up_at:
            made = {known: as_json(one) for known, one in state.library.improvised.items()}
            async with state.store.session() as session:
                await places.set_setting(session, state.made_up_at, "improvised", made)
        return slug, sheet

    async def draft(self, npc: str) -> AsyncGenerator[str, None]:
        """What an NPC would say now, piece by piece; nothing of it is stored, and its direction stays."""
        state = self.state
        capabilities = await state.engine.capabilities()
        prompt, _, _ = await self._speaking.prompt(npc)
        adapter = await self._speaking.voices.of(npc, speaks=False) if capabilities.adapters else None
        request = Request(prompt.text, prompt.messages, prompt.stop, state.sampling, f"draft/{npc}", adapter)
        async with contextlib.aclosing(spoken(state, request)) as pieces:
            async for piece in pieces:
                yield piece


def _a_sentence(text: str) -> str:
    text = " ".join(text.split())[:_LONGEST]
    if not text:
        raise TableError("Say what is to be known; write a sentence.")
    return text


async def spoken(state: State, request: Request) -> AsyncGenerator[str, None]:
    """The text so far, again and again until it is whole."""
    text = ""
    async with contextlib.aclosing(state.engine.generate(request)) as events:
        async for event in events:
            match event:
                case Delta():
                    text += event.text
                case Restart():
                    text = ""
                case Finish():
                    text = event.text
            yield text.strip()


def made_up_at(campaign: str) -> str:
    """The place in which the local table keeps whom it made up."""
    return f"campaign:{campaign}"[:100]
