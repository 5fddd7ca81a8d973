"""Which adapter an NPC speaks with right now, and getting it into the engine.

Promotion and rollback are one UPDATE somewhere else; a table asks before every line, so it hears of
them on the next one. With `swap: scene` a voice that has spoken in a scene is kept to the scene's
end, so that it does not turn over in the middle of a haggle; a voice that was rolled back or blocked
is dropped at once all the same.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from bot.errors import TableError
from bot.table.state import State
from characters.inference.errors import AdapterRefused, ModelMissing
from db.queries import adapters
from db.queries.adapters import Speaking

log = logging.getLogger(__name__)

_KEPT = 12  # adapters in an engine, which all of its tables share: whoever speaks in turn loads nothing


@dataclass(frozen=True)
class Voice:
    """A voice an NPC can speak with: an adapter that is loaded, or the bare base."""

    adapter: str | None


class Voices:
    """The adapters a table has at hand, the last few."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._in_scene: dict[tuple[int, str], str | None] = {}

    async def of(self, npc: str, *, speaks: bool = True) -> str | None:
        """The adapter of an NPC's next line, loaded; None for the bare base.

        Args:
            speaks: it is about to speak; reading ahead commits a scene to nothing.
        """
        state, place = self.state, (self.state.scene_id, npc)
        async with state.store.session() as session:
            speaking = await adapters.active_adapter(session, state.campaign, npc)
            if state.swap == "scene" and place in self._in_scene:
                kept = self._in_scene[place]
                if kept is None:
                    return None
                if await adapters.in_good_standing(session, kept):
                    known = await adapters.versions(session, state.campaign, npc)
                    again = (Speaking(v.adapter, v.path, v.base_id) for v in known if v.adapter == kept)
                    speaking = next(again, speaking)
        if speaking is not None and not await self._load(speaking):
            speaking = None
        chosen = speaking.adapter if speaking else None
        if speaks:
            self._in_scene = {at: name for at, name in self._in_scene.items() if at[0] == state.scene_id}
            self._in_scene[place] = chosen
        return chosen

    async def other(self, npc: str) -> Voice:
        """The voice to compare with: the newest that does not speak now, else the base.

        Raises:
            TableError: there is only one.
        """
        state = self.state
        async with state.store.session() as session:
            speaking = await adapters.active_adapter(session, state.campaign, npc)
            known = await adapters.versions(session, state.campaign, npc)
        for version in known:
            if version.state in {"candidate", "held", "retired"}:
                other = Speaking(version.adapter, version.path, version.base_id)
                if await self._load(other):
                    return Voice(version.adapter)
        if speaking is None or not await self._load(speaking):
            raise TableError(f"{npc} has one voice only; after its first night there are two to compare.")
        return Voice(None)

    async def _load(self, speaking: Speaking) -> bool:
        """Put an adapter into the engine; False where it is another base's or its file is gone: the base speaks."""
        loaded = self.state.loaded
        if not (await self.state.engine.capabilities()).carries(speaking.base_id):
            log.warning("%s was trained on another base model. The base speaks without it.", speaking.adapter)
            return False
        if speaking.adapter not in loaded:
            try:
                await self.state.engine.load_adapter(speaking.adapter, Path(speaking.path))
            except (AdapterRefused, ModelMissing) as error:
                log.warning("%s The base speaks without it.", error)
                return False
        if speaking.adapter in loaded:  # since long, or another line has loaded it meanwhile
            loaded.remove(speaking.adapter)
        loaded.append(speaking.adapter)
        while len(loaded) > _KEPT:
            await self.state.engine.unload_adapter(loaded.pop(0))
        return True
