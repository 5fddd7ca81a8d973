"""Statements that are made once.

To build a statement costs more than to run it, and every line of an NPC runs fifteen of them. These
are built when their module is loaded, and go past the bookkeeping of mapped objects.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Prepared:
    """A statement with named parameters: `await statement(session, name=value, …)` runs it.

    What a session was given to keep is written before. What it has read stays as it was, so a row that is
    changed here is not to be looked at through an object that was loaded earlier in the same transaction.
    """

    statement: Executable

    async def __call__(self, session: AsyncSession, **values: Any) -> CursorResult[*tuple[Any, ...]]:
        """Run it in the session's transaction."""

        def run(within: Session) -> CursorResult[*tuple[Any, ...]]:
            within.flush()
            return within.connection().execute(self.statement, values)

        return await session.run_sync(run)
