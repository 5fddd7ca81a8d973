"""Voices side by side: adapters of a campaign that answer what its table once asked.

`replay` and `compare` both ask this way: the prompt of that evening built anew, greedy, without
what the NPC was shown as examples since, so that what differs comes from the adapters alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from characters.library import Library
from characters.prompt import Budget, Part, build_prompt
from learning.commands.place import Place
from learning.errors import NothingToLearn
from learning.gate import Witness

if TYPE_CHECKING:
    from characters.inference.engine import Capabilities, Engine
    from characters.prompt import Prompt
    from db.queries.adapters import Version
    from db.store import Store
    from db.values import HeardLine

BASE = "base"


def adapter_of(voice: str) -> str | None:
    """The adapter a voice stands for, None for the bare base."""
    return None if voice == BASE else voice


def check_known(wanted: Sequence[str], known: Mapping[str, Version]) -> None:
    """Refuse a voice nobody trained.

    Raises:
        NothingToLearn: one sentence naming it.
    """
    if unknown := [voice for voice in wanted if voice != BASE and voice not in known]:
        raise NothingToLearn(f"There is no adapter {unknown[0]!r}; `understudy adapters` lists them.")


async def versions_of(store: Store, campaign: int, npc: str | None = None) -> dict[str, Version]:
    """The adapters of a campaign by id, newest first."""
    from db.queries import adapters

    async with store.session() as session:
        return {version.adapter: version for version in await adapters.versions(session, campaign, npc)}


@dataclass(frozen=True)
class Voices:
    """An engine with adapters loaded, and what it takes to ask them."""

    engine: Engine
    library: Library
    can: Capabilities
    budget: Budget

    def prompt(self, line: HeardLine) -> Prompt:
        """What the NPC reads before it says a line anew."""
        sheet = self.library.get(line.npc)
        part = Part(line.npc, sheet, self.library.world(sheet.world))
        turns = [turn.said.turn for turn in line.before]
        return build_prompt(part, turns, scene=line.scene, template=self.can.template, budget=self.budget)

    async def speak(self, prompt: Prompt, voice: str) -> str:
        """A voice's line."""
        text, _ = await Witness(self.engine, adapter_of(voice)).line(prompt.text, prompt.stop)
        return text


@contextlib.asynccontextmanager
async def open_voices(place: Place, wanted: Sequence[str], known: Mapping[str, Version]) -> AsyncIterator[Voices]:
    """Load adapters by their ids, and close the engine whatever happens."""
    from learning.nightly import budget

    engine = place.engine()
    try:
        can = await engine.capabilities()
        for voice in wanted:
            if voice != BASE:
                if known[voice].base_id != can.base_id:
                    raise NothingToLearn(f"{voice} was trained on another base model; name that one as engine.model.")
                await engine.load_adapter(voice, Path(known[voice].path))
        yield Voices(engine, Library(place.home.root), can, budget(can, place.settings.sampling.max_tokens))
    finally:
        await engine.close()
