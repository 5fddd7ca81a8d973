"""Telling again what was played: recaps of an evening, and what NPCs keep of a scene.

A model that was made for short prompts invents when it retells, so it is not asked: the words that
were said are quoted instead. Others write, and read nothing but what the teller witnessed.
"""

import contextlib
import dataclasses
from collections.abc import Sequence

from bot.table.recap import recap
from bot.table.speaking import Speaking
from bot.table.state import State
from characters import recounting
from characters.errors import UnderstudyError
from characters.inference.engine import Capabilities, Finish, Request
from characters.messages import Message
from characters.prompt import Budget
from characters.remembering import extract
from db.queries import evenings, lines, memories
from db.values import StoredTurn

_LEAST_CONTEXT = 2048
_WORDS = 220  # tokens of a recap


class Recounting:
    """The use cases that tell again."""

    def __init__(self, state: State, speaking: Speaking) -> None:
        self.state, self._speaking = state, speaking

    async def recap(self, npc: str | None = None) -> str:
        """The evening so far: by a neutral chronicler, or as an NPC tells it, who knows only what it witnessed."""
        state = self.state
        async with state.store.session() as session:
            heard = await evenings.told(session, state.evening, npc)
            listed = "" if npc else await recap(session, state.evening)
        if not any(turns for _, turns in heard):
            return listed
        capabilities = await state.engine.capabilities()
        if fit(capabilities):
            turns = [turn.turn for _, part in heard for turn in part]
            budget = _budget(capabilities)
            if npc is None:
                asked = recounting.chronicle(turns, capabilities.template, budget)
            else:
                asked = recounting.own_account(await self._speaking.part(npc), turns, capabilities.template, budget)
            told = await self._written(*asked, key=f"recap/{npc}")
            return f"{told}\n{listed}".strip() if told else listed
        return self._quoted(npc, [(scene.place, turns) for scene, turns in heard]) if npc else listed

    def _quoted(self, npc: str, heard: Sequence[tuple[str, Sequence[StoredTurn]]]) -> str:
        """What an NPC witnessed, in the words that were said."""
        rows = [f"{self.state.library.get(npc).name}, who was there:"]
        for place, turns in heard:
            chosen = extract([(turn.speaker, turn.text) for turn in turns]) or range(min(2, len(turns)))
            said = [turns[at] for at in chosen]
            told = " ".join(f"{'I' if turn.npc == npc else turn.speaker} said, “{turn.text}”" for turn in said)
            if told:
                rows.append(f"• {place or 'here'}: {told}")
        return "\n".join(rows)

    def write_summaries(self, scene: int) -> None:
        """Have a model that is fit write anew what NPCs keep of a scene that is over; nobody waits for it."""
        self._speaking.beside(self._write_summaries(scene))

    async def _write_summaries(self, scene: int) -> None:
        state = self.state
        with contextlib.suppress(UnderstudyError):  # the quoted summary stands
            capabilities = await state.engine.capabilities()
            if not fit(capabilities):
                return
            async with state.store.session() as session:
                kept = await memories.scene_summaries(session, state.campaign, scene)
            for npc in kept:
                async with state.store.session() as session:
                    heard = await lines.transcript(session, scene, witness=npc)
                part = await self._speaking.part(npc)
                asked = recounting.scene_summary(
                    part.as_known(), [turn.turn for turn in heard], capabilities.template, _budget(capabilities)
                )
                told = await self._written(*asked, key=f"summary/{npc}")
                async with state.store.session() as session:
                    here = await lines.transcript(session, scene, witness=npc)
                    if told and [turn.id for turn in here] == [turn.id for turn in heard]:
                        await memories.summarise(session, state.campaign, npc, scene, told,
                                                 [turn.id for turn in heard], state.clock())  # fmt: skip

    async def _written(self, messages: tuple[Message, ...], text: str, *, key: str) -> str:
        sampling = dataclasses.replace(self.state.sampling, temperature=0.3, max_tokens=_WORDS, seed=1)
        request = Request(text, messages, ("\n[",), sampling, key)
        async with contextlib.aclosing(self.state.engine.generate(request)) as events:
            async for event in events:
                if isinstance(event, Finish):
                    return " ".join(event.text.split())
        return ""


def fit(capabilities: Capabilities) -> bool:
    """Whether a model can be trusted to retell: not if it says that it was made for short prompts."""
    return capabilities.system_budget is None and capabilities.context >= _LEAST_CONTEXT


def _budget(capabilities: Capabilities) -> Budget:
    context = min(capabilities.context, capabilities.context_budget or capabilities.context)
    return Budget(context=context, reply=_WORDS)
