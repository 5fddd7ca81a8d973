"""Bookkeeping of evaluated prompts: which sequence holds which tokens, and who must go.

Pure: it decides, the worker carries out. An entry belongs to a conversation *and* an adapter,
because what one adapter has read is wrong under another.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Key = tuple[str, str]


@dataclass
class Entry:
    """One evaluated prefix."""

    sequence: int
    tokens: list[int] = field(default_factory=list)


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


class KvCache:
    """Least recently used prefixes go first when cells or sequences run out.

    Args:
        cells: tokens all entries together may hold.
        sequences: how many entries there may be.
        drop: called with a sequence whose cells are to be freed.
    """

    def __init__(self, cells: int, sequences: int, drop: Callable[[int], None]) -> None:
        self.cells = cells
        self._drop = drop
        self._free = list(range(sequences))[::-1]
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    @property
    def used(self) -> int:
        """Cells taken now."""
        return sum(len(entry.tokens) for entry in self._entries.values())

    def claim(self, key: Key, needed: int) -> Entry:
        """Return the entry of a key, with room for `needed` tokens in all, as the newest."""
        entry = self._entries.get(key)
        if entry is None:
            if not self._free:
                self._evict()
            entry = self._entries[key] = Entry(self._free.pop())
        self._entries.move_to_end(key)
        others = self.used - len(entry.tokens)
        while others + needed > self.cells and len(self._entries) > 1:
            others -= self._evict()
        return entry

    def forget(self, matches: Callable[[Key], bool]) -> None:
        """Drop every entry whose key matches."""
        for key in [key for key in self._entries if matches(key)]:
            self._release(self._entries.pop(key))

    def _evict(self) -> int:
        _, entry = self._entries.popitem(last=False)
        return self._release(entry)

    def _release(self, entry: Entry) -> int:
        self._drop(entry.sequence)
        self._free.append(entry.sequence)
        return len(entry.tokens)
