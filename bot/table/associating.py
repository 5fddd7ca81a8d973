"""What memories are about, as vectors: made after a line, when nobody waits.

Only where the engine makes them (`memory.embeddings`); else nothing here is ever asked for.
"""

import logging

from bot.table.events import Line
from bot.table.speaking import Speaking
from bot.table.state import State
from bot.table.watching import Changed, Moved, Seen
from characters.errors import UnderstudyError
from characters.inference.engine import Engine
from db.queries import vectors
from db.store import Store

log = logging.getLogger(__name__)

AT_ONCE = 8  # texts; a line that is asked for meanwhile waits for no more
_LOOKED_AT = 64  # memories; whoever was there remembers the same


class Associating:
    """Gives the memories of a table's campaign their vectors."""

    def __init__(self, state: State, speaking: Speaking) -> None:
        self._state, self._speaking = state, speaking
        self._never = self._running = False

    def see(self, seen: Seen) -> None:
        """After a line, and after whatever else changes memories, make what is missing."""
        if isinstance(seen, Line | Changed | Moved) and not (self._never or self._running):
            self._running = True
            self._speaking.beside(self._make())

    async def _make(self) -> None:
        speaking = self._speaking
        try:
            model = (await self._state.engine.capabilities()).embedding
            self._never = model is None
            while model is not None:
                if not await speaking.whole(self._some(model)):
                    break
                await speaking.finished()
        except UnderstudyError as error:
            log.warning("Memories have no vectors yet, and are found by full text alone: %s", error)
        finally:
            self._running = False

    async def _some(self, model: str) -> int:
        return await make_vectors(self._state.store, self._state.engine, self._state.campaign, model)


async def make_vectors(store: Store, engine: Engine, campaign: int, model: str, at_once: int = AT_ONCE) -> int:
    """Make some of the vectors that are missing, newest memories first; returns how many were kept.

    Raises:
        EngineError: the model makes none.
    """
    async with store.session() as session:
        wanted = await vectors.missing(session, campaign, model, max(_LOOKED_AT, at_once))
    texts = list(dict.fromkeys(text for _, text in wanted))[:at_once]
    if not texts:
        return 0
    made = dict(zip(texts, await engine.embed(texts), strict=True))
    some = {number: (text, made[text]) for number, text in wanted if text in made}
    async with store.session() as session:
        return await vectors.put(session, model, some)
