"""Nights as the table sees them: asking for one, and choosing the voice that speaks."""

from bot.errors import TableError
from bot.table.state import State
from db.queries import adapters
from db.queries.adapters import Version

_NEVER_AGAIN = {"rolled_back": "was rolled back", "blocked": "learnt from somebody who is forgotten"}


async def versions(state: State, npc: str | None = None) -> list[Version]:
    """What was trained, newest first."""
    async with state.store.session() as session:
        return await adapters.versions(session, state.campaign, npc)


async def promote(state: State, adapter: str) -> Version:
    """Let an NPC speak with an adapter from its next line on.

    Raises:
        TableError: there is no such adapter, or it is never to be heard again.
    """
    async with state.store.session() as session:
        known = await adapters.versions(session, state.campaign)
        wanted = next((version for version in known if version.adapter == adapter), None)
        if wanted is None:
            raise TableError(f"There is no adapter {adapter[:60]!r}; reload the page.")
        if wanted.state in _NEVER_AGAIN:
            why = _NEVER_AGAIN[wanted.state]
            raise TableError(f"{wanted.adapter} {why} and is not promoted again; train a new one.")
        await adapters.promote(session, state.campaign, wanted, state.clock())
    return wanted


async def roll_back(state: State, npc: str) -> str | None:
    """Bring an NPC's voice before the last promotion back; the adapter now in force, None for the base.

    Raises:
        TableError: it speaks without one already.
    """
    async with state.store.session() as session:
        if await adapters.active_adapter(session, state.campaign, npc) is None:
            raise TableError(f"{npc} speaks without an adapter already; there is nothing to undo.")
        return await adapters.roll_back(session, state.campaign, npc, state.clock())


async def speaking(state: State) -> dict[str, str]:
    """The adapter in force by NPC."""
    async with state.store.session() as session:
        known = await adapters.versions(session, state.campaign)
        found = {}
        for npc in {version.npc for version in known}:
            active = await adapters.active_adapter(session, state.campaign, npc)
            if active is not None:
                found[npc] = active.adapter
    return found
