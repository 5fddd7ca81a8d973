"""SQLite without needless changes of thread.

The driver does everything in a thread of its own: opening a cursor, running a statement, fetching
its rows and closing the cursor are four trips there and back, and on a busy machine a trip costs
more than the work. Only running a statement and ending a transaction can wait, for a lock or for
the disk; the rest touches memory, and is done at once.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

_AT_ONCE = frozenset({"cursor", "fetchall", "close"})


class Connection(aiosqlite.Connection):
    """A connection that stays in the caller's thread where nothing can make it wait."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # whoever forgets to close it keeps no program alive
        self._away = 0  # calls in the driver's thread; one whose caller was cancelled ends there all the same

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the connection or of a cursor: here, or in the driver's thread."""
        own = isinstance(fn.__self__, sqlite3.Cursor) or fn.__name__ == "cursor"
        if own and fn.__name__ in _AT_ONCE and not self._away:
            return fn(*args, **kwargs)
        self._away += 1

        def there() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._away -= 1

        elsewhere: Any = super()._execute
        return await elsewhere(there)


async def connect(path: str, patience: float) -> aiosqlite.Connection:
    """Open a file.

    Args:
        patience: seconds to wait for another program that is writing.
    """
    # Two threads use it, never at once: the driver's, and the event loop's while that one is idle.
    return await Connection(lambda: sqlite3.connect(path, timeout=patience, check_same_thread=False))
