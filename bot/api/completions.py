"""`/v1/chat/completions`: what a client says joins its conversation, and an NPC answers."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from bot.api.conversations import Conversations, Talking, name_of, new_name, place_of, seat_of
from bot.api.errors import ApiError
from bot.api.history import Brought, Joined, brought, goes_on, join, turns
from bot.api.host import Caller
from bot.api.performing import Performance
from bot.api.schemas import CompletionRequest
from bot.table.bounds import within_limits
from bot.table.events import Event
from bot.table.state import Hand
from bot.table.table import Seat
from db.queries import api, lines, play

_SHORTEST = 8  # tokens; a line cut shorter than that says nothing
_ALL = 16  # times what one key may ask for at once, over all keys


@dataclass(frozen=True)
class Order:
    """A request that was understood: who says what to whom, and where."""

    asked: CompletionRequest
    caller: Caller
    campaign: str
    npc: str
    seat: Seat
    said: Brought
    joined: Joined
    name: str


@dataclass(frozen=True)
class Speaking:
    """A line on its way to whoever asked."""

    order: Order
    performance: Performance
    limit: int


class Completions:
    """Answers requests for lines."""

    def __init__(self, conversations: Conversations) -> None:
        self.conversations = conversations
        self._running: set[asyncio.Task[None]] = set()
        self._asking: dict[str, int] = {}

    async def begin(self, asked: CompletionRequest, caller: Caller) -> Speaking:
        """Understand a request, and let the NPC begin.

        Raises:
            UnderstudyError: it cannot be answered; nothing was stored.
        """
        order = await self.understand(asked, caller)
        self._admit(caller)
        try:
            talking = await self._sit(order)
        except BaseException:
            self._asking[caller.handle] -= 1
            raise
        sampling = talking.table.state.sampling
        limit = max(_SHORTEST, min(asked.most_tokens or sampling.max_tokens, sampling.max_tokens))
        performance = Performance(talking.table, self._perform(order, talking, limit))
        self._running.add(performance.task)
        performance.task.add_done_callback(lambda task: self._ended(task, caller, talking))
        return Speaking(order, performance, limit)

    def _admit(self, caller: Caller) -> None:
        most = self.conversations.host.settings.at_once
        now = self._asking.get(caller.handle, 0)
        if now >= most or sum(self._asking.values()) >= _ALL * most:
            raise ApiError(f"{now} lines are being spoken for this key already; wait for one to end.", 429,
                           "rate_limit_error", "rate_limit_exceeded", {"Retry-After": "2"})  # fmt: skip
        self._asking[caller.handle] = now + 1

    def _ended(self, task: asyncio.Task[None], caller: Caller, talking: Talking) -> None:
        self._running.discard(task)
        self._asking[caller.handle] -= 1
        talking.waiting -= 1

    async def understand(self, asked: CompletionRequest, caller: Caller) -> Order:
        """Find out who says what to whom, and which conversation it belongs to."""
        campaign, npc = await self.conversations.model(caller, asked.model)
        if asked.another is not None:
            return await self._again(asked, caller, campaign, npc)
        said = brought(asked.messages)
        seat = seat_of(caller, asked.player, asked.user, said.now[-1].name)
        joined = await self._join(asked, caller, (campaign, npc), said, seat)
        name = asked.conversation or (name_of(caller, joined.place) if joined.place else new_name())
        return Order(asked, caller, campaign, npc, seat, said, joined, name)

    async def _join(
        self, asked: CompletionRequest, caller: Caller, model: tuple[str, str], said: Brought, seat: Seat
    ) -> Joined:  # fmt: skip
        """The conversation the messages belong to: the one that is named, else one of this player's they go on from."""
        (campaign, npc), host = model, self.conversations.host
        async with host.store.session() as session:
            number = await play.campaign_id(session, campaign, host.clock())
            if asked.conversation is None:
                talks = await api.talks(session, number, caller.prefix, npc) if said.past else []
                return join(said, npc, [talk for talk in talks if any(turn.person == seat.key for turn in talk.tail)])
            place = place_of(caller, asked.conversation)
            evening = await play.open_session(session, number, place)
            known = await play.last_scene(session, evening) if evening is not None else None
            tail = await api.tail(session, known[0]) if known is not None else ()
        return goes_on(said, npc, place, tail)

    async def _again(self, asked: CompletionRequest, caller: Caller, campaign: str, npc: str) -> Order:
        line = line_number(asked.another or 0)
        place = await self.place_of_line(caller, line, campaign)
        seat = seat_of(caller, asked.player, asked.user, None)
        return Order(asked, caller, campaign, npc, seat, Brought((), ()), Joined(place, 0, another=line),
                     name_of(caller, place) or asked.conversation or "")  # fmt: skip

    async def place_of_line(self, caller: Caller, line: int, campaign: str | None = None) -> str:
        """Where one of the caller's own lines was said.

        Raises:
            ApiError: it is none of the caller's.
        """
        host = self.conversations.host
        async with host.store.session() as session:
            found = await api.place_of_line(session, line)
            where = await play.campaign_name(session, found[1]) if found else None
        allowed = campaign or caller.campaign
        if found is None or not found[0].startswith(caller.prefix) or (allowed is not None and where != allowed):
            raise ApiError(f"There is no line {line} of this key; a completion's understudy.line_id names it.", 404,
                           code="line_not_found")  # fmt: skip
        return found[0]

    async def _sit(self, order: Order) -> Talking:
        place = order.joined.place or place_of(order.caller, order.name)
        return await self.conversations.talking(order.caller, order.campaign, place, order.seat, order.name)

    async def _perform(self, order: Order, talking: Talking, limit: int) -> AsyncGenerator[Event, None]:
        """The whole use case, one at a time in a conversation."""
        table, joined, asked = talking.table, order.joined, order.asked
        async with talking.turn, _for_this_line(talking, order, limit):
            learn = asked.player.learn if asked.player else None
            hand = await self.conversations.hand(talking, order.caller, order.seat, learn)
            await self._set_the_scene(order, talking)
            if joined.another is not None:
                events = await self._another(talking, joined.another, hand)
            else:
                if joined.keep is not None:
                    await table.keep(joined.keep[1], joined.keep[0], by=hand)
                events = self._answered(order, talking, hand)
            async with contextlib.aclosing(events):
                async for event in events:
                    yield event

    async def _set_the_scene(self, order: Order, talking: Talking) -> None:
        table = talking.table
        wanted = order.asked.scene.changes() if order.asked.scene else {}
        changes = {name: text for name, text in wanted.items() if getattr(table.state.scene, name) != text[:200]}
        if changes:
            await table.set_scene(changes)
        if order.npc not in table.state.present:
            await table.summon(order.npc)
        table.switch(order.npc)

    async def _answered(self, order: Order, talking: Talking, hand: Hand) -> AsyncGenerator[Event, None]:
        """Everything that is said now is stored; the last of it is answered."""
        table = talking.table
        for message in order.said.now[:-1]:
            await table.hear(message.content, by=hand, answered=False)
        asked = await table.hear(order.said.now[-1].content, to=order.npc, by=hand)
        if asked.npc is None:
            return
        events = table.speaking.answer(asked.npc, asked.turn)
        async with contextlib.aclosing(within_limits(table, asked.npc, asked.turn, events)) as checked:
            async for event in checked:
                yield event

    async def _another(self, talking: Talking, line_id: int, hand: Hand) -> AsyncGenerator[Event, None]:
        """A line said another way; one that never came to its end is said anew, and nobody disliked it."""
        table = talking.table
        line = await table.correcting.line(line_id, finished=False)
        async with table.state.store.session() as session:
            said = await lines.turn(session, line.answers or 0)
            takes = await lines.takes(session, line.id)
        if said is None or line.npc is None:
            raise ApiError(f"Line {line_id} answers nothing that still stands, so it has no other take; say something.")
        whole = any(take.id == line.kept and take.state == "complete" for take in takes)
        events = table.another_take(line_id, by=hand) if whole else table.speaking.answer(line.npc, said, line_id)
        return within_limits(table, line.npc, said, events, before=line.kept)

    async def close(self) -> None:
        """Silence whatever is spoken, and wait until it is stored."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _for_this_line(talking: Talking, order: Order, limit: int) -> AsyncIterator[None]:
    """Let the table read the client's own history, and keep the line as short as it wants, this once."""
    state = talking.table.state
    sampling, sheet = state.sampling, talking.table.sheet(order.npc)
    past = (*order.said.past, *order.said.now) if order.joined.another is not None else order.said.past
    state.earlier = turns(past[: order.joined.earlier], order.npc, sheet.name, order.seat.name)
    state.sampling = dataclasses.replace(sampling, max_tokens=limit)
    try:
        yield
    finally:
        state.earlier, state.sampling = (), sampling


def line_number(given: int | str) -> int:
    """A line's number, given as such or as a completion's id.

    Raises:
        ApiError: it is neither.
    """
    digits = str(given).removeprefix("line-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise ApiError(f"{str(given)[:40]!r} names no line; give understudy.line_id, or the completion's id.")
    return int(digits)
