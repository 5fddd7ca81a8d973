"""The nightly service: when a night begins, and when it has to make way.

    at the hour, or when it was missed ─► ask for every NPC with news ─┐
    /session stop now, or anybody's wish ─────────────────────────────►├─ request ─► a night, one at a time
                                                                       ┘      ▲           │
                                        a session opens: the night is ended ──┴───────────┘

The service itself only looks: twice a second while a night runs, every two seconds else. It imports
nothing that trains; a night is a process of its own (`learning.night_child`). `tick` does one step
and never waits, so that a test can play a night with a clock and a child of its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from db.errors import NightElsewhere, StoreError
from db.night_lock import YIELDED
from db.queries import nights
from db.queries.nights import Request
from db.settings import NightSettings
from db.store import Store
from learning.errors import LearningError
from learning.night_child import Child

TICK = 0.5  # seconds
POLL = timedelta(seconds=2)
BEAT = timedelta(seconds=30)
STALE = timedelta(minutes=5)
ELSEWHERE = timedelta(minutes=1)  # until a campaign is tried again whose night another machine ran
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOWS = tuple(timedelta(hours=hours) for hours in (1, 25, 8 * 24, 32 * 24, 367 * 24))

_log = logging.getLogger(__name__)


class ScheduleInvalid(LearningError):
    """The hour of the nights cannot be understood."""


@dataclass(frozen=True)
class Plan:
    """When nights run.

    Attributes:
        trigger: the hour, in the zone of the settings.
        idle: silence after which an evening counts as over.
        longest: after which a night counts as hung and is ended; far more than its time box.
        yields: whether a session keeps nights away.
    """

    trigger: CronTrigger
    idle: timedelta
    longest: timedelta
    run_on_start: bool = True
    yields: bool = True

    @classmethod
    def of(cls, settings: NightSettings) -> "Plan":
        """The plan of the settings.

        Raises:
            ScheduleInvalid: one sentence about nights.cron.
        """
        longest = timedelta(minutes=2 * settings.minutes + 10)
        idle = timedelta(minutes=settings.idle_minutes)
        return cls(cron(settings.cron, settings.timezone), idle, longest, settings.run_on_start, settings.yields)

    def last_due(self, now: datetime) -> datetime | None:
        """The newest moment up to now at which a night was due, within a year."""
        for window in _WINDOWS:
            found, last = self.trigger.get_next_fire_time(None, now - window), None
            while found is not None and found <= now:
                last, found = found, self.trigger.get_next_fire_time(found, found + timedelta(microseconds=1))
            if last is not None:
                due: datetime = last.astimezone(UTC)
                return due
        return None

    def next_due(self, now: datetime) -> datetime | None:
        """When the next night is due."""
        found: datetime | None = self.trigger.get_next_fire_time(None, now)
        return found


def cron(expression: str, timezone: str = "") -> CronTrigger:
    """A trigger from five fields; weekdays count from Sunday, as everywhere but in APScheduler.

    Args:
        timezone: empty for this machine's.

    Raises:
        ScheduleInvalid: a field is wrong.
    """
    names = ("minute", "hour", "day", "month", "day_of_week")
    fields = expression.split()
    try:
        given = dict(zip(names, fields, strict=True))
        given["day_of_week"] = ",".join(_weekdays(part) for part in given["day_of_week"].split(","))
        return CronTrigger(**given, timezone=ZoneInfo(timezone) if timezone else None)
    except (ValueError, IndexError, KeyError) as error:
        raise ScheduleInvalid(
            f"The setting nights.cron is {expression!r}, which is no time ({error}); "
            "write minute, hour, day, month and weekday, such as 0 4 * * *."
        ) from error


def _weekdays(part: str) -> str:
    """One part of a weekday field with names for numbers: `0` and `7` are Sunday, `5-7` Friday to Sunday."""
    days, slash, step = part.partition("/")
    first, dash, last = days.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return part
    chosen = range(int(first), int(last) + 1 if dash else (7 if slash else int(first) + 1))
    if not chosen:
        raise ValueError(f"the weekdays {days} end before they begin")
    return ",".join(_WEEKDAYS[day] for day in chosen[:: int(step) if slash else 1])


@dataclass(frozen=True)
class Hands:
    """What the service touches the world with.

    Attributes:
        clock: the time, in UTC.
        start: begins a night for (campaign's name, NPC).
        held: whether anybody else runs a night in this home.
        tell: what becomes of the nights, as events with a sentence in `message`.
        has_sheet: whether an NPC can be played; the night of one that is not would fail every time.
    """

    clock: Callable[[], datetime]
    start: Callable[[str, str], Child]
    held: Callable[[], bool]
    tell: Callable[[dict[str, Any]], None]
    has_sheet: Callable[[str], bool]


@dataclass
class _Running:
    """The request that is being served."""

    request: Request
    campaign: str
    npcs: deque[str]
    beat_at: datetime
    npc: str = ""
    child: Child | None = None
    began_at: datetime | None = None
    faults: list[str] = field(default_factory=list)


class NightService:
    """Serves the requests for nights, one at a time, out of everybody's way.

    Args:
        name: tells this service from others on the same database.
        host: whether the table that started this service is still there; None if it runs by itself.
            A service beside a table takes no memory it does not need: it ends when somebody plays,
            when nobody has anything to learn at the next hour, and when the table is gone and
            nothing is asked for any more. The table starts it again when it rests.
    """

    def __init__(
        self, store: Store, plan: Plan, hands: Hands, name: str, host: Callable[[], bool] | None = None
    ) -> None:
        self.store = store
        self.plan = plan
        self.hands = hands
        self.name = name
        self.host = host
        self.over = asyncio.Event()
        self._running: _Running | None = None
        self._looked_at: datetime | None = None
        self._news_wait = False
        self._elsewhere: dict[int, datetime] = {}
        self._step = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether a night runs."""
        return self._running is not None

    def schedule(self) -> AsyncIOScheduler:
        """The scheduler with the service's two jobs, not started yet."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = AsyncIOScheduler(timezone=UTC)
        # A night that was missed because the machine slept is run once when it wakes.
        manner: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler.add_job(self.tonight, self.plan.trigger, id="tonight", **manner)
        scheduler.add_job(self.tick, IntervalTrigger(seconds=TICK, timezone=UTC), id="tick", **manner)
        return scheduler

    # --- asking --------------------------------------------------------------------------------

    async def begin(self) -> None:
        """What is done once, at the start: make up for a night that was missed."""
        now = self.hands.clock()
        due = self.plan.last_due(now) if self.plan.run_on_start else None
        if due is not None:
            await self._ask(before=due)

    async def tonight(self) -> None:
        """The job of the hour: ask for a night for everybody with news."""
        await self._ask()

    async def _ask(self, before: datetime | None = None) -> None:
        """Ask for nights; with `before` only where news have waited since then."""
        now = self.hands.clock()
        async with self.store.session() as session:
            for campaign, name in (await nights.campaigns(session)).items():
                for npc in await self._with_news(session, campaign, before):
                    if await nights.ask(session, campaign, npc, now):
                        self._tell("asked", f"A night is due for {npc}.", name, npc)

    async def _with_news(self, session: Any, campaign: int, before: datetime | None = None) -> list[str]:
        """The NPCs with news that have a sheet still."""
        news = await nights.npcs_with_news(session, campaign, before, self.hands.clock())
        return [npc for npc in news if self.hands.has_sheet(npc)]

    # --- serving -------------------------------------------------------------------------------

    async def tick(self) -> None:
        """One step; a database that is busy or away costs this step and nothing else."""
        async with self._step:
            try:
                await self._one_step()
            except StoreError as error:
                _log.warning("%s", error)

    async def _one_step(self) -> None:
        if self.over.is_set():
            return
        if self._running is not None:
            await self._watch(self._running)
        elif self._looked_at is None or not timedelta() <= self.hands.clock() - self._looked_at < POLL:
            self._looked_at = self.hands.clock()
            await self._look()

    async def stop(self) -> None:
        """End for good: the night that runs is ended at once, and its request given back."""
        self.over.set()
        if self._running is not None and self._running.child is not None:
            await self._running.child.stop()
        async with self._step:  # a step that was under way may have begun another
            running = self._running
            if running is None:
                return
            if running.child is not None:
                await running.child.stop()
            await self._give_back(running)

    async def _look(self) -> None:
        """Take the oldest request, if nobody plays and nobody else runs a night here."""
        now = self.hands.clock()
        if await self._somebody_plays(now):
            self._leave()
            return
        if self.hands.held():
            return
        async with self.store.session() as session:
            await nights.return_stale(session, now - STALE, now)
            request = await nights.claim(session, self.name, now, self._left_to_others(now))
        if request is None:
            if not await self._wanted():
                self.over.set()
            return
        async with self.store.session() as session:
            names = await nights.campaigns(session)
            npcs = [request.npc] if request.npc else await self._with_news(session, request.campaign)
        self._running = _Running(request, names[request.campaign], deque(npcs), now)
        await self._next(self._running)

    def _left_to_others(self, now: datetime) -> list[int]:
        """The campaigns whose night another machine was found to run a moment ago."""
        recent = {campaign: at for campaign, at in self._elsewhere.items() if timedelta() <= now - at < ELSEWHERE}
        self._elsewhere = recent
        return list(recent)

    async def _wanted(self) -> bool:
        """Whether there is a reason to stay although nothing can be taken now."""
        if self.host is None:
            return True
        async with self.store.session() as session:
            if await nights.requests(session, state="waiting"):
                return True
        if not self.host():
            return False
        if not self._news_wait:
            async with self.store.session() as session:
                for campaign in await nights.campaigns(session):
                    self._news_wait = self._news_wait or bool(await self._with_news(session, campaign))
        return self._news_wait

    def _leave(self) -> None:
        if self.host is not None:
            self.over.set()

    async def _somebody_plays(self, now: datetime) -> bool:
        if not self.plan.yields:
            return False
        async with self.store.session() as session:
            return bool(await nights.sessions_open(session, now - self.plan.idle, now=now))

    async def _next(self, running: _Running) -> None:
        """Begin the next NPC's night, or finish the request."""
        if not running.npcs:
            await self._finish(running)
            return
        running.npc, running.began_at = running.npcs.popleft(), self.hands.clock()
        try:
            running.child = self.hands.start(running.campaign, running.npc)
        except OSError as error:
            self._ended(running, f"The system starts no process ({error.strerror}).")
            return
        self._tell("begun", f"{running.npc}'s night begins.", running.campaign, running.npc)

    async def _watch(self, running: _Running) -> None:
        """See how the night does, and whether somebody sits down to play."""
        now, child = self.hands.clock(), running.child
        if child is None or running.began_at is None:
            await self._next(running)
            return
        status = child.poll()
        if status == YIELDED:
            self._tell("yielded", f"Somebody is being forgotten: {running.npc}'s night makes way and goes on later.",
                       running.campaign, running.npc)  # fmt: skip
            await self._give_back(running)
        elif status == NightElsewhere.status:
            self._elsewhere[running.request.campaign] = now
            self._tell("yielded", f"Another machine runs a night: {running.npc}'s waits for its end.",
                       running.campaign, running.npc)  # fmt: skip
            await self._give_back(running)
        elif status is not None:
            running.child = None
            self._ended(running, "" if status == 0 else child.fault())
            await self._next(running)
        elif await self._somebody_plays(now):
            await child.stop()
            self._tell("yielded", f"Somebody plays: {running.npc}'s night makes way and goes on later.",
                       running.campaign, running.npc)  # fmt: skip
            await self._give_back(running)
            self._leave()
        elif now - running.began_at > self.plan.longest:
            await child.stop()
            running.child = None
            limit = self.plan.longest.total_seconds() / 60
            self._ended(running, f"It took more than {limit:.0f} minutes and was ended.")
            await self._next(running)
        elif now - running.beat_at >= BEAT:
            running.beat_at = now
            async with self.store.session() as session:
                await nights.beat(session, running.request.id, self.name, now)

    def _ended(self, running: _Running, fault: str) -> None:
        if fault:
            running.faults.append(f"{running.npc}: {fault}")
        event, how = ("failed", f"failed: {fault}") if fault else ("done", "is done.")
        self._tell(event, f"{running.npc}'s night {how}", running.campaign, running.npc)

    async def _finish(self, running: _Running) -> None:
        state, reason = ("failed", " ".join(running.faults)) if running.faults else ("done", "")
        if not running.npc:
            reason = "Nobody has said anything new about an NPC's lines."
            self._tell("nothing", reason, running.campaign, "")
        async with self.store.session() as session:
            await nights.finish(session, running.request.id, self.name, self.hands.clock(), state, reason)
        self._running, self._news_wait = None, False

    async def _give_back(self, running: _Running) -> None:
        self._running = None
        async with self.store.session() as session:
            await nights.release(session, running.request.id, self.name)

    def _tell(self, event: str, message: str, campaign: str, npc: str) -> None:
        self.hands.tell({"event": event, "campaign": campaign, "npc": npc, "message": message})
