"""SQLite without needless changes of thread.

The driver does everything in a thread of its own: opening a cursor, running a statement, fetching
its rows and closing the cursor are four trips there and back, and on a busy machine a trip costs
more than the work. Only what can wait, for a lock or for the disk, or computes for long belongs
there: statements that write, the end of a transaction that wrote, long questions. The rest touches
memory, and is done at once.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

_AT_ONCE = frozenset({"cursor", "fetchall", "close"})
_STEPS = 20_000  # of SQLite's machine, about a millisecond: the most that a question may take here
_STATEMENTS = 32  # that a connection keeps prepared, some 12 KB each; a table's line needs fewer


class Connection(aiosqlite.Connection):
    """A connection that stays in the caller's thread where nothing can make it wait."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # whoever forgets to close it keeps no program alive
        self._away = 0  # calls in the driver's thread; one whose caller was cancelled ends there all the same

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the connection or of a cursor: here, or in the driver's thread."""
        if not self._away and self._at_once(fn):
            return fn(*args, **kwargs)
        if not self._away and _asks(fn, args) and self._answered(fn, args):
            return fn.__self__
        self._away += 1

        def there() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._away -= 1

        elsewhere: Any = super()._execute
        return await elsewhere(there)

    def _at_once(self, fn: Any) -> bool:
        """Whether a call waits for nothing; no transaction is ended where none was begun, as by reading."""
        if fn.__name__ in {"commit", "rollback"}:
            return not self._conn.in_transaction
        return fn.__name__ in _AT_ONCE and (isinstance(fn.__self__, sqlite3.Cursor) or fn.__name__ == "cursor")

    def _answered(self, ask: Any, args: Any) -> bool:
        """Ask a question here, for readers wait for no writer; False if it takes long and is to be asked there."""
        self._conn.set_progress_handler(lambda: True, _STEPS)
        try:
            ask(*args)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            return False
        finally:
            self._conn.set_progress_handler(None, 0)
        return True


def _asks(fn: Any, args: Any) -> bool:
    """Whether a call runs a statement that reads, and writes nothing."""
    return isinstance(fn.__self__, sqlite3.Cursor) and fn.__name__ == "execute" and args[0].startswith("SELECT")


async def connect(path: str, patience: float) -> aiosqlite.Connection:
    """Open a file.

    Args:
        patience: seconds to wait for another program that is writing.
    """
    # Two threads use it, never at once: the driver's, and the event loop's while that one is idle.
    return await Connection(
        lambda: sqlite3.connect(path, timeout=patience, check_same_thread=False, cached_statements=_STATEMENTS)
    )
