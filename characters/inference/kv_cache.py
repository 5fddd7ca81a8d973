"""Bookkeeping of evaluated prompts: what each conversation has read, and who must go.

One conversation at a time is in the model's context; the others are parked as bytes. A context that
held them all would be searched whole for every token: with eight conversations in it the starter
decoded at two thirds of its speed, and taking one out and another in costs no more than a token or two.

Pure: it decides, the worker carries out. An entry belongs to a conversation *and* an adapter,
because what one adapter has read is wrong under another.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Key = tuple[str, str]


@dataclass(eq=False)
class Entry:
    """One evaluated prefix; `parked` holds its state while it is not in the context."""

    tokens: list[int] = field(default_factory=list)
    parked: bytes = b""


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


class KvCache:
    """Least recently used prefixes go first when cells run out.

    Args:
        cells: tokens all entries together may hold.

    Attributes:
        live: the entry in the context, None where nothing of worth is there.
    """

    def __init__(self, cells: int) -> None:
        self.cells = cells
        self.live: Entry | None = None
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    @property
    def used(self) -> int:
        """Cells taken now."""
        return sum(len(entry.tokens) for entry in self._entries.values())

    def claim(self, key: Key, needed: int) -> Entry:
        """Return the entry of a key, with room for `needed` tokens in all, as the newest."""
        entry = self._entries.setdefault(key, Entry())
        self._entries.move_to_end(key)
        others = self.used - len(entry.tokens)
        while others + needed > self.cells and len(self._entries) > 1:
            _, oldest = self._entries.popitem(last=False)
            others -= len(oldest.tokens)
            self._leave(oldest)
        return entry

    def forget(self, matches: Callable[[Key], bool]) -> None:
        """Drop every entry whose key matches."""
        for key in [key for key in self._entries if matches(key)]:
            self._leave(self._entries.pop(key))

    def _leave(self, entry: Entry) -> None:
        if entry is self.live:
            self.live = None
