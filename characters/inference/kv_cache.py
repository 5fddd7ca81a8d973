"""Bookkeeping of evaluated prompts: what each conversation has read, where it is, and who must go.

The model's context has a seat for every line that is spoken at the same time; the conversations that sit in none are
parked as bytes. A context that held them all would be searched whole for every token: with eight conversations in it
the starter decoded at two thirds of its speed, and taking one out and another in costs no more than a token or two.

Pure: it decides, the worker carries out. An entry belongs to a conversation *and* an adapter,
because what one adapter has read is wrong under another.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Key = tuple[str, str]


@dataclass(eq=False)
class Entry:
    """One evaluated prefix.

    Attributes:
        parked: its state while it is not in the context.
        seat: where in the context it is.
        sheet: the text it begins with that the conversation's NPC has by itself.
        reserved: tokens it may come to hold while a line runs on it; 0 while none does.
        passing: nobody will ask for it again.
    """

    tokens: list[int] = field(default_factory=list)
    parked: bytes = b""
    seat: int | None = None
    sheet: str = ""
    reserved: int = 0
    passing: bool = False


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


class KvCache:
    """Least recently used prefixes go first when cells run out; those that lines run on stay.

    Args:
        cells: tokens all entries together may hold.
        seats: how many entries the context holds.

    Attributes:
        seats: the entries in the context, None where nothing of worth is.
    """

    def __init__(self, cells: int, seats: int = 1) -> None:
        self.cells = cells
        self.seats: list[Entry | None] = [None] * seats
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._passed = 0

    @property
    def used(self) -> int:
        """Cells taken now."""
        return sum(len(entry.tokens) for entry in self._entries.values())

    def newest(self) -> list[tuple[Key, Entry]]:
        """All entries, the last used first."""
        return list(reversed(self._entries.items()))

    def has_room(self, needed: int) -> bool:
        """Whether so many tokens may be claimed beside the lines that run; a line alone always may."""
        reserved = sum(entry.reserved for entry in self._entries.values())
        return not reserved or reserved + needed <= self.cells

    def claim(self, key: Key, needed: int) -> Entry:
        """Return the entry of a key for a line, with room for `needed` tokens in all, as the newest.

        While another line runs on the key's entry, this one gets an entry of its own, and `leave` drops it.
        """
        if (running := self._entries.get(key)) is not None and running.reserved:
            self._passed += 1
            key = (f"{key[0]}\n{self._passed}", key[1])
            self._entries[key] = Entry(passing=True)
        entry = self._entries.setdefault(key, Entry())
        self._entries.move_to_end(key)
        entry.reserved = needed
        taken = sum(max(other.reserved, len(other.tokens)) for other in self._entries.values() if other is not entry)
        for old in [old for old, other in self._entries.items() if not other.reserved and other is not entry]:
            if taken + needed <= self.cells:
                break
            taken -= len(self._entries[old].tokens)
            self._drop(old)
        return entry

    def leave(self, entry: Entry) -> None:
        """A line has ended; what it read stays for the next one of its conversation."""
        entry.reserved = 0
        if entry.passing:
            self._drop(next(key for key, found in self._entries.items() if found is entry))

    def forget(self, matches: Callable[[Key], bool]) -> None:
        """Drop every entry whose key matches."""
        for key in [key for key in self._entries if matches(key)]:
            self._drop(key)

    def seat_for(self, entry: Entry) -> int:
        """Where an entry goes: where it is, or to a free seat, best beside those of lines, of the longest unused."""
        if entry.seat is not None:
            return entry.seat
        running = self._running()
        near = range(min(running) - 1, max(running) + 2) if running else range(len(self.seats))
        age = {id(other): number for number, other in enumerate(self._entries.values(), 1)}
        free = (seat for seat in range(len(self.seats)) if seat not in running)
        return min(free, key=lambda seat: (seat not in near, age.get(id(self.seats[seat]), 0)))

    def gap(self) -> tuple[int, int] | None:
        """A seat of a line, and the free one between others where it would do better; None where they sit together.

        llama.cpp evaluates neighbouring sequences at once, and others one after the other.
        """
        running = self._running()
        free = set(range(min(running), max(running))) - running if running else set()
        return (max(running), min(free)) if free else None

    def _running(self) -> set[int]:
        return {seat for seat, entry in enumerate(self.seats) if entry is not None and entry.reserved}

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key)
        if entry.seat is not None:
            self.seats[entry.seat] = None
            entry.seat = None
