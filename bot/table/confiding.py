"""Secrets and what loosens tongues: the GM's word, dice, and words that were spoken.

An NPC that is there hears what is said and sees what is rolled; what that satisfies of its secrets'
conditions is noted with the turn, and is taken back with it.
"""

import contextlib
from typing import Any

from bot.errors import TableError
from bot.table.events import SecretState
from bot.table.state import State
from characters.conditions import by_roll, by_words, is_open, key_of, parts
from characters.errors import SheetError
from characters.sheet import Secret
from db.queries import lines, secrets
from db.queries.secrets import Step

_TOLD = {"gm": "the GM's word", "roll": "a roll", "words": "what was said"}


class Confiding:
    """The use cases around secrets."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def heard(self, session: Any, turn: int, text: str) -> None:
        """Note what a remark satisfies, for every NPC that is there."""
        for npc, secret in self._at_stake():
            for part in by_words(secret, text):
                await self._note(session, npc, Step(key_of(secret), part.text, "words", turn))

    async def rolled(self, session: Any, turn: int, skill: str, total: int) -> list[str]:
        """Note what a roll satisfies; the NPCs it moved."""
        moved = []
        for npc, secret in self._at_stake():
            for part in by_roll(secret, skill, total):
                if await self._note(session, npc, Step(key_of(secret), part.text, "roll", turn)):
                    moved.append(npc)
        return moved

    async def _note(self, session: Any, npc: str, step: Step) -> bool:
        return await secrets.satisfy(session, self.state.campaign, npc, step, self.state.clock())

    def _at_stake(self) -> list[tuple[str, Secret]]:
        found: list[tuple[str, Secret]] = []
        for npc in self.state.present:
            with contextlib.suppress(SheetError):  # a broken sheet keeps its secrets, and is told of when it speaks
                found += [(npc, secret) for secret in self.state.library.get(npc).secrets]
        return found

    async def reveal(self, npc: str, number: int, condition: str = "") -> SecretState:
        """The GM lets an NPC tell a secret, or holds one part of its condition for satisfied ("trusts the party")."""
        state, secret = self.state, self._secret(npc, number)
        known = [part.text for way in parts(secret.condition) for part in way]
        wanted = next((text for text in known if text.casefold() == condition.strip().casefold()), "")
        if condition.strip() and not wanted:
            raise TableError(f"Secret {number} knows no condition {condition!r}; it has: {'; '.join(known) or 'none'}.")
        async with state.store.session() as session:
            newest = await lines.newest_turn(session, state.scene_id)
            await self._note(session, npc, Step(key_of(secret), wanted, "gm", newest))
        state.loosened.setdefault(npc, set()).add(key_of(secret))
        return (await self.secrets(npc))[number - 1]

    async def close(self, npc: str, number: int) -> SecretState:
        """The GM has a secret kept again."""
        state, secret = self.state, self._secret(npc, number)
        async with state.store.session() as session:
            await secrets.withdraw(session, state.campaign, npc, key_of(secret))
        state.loosened.get(npc, set()).discard(key_of(secret))
        return (await self.secrets(npc))[number - 1]

    def _secret(self, npc: str, number: int) -> Secret:
        hidden = self.state.library.get(npc).secrets
        if not 1 <= number <= len(hidden):
            raise TableError(f"{npc} has {len(hidden) or 'no'} secrets; `/secret list {npc}` shows them.")
        return hidden[number - 1]

    async def secrets(self, npc: str) -> tuple[SecretState, ...]:
        """An NPC's secrets as they stand, in the order of its sheet."""
        state = self.state
        async with state.store.session() as session:
            taken = await secrets.steps(session, state.campaign, npc)
        found = []
        for number, secret in enumerate(state.library.get(npc).secrets, 1):
            done = [step for step in taken if step.secret == key_of(secret)]
            told = tuple(_step(step) for step in done)
            opened = is_open(secret, [step.part for step in done])
            found.append(SecretState(number, secret.text, secret.condition, opened, told))
        return tuple(found)


def _step(step: Step) -> str:
    return f"{step.part or 'may be told'}: {_TOLD[step.by]}" + (f", turn {step.turn}" if step.turn else "")
