"""Where requests are handed in: what is known is not asked, what is asked is paid for once.

    known? ─ yes ─► the kept answer
       └ no ─► may it leave? ─► is there budget? ─► written down ─► sent ─► answer and cost written down ─► read

A program may be killed at any point. What it had sent is then marked as lost: it may have been paid
for, counts against the budget, and is never sent again; whoever wanted it draws something else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from db.queries import teaching
from db.queries.teaching import Call, Settled
from db.store import Store
from learning.errors import LearningError
from learning.teachers import guard as guards
from learning.teachers.errors import BudgetReached, Rejected, TeacherBroke, TeacherRefused, TeacherUnavailable
from learning.teachers.guard import Guard
from learning.teachers.progress import Progress
from learning.teachers.protocol import NANO, Answer, Teacher, TeacherRequest, Usage, most_tokens

T = TypeVar("T")
_ATTEMPTS = 3
LOST = "answer lost when the program ended"


@dataclass
class _Reservation:
    """A request on its way: its row in the ledger, the most a try costs, and what is kept back for it."""

    number: int
    most: int
    kept: int


@dataclass
class Desk:
    """Asks one teacher for one run.

    Attributes:
        run: names the run in the ledger; the same name goes on where it was.
        budget: in billionths of the currency; None for no limit.
        concurrency: requests at a time.
    """

    store: Store
    teacher: Teacher
    campaign: int
    run: str
    guard: Guard
    progress: Progress
    clock: Callable[[], datetime]
    budget: int | None = None
    concurrency: int = 4

    def __post_init__(self) -> None:
        """Nothing is on its way yet."""
        self._places = asyncio.Semaphore(self.concurrency)
        self._money = asyncio.Lock()
        self._spent = 0
        self._reserved = 0
        self._ended: LearningError | None = None
        self._asking: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        """Look at the books; what a killed program left open is lost."""
        async with self.store.session() as session:
            self.progress.lost += await teaching.lose_open_calls(session, self.run)
            self._spent = (await teaching.spent(session, self.run)).price_nano
        self.progress.price_nano = max(self.progress.price_nano, self._spent)  # another desk may share it
        self.progress.begin()

    async def ask(self, request: TeacherRequest, read: Callable[[Answer], T], attempts: int = _ATTEMPTS) -> T:
        """Ask until an answer can be read, at most three times.

        Args:
            read: makes something of an answer, or raises Rejected.

        Raises:
            Rejected: no answer was any use; the last reason.
            LearningError: the run has to end (budget, server); asking anything else raises it again.
        """
        for left in reversed(range(attempts)):
            try:
                return read(await self.answer(request))
            except Rejected as rejected:
                if rejected.final or left == 0:
                    raise
                self.progress.reject(f"{rejected.reason} (asked again)")
                request = request.again()
        raise AssertionError("the last attempt returns or raises")

    async def answer(self, request: TeacherRequest) -> Answer:
        """The answer to one request: the kept one, or one that is paid for.

        Raises:
            Rejected, LearningError: as `ask`.
        """
        if self.teacher.source == "offline_teacher":
            self.progress.calls += 1  # made anew in no time, always the same, and free: nothing to keep
            return _whole(await self.teacher.complete(request))
        key = request.key(self.teacher.name, self.campaign)
        async with self._asking.setdefault(key, asyncio.Lock()):
            known = await self._known(key)
            if known is not None:
                return known
            if self.teacher.remote and self.guard.stops(request.messages):
                raise Rejected(guards.REASON, final=True)
            async with self._places:
                if self._ended is not None:
                    raise self._ended
                return await self._bought(key, request)

    async def _known(self, key: str) -> Answer | None:
        async with self.store.session() as session:
            call = await teaching.find_call(session, key)
        if call is None or call.ended.state == teaching.FAILED:
            return None
        if call.ended.state != teaching.ANSWERED:
            if not self.teacher.remote:
                return None  # nothing was paid on this machine
            raise Rejected(LOST, final=True)
        ended = call.ended
        self.progress.cached += 1
        usage = Usage(ended.prompt_tokens, ended.completion_tokens, ended.tries)
        return _whole(Answer(ended.answer, ended.finish, usage, ended.reason, call.id, True))  # type: ignore[arg-type]

    async def _bought(self, key: str, request: TeacherRequest) -> Answer:
        most = self.teacher.prices.nano(most_tokens(request.messages), request.sampling.max_tokens)
        await self._reserve(most)
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        call = Call(key, self.campaign, self.run, request.task, self.teacher.name, messages, most)
        held = _Reservation(0, most, most)
        try:
            async with self.store.session() as session:
                held.number = await teaching.open_call(session, call, self.clock())
            answer = await self._sent(held, request)
        finally:
            self._reserved -= held.kept
        return _whole(answer)

    async def _sent(self, held: _Reservation, request: TeacherRequest) -> Answer:
        number = held.number
        self.progress.calls += 1
        try:
            answer = await self.teacher.complete(request, lambda wasted: self._afford(held, wasted))
        except TeacherBroke as broke:
            await self._settle(number, _settled(broke.usage, teaching.FAILED, self.teacher, reason=broke.reason))
            raise Rejected(broke.reason) from broke
        except Rejected as rejected:
            await self._settle(number, _settled(Usage(0, 0), teaching.FAILED, self.teacher, reason=rejected.reason))
            raise
        except LearningError as error:
            self._ended = self._ended or error
            paid = error.usage if isinstance(error, TeacherRefused | TeacherUnavailable) else Usage(0, 0)
            await self._settle(number, _settled(paid, teaching.FAILED, self.teacher, reason="the run ended"))
            raise
        ended = _settled(answer.usage, teaching.ANSWERED, self.teacher, answer)
        await self._settle(number, ended)
        return replace(answer, call=number)

    async def _reserve(self, most: int) -> None:
        async with self._money:
            if self._ended is not None:
                raise self._ended
            if self.budget is not None and self._spent + self._reserved + most > self.budget:
                self._ended = BudgetReached(
                    f"Stopped before the budget of {self.budget / NANO:.2f} is passed: {self._spent / NANO:.4f} is "
                    f"spent, and the next request may cost {most / NANO:.4f}; a higher --budget goes on from here."
                )
                raise self._ended
            self._reserved += most

    async def _afford(self, held: _Reservation, wasted: Usage) -> bool:
        """Keep back what another try may cost beside the earlier ones, and write it down before it is sent."""
        more = held.most + self.teacher.prices.nano(wasted.prompt_tokens, wasted.completion_tokens) - held.kept
        async with self._money:
            if self.budget is not None and self._spent + self._reserved + more > self.budget:
                return False
            self._reserved += more
            held.kept += more
        if more:
            async with self.store.session() as session:
                await teaching.raise_price(session, held.number, held.kept)
        return True

    async def _settle(self, number: int, ended: Settled) -> None:
        async with self.store.session() as session:
            await teaching.settle_call(session, number, ended, self.clock())
        self._spent += ended.price_nano
        self.progress.price_nano += ended.price_nano


def _settled(usage: Usage, state: str, teacher: Teacher, answer: Answer | None = None, reason: str = "") -> Settled:
    price = teacher.prices.nano(usage.prompt_tokens, usage.completion_tokens)
    text, finish = (answer.text, answer.finish) if answer else ("", "")
    return Settled(state, text, finish, usage.prompt_tokens, usage.completion_tokens, price, usage.tries,
                   answer.made_by if answer else reason)  # fmt: skip


def _whole(answer: Answer) -> Answer:
    """An answer that came to its end.

    Raises:
        Rejected: it was cut off, is empty, or the server refused.
    """
    if answer.finish == "refused":
        raise Rejected("refusal")
    if answer.finish == "length":
        raise Rejected("cut off at the token limit")
    if not answer.text.strip():
        raise Rejected("empty answer")
    return answer
