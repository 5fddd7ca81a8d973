"""The review desk: what tonight would learn, and what the GM thinks of it.

Rows that say the same of the same line (a 👍 is a line to learn and a vote) are one entry. A decision is
written to the rows and obeyed by the next night; a correction is the same edit as at the table.
"""

import asyncio
import hashlib
import importlib.metadata
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
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
from db.queries.desk import DeskRow
from db.tonight import ACCEPTED, REJECTED, decided, enough, what_is_missing

_TOP = 10
_BREATH = 200  # rows judged before others have their turn
_PACE = 20.0  # seconds a line takes until the GM's own pace is known
_IDLE = 180.0  # a longer pause is no reading
_NEGATIVE = frozenset({"thumbs_down", "retcon", "regen", "safety_x"})
_KINDS = {"sft": "a line to learn", "pair": "a preference", "label": "a vote"}


@dataclass(frozen=True)
class Row:
    """What an entry keeps of one of its rows."""

    id: int
    kind: str
    trains: bool
    reason: str
    human: str | None
    taught: bool

    @property
    def judged(self) -> tuple[bool, str]:
        """Whether the night takes it, and why or why not."""
        return decided(self.trains, self.reason, self.human, taught=self.taught)


@dataclass(frozen=True)
class Outlook:
    """What the night would do with an NPC's rows.

    Attributes:
        trains: whether there are rows enough for a training.
        missing: what the next step wants.
    """

    npc: str
    trains: bool
    missing: str


