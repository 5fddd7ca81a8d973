"""The review desk: what tonight would learn, and what the GM thinks of it.

Rows that say the same of the same line (a 👍 is a line to learn and a vote) are one entry. A decision is
written to the rows and obeyed by the next night; a correction is the same edit as at the table.
"""

import hashlib
import importlib.metadata
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import median
from typing import Any

from bot.errors import TableError
from bot.table.state import Hand
from bot.table.table import Table
from bot.table.worth import NOTHING, Judge, Worth, most_worth, votes_of
from characters.errors import SheetError
from db.provenance import Policy
from db.queries import desk, lines, reactions
from db.queries.desk import ACCEPTED, REJECTED, DeskRow

_TOP = 10
_PACE = 20.0  # seconds a line takes until the GM's own pace is known
_IDLE = 180.0  # a longer pause is no reading
_NEGATIVE = frozenset({"thumbs_down", "retcon", "regen", "safety_x"})
_KINDS = {"sft": "a line to learn", "pair": "a preference", "label": "a vote"}


@dataclass(frozen=True)
class Entry:
    """One thing to decide on.

    Attributes:
        rows: ids of the rows it stands for.
        trains: whether tonight would learn from any of them.
        human: "accept", "reject" or None.
        worth: why it is worth the GM's time.
    """

    key: str
    npc: str
    turn: int | None
    asked: str
    text: str
    original: str
    signal: str
    source: str
    kinds: tuple[str, ...]
    rows: tuple[int, ...]
    trains: bool
    reason: str
    human: str | None
    good: bool
    worth: Worth = NOTHING


@dataclass
class _Done:
    """A decision that can be taken back."""

    entry: Entry
    before: str | None
    examples: list[int] = field(default_factory=list)
    edit: tuple[int, int] | None = None  # line, and the take that stood