@dataclass(frozen=True)
class Entry:
    """One thing to decide on.

    Attributes:
        rows: the rows it stands for, each with its own verdict.
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
    rows: tuple["Row", ...]
    trains: bool
    reason: str
    human: str | None
    good: bool
    worth: Worth = NOTHING


@dataclass
class _Done:
    """A decision that can be taken back."""

    entry: Entry
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
        self._made: dict[str, datetime] = {}
        self._in_order = asyncio.Lock()  # a quick hand takes a verdict back before it was written

    # --- reading -----------------------------------------------------------------------------

    async def open(self, *, choose: bool = True) -> None:
        """Read the rows as the last harvest left them.

        Args:
            choose: choose anew what is most worth a look; else what is left of the last choice stays.
        """
        state = self.table.state
        async with state.store.session() as session:
            self._made = await desk.harvested(session, state.campaign)
            rows = await desk.rows(session, state.campaign)
            counted = await desk.votes(session, state.campaign)
        entries = _entries(rows)
        judged: list[tuple[str, Worth]] = []
        for number, (key, entry) in enumerate(entries.items()):
            if number % _BREATH == 0:
                await asyncio.sleep(0)  # whoever plays meanwhile is not kept waiting
            if entry.trains and entry.human is None and entry.good:
                judged.append((key, self._worth(entry, votes_of(counted, entry.turn))))
        for key, worth in judged:
            if worth is not NOTHING:
                entries[key] = replace(entries[key], worth=worth)
        self.entries = entries
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
        """The NPCs whose rows the night would make otherwise: reactions, consents or turns have changed since."""
        state = self.table.state
        async with state.store.session() as session:
            made = await desk.harvested(session, state.campaign)
            heard = await desk.newest_reactions(session, state.campaign)
            changed = await desk.newest_change(session, state.campaign)
        newest = {npc: max(when, changed or when) for npc, when in heard.items()}
        return sorted(npc for npc, when in newest.items() if npc not in made or made[npc] < when)

    async def refresh(self, npcs: list[str] | None = None) -> bool:
        """Harvest anew, everybody with news or those named; whether there was anything to."""
        async with self._in_order:
            return await self._refresh(npcs)

    async def _refresh(self, npcs: list[str] | None) -> bool:
        state, found = self.table.state, await self.stale() if npcs is None else npcs
        harvest = harvester()
        if not found or harvest is None:
            return False
        for npc in found:
            async with state.store.session() as session:
                await harvest(session, state.campaign, npc, self.policy, state.clock())
        await self.open(choose=npcs is None)
        return True

    def outlook(self) -> list[Outlook]:
        """What the night would do with everybody's rows, as they are decided on now."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        taught: Counter[str] = Counter()
        for entry in self.entries.values():
            for row in entry.rows:
                taught[entry.npc] += row.taught
                if not row.taught and row.judged[0]:
                    found[entry.npc][row.kind] += 1
        return [Outlook(npc, enough(found[npc]["sft"], taught[npc]), what_is_missing(found[npc]))
                for npc in sorted({entry.npc for entry in self.entries.values()})]  # fmt: skip

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
        async with self._in_order:
            await self._up_to_date(key)
            entry, state = self.entry(key), self.table.state
            done = _Done(entry)
            async with state.store.session() as session:
                await desk.decide(session, [row.id for row in entry.rows], verdict)
                if verdict == REJECTED and entry.turn is not None and entry.good:
                    done.examples = await desk.rest_examples(session, entry.turn)
            return self._decided(done, verdict)

    async def _up_to_date(self, key: str) -> bool:
        """Read the rows again if a harvest has replaced them meanwhile; whether they were as they are known here."""
        async with self.table.state.store.session() as session:
            made = await desk.harvested(session, self.table.state.campaign)
        npc = self.entry(key).npc
        if made.get(npc) == self._made.get(npc):
            return True
        await self.open(choose=False)
        return False

    def _decided(self, done: _Done, verdict: str | None) -> Entry:
        self._done.append(done)
        self._moments.append(time.monotonic())
        rows = tuple(replace(row, human=verdict) for row in done.entry.rows)
        trains, reason = _outcome(rows)
        changed = replace(done.entry, human=verdict, rows=rows, trains=trains, reason=reason)
        self.entries[done.entry.key] = changed
        return changed

    async def correct(self, key: str, text: str, asked: str | None = None) -> Entry:
        """What the NPC should have said instead; the same edit as at the table."""
        async with self._in_order:
            return await self._correct(key, text, asked)

    async def _correct(self, key: str, text: str, asked: str | None) -> Entry:
        entry = self.entry(key)
        if entry.turn is None:
            raise TableError("A teacher's row is accepted or rejected; there is no line at the table to correct.")
        line = await self.table.correcting.line(entry.turn)
        kept = line.kept or 0
        await self.table.edit(text, entry.turn, asked, by=self.hand)
        done = _Done(entry, edit=(entry.turn, kept))
        self._decided(done, ACCEPTED)
        await self._refresh([entry.npc])
        self._done[-1] = done
        return replace(entry, text=text, human=ACCEPTED)

    async def undo(self) -> Entry | None:
        """Take the last decision back; the entry as it stands again."""
        async with self._in_order:
            return await self._undo()

    async def _undo(self) -> Entry | None:
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
            await self._refresh([done.entry.npc])
            return done.entry
        known = await self._up_to_date(done.entry.key)
        rows = done.entry.rows if known else tuple(
            replace(row, human=done.entry.human) for row in self.entry(done.entry.key).rows)  # fmt: skip
        async with state.store.session() as session:
            for row in rows:
                await desk.decide(session, [row.id], row.human)
            await desk.wake_examples(session, done.examples)
        self.entries[done.entry.key] = entry = replace(done.entry, rows=rows)
        return entry


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
    rows = tuple(Row(row.id, row.kind, row.trains, row.reason, row.human, row.taught) for row in group)
    trains, reason = _outcome(rows)
    human = {row.human for row in group}  # a row that came after the decision is not decided on
    signals = [str(row.payload.get("signal", "")) for row in group]
    key = hashlib.sha256(repr(group_key).encode()).hexdigest()[:16]  # the same after the next harvest
    return Entry(
        key, npc, None if first.taught else number, _asked(first.payload), text, original,
        signals[0], first.source, tuple(dict.fromkeys(_KINDS.get(row.kind, row.kind) for row in group)),
        rows, trains, reason, human.pop() if len(human) == 1 else None,
        good and not set(signals) <= _NEGATIVE,
    )  # fmt: skip


def _asked(payload: Mapping[str, Any]) -> str:
    """What a row's line answers; a teacher's row holds the talk before it."""
    turns = payload.get("turns") or [["", payload.get("asked", ""), None]]
    return str(turns[-1][1])


def _outcome(rows: tuple[Row, ...]) -> tuple[bool, str]:
    """Whether the night takes any of an entry's rows, and why or why not."""
    judged = [row.judged for row in rows]
    return next((one for one in judged if one[0]), judged[0])