class Desk:
    """One GM at the desk."""

    def __init__(self, table: Table, policy: Policy, hand: Hand | None = None) -> None:
        self.table, self.policy, self.hand = table, policy, hand or table.state.hand
        self.entries: dict[str, Entry] = {}
        self.top: list[str] = []
        self._done: list[_Done] = []
        self._moments: list[float] = []

    # --- reading -----------------------------------------------------------------------------

    async def open(self, *, choose: bool = True) -> None:
        """Read the rows as the last harvest left them.

        Args:
            choose: choose anew what is most worth a look; else what is left of the last choice stays.
        """
        state = self.table.state
        async with state.store.session() as session:
            rows = await desk.rows(session, state.campaign)
            counted = await desk.votes(session, state.campaign)
        self.entries = _entries(rows)
        judged = [
            (key, worth) for key, entry in self.entries.items()
            if entry.trains and entry.human is None and entry.good
            for worth in [self._worth(entry, votes_of(counted, entry.turn))]
        ]  # fmt: skip
        for key, worth in judged:
            self.entries[key] = replace(self.entries[key], worth=worth)
        kept = [key for key in self.top if key in self.entries]
        self.top = most_worth(judged, _TOP) if choose else kept

    def _worth(self, entry: Entry, votes: tuple[int, int]) -> Worth:
        judge = self._judge(entry.npc)
        return judge.worth(entry.text, entry.asked, votes) if judge else NOTHING

    @lru_cache(maxsize=64)  # noqa: B019  (a desk lives as long as its page)
    def _judge(self, npc: str) -> Judge | None:
        library = self.table.state.library
        try:
            sheet = library.get(npc)
            return Judge(sheet, library.world(sheet.world))
        except SheetError:
            return None

    async def stale(self) -> list[str]:
        """The NPCs the table has reacted to since their rows were made."""
        state = self.table.state
        async with state.store.session() as session:
            made = await desk.harvested(session, state.campaign)
            heard = await desk.newest_reactions(session, state.campaign)
        return sorted(npc for npc, when in heard.items() if npc not in made or made[npc] < when)

    async def refresh(self, npcs: list[str] | None = None) -> bool:
        """Harvest anew, everybody with news or those named; whether there was anything to."""
        state, found = self.table.state, await self.stale() if npcs is None else npcs
        harvest = harvester()
        if not found or harvest is None:
            return False
        for npc in found:
            async with state.store.session() as session:
                await harvest(session, state.campaign, npc, self.policy, state.clock())
        await self.open(choose=npcs is None)
        return True

    def minutes_left(self) -> float:
        """How long the rest of the top lines will take, at this GM's pace."""
        left = sum(1 for key in self.top if key in self.entries and self.entries[key].human is None)
        pauses = [b - a for a, b in zip(self._moments, self._moments[1:], strict=False) if b - a < _IDLE]
        return left * (median(pauses) if len(pauses) >= 3 else _PACE) / 60

    # --- deciding ----------------------------------------------------------------------------

    def entry(self, key: str) -> Entry:
        """An entry by its key."""
        found = self.entries.get(key)
        if found is None:
            raise TableError("That row is not there any more; reload the page.")
        return found

    async def decide(self, key: str, verdict: str) -> Entry:
        """Accept or reject; a rejected line is no example any longer, from the next line on."""
        entry, state = self.entry(key), self.table.state
        done = _Done(entry, entry.human)
        async with state.store.session() as session:
            await desk.decide(session, entry.rows, verdict)
            if verdict == REJECTED and entry.turn is not None and entry.good:
                done.examples = await desk.rest_examples(session, entry.turn)
        return self._decided(done, verdict)

    def _decided(self, done: _Done, verdict: str | None) -> Entry:
        self._done.append(done)
        self._moments.append(time.monotonic())
        changed = replace(done.entry, human=verdict, trains=done.entry.trains and verdict != REJECTED)
        self.entries[done.entry.key] = changed
        return changed

    async def correct(self, key: str, text: str, asked: str | None = None) -> Entry:
        """What the NPC should have said instead; the same edit as at the table."""
        entry = self.entry(key)
        if entry.turn is None:
            raise TableError("A teacher's row is accepted or rejected; there is no line at the table to correct.")
        line = await self.table.correcting.line(entry.turn)
        kept = line.kept or 0
        await self.table.edit(text, entry.turn, asked, by=self.hand)
        done = _Done(entry, entry.human, edit=(entry.turn, kept))
        self._decided(done, ACCEPTED)
        await self.refresh([entry.npc])
        self._done[-1] = done
        return replace(entry, text=text, human=ACCEPTED)

    async def undo(self) -> Entry | None:
        """Take the last decision back; the entry as it stands again."""
        if not self._done:
            return None
        done, state = self._done.pop(), self.table.state
        if self._moments:
            self._moments.pop()
        if done.edit is not None:
            line, take = done.edit
            async with state.store.session() as session:
                await lines.keep_take(session, line, take)
                await reactions.withdraw(session, line, "edit", self.hand.person.id, state.clock())
                await reactions.unteach(session, line, "edited")
            await self.refresh([done.entry.npc])
            return done.entry
        async with state.store.session() as session:
            await desk.decide(session, done.entry.rows, done.before)
            await desk.wake_examples(session, done.examples)
        self.entries[done.entry.key] = done.entry
        return done.entry


Harvest = Callable[[Any, int, str, Policy, Any], Awaitable[Any]]


def harvester() -> Harvest | None:
    """The learning half's harvest, where it is installed; there is no import edge to it."""
    for entry in importlib.metadata.entry_points(group="understudy.desk", name="refresh"):
        loaded: Harvest = entry.load()
        return loaded
    return None


def _entries(rows: list[DeskRow]) -> dict[str, Entry]:
    grouped: dict[tuple[str, int | None, str, bool], list[DeskRow]] = defaultdict(list)
    for row in rows:
        payload = row.payload
        good = payload.get("label", True) is not False
        number = row.id if row.taught else row.turn
        grouped[row.npc, number, str(payload.get("completion", "")), good].append(row)
    return {entry.key: entry for key, group in grouped.items() for entry in [_entry(key, group)]}


def _entry(group_key: tuple[str, int | None, str, bool], group: list[DeskRow]) -> Entry:
    npc, number, text, good = group_key
    first = next((row for row in group if row.kind == "sft"), group[0])
    original = next((str(row.payload.get("rejected")) for row in group if row.payload.get("rejected")), "")
    trains = any(row.trains for row in group) and not any(row.human == REJECTED for row in group)
    signals = [str(row.payload.get("signal", "")) for row in group]
    key = hashlib.sha256(repr(group_key).encode()).hexdigest()[:16]  # the same after the next harvest
    return Entry(
        key, npc, None if first.taught else number, str(first.payload.get("asked", "")), text, original,
        signals[0], first.source, tuple(dict.fromkeys(_KINDS.get(row.kind, row.kind) for row in group)),
        tuple(row.id for row in group), trains, first.reason, next((row.human for row in group if row.human), None),
        good and not set(signals) <= _NEGATIVE,
    )  # fmt: skip
