"""As many lines at once as the model speaks, channels in turn, and a place that is what it says."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.discord_app.fair_queue import FairQueue


class Order:
    """Who spoke, in order; everybody waits until the test lets the speaker end."""

    def __init__(self) -> None:
        self.queue = FairQueue()
        self.spoken: list[tuple[int, int]] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, channel: int) -> int:
        """Ask for a line; how many come first."""
        number, ahead = len(self.tasks), self.queue.ahead(channel)

        async def speak() -> None:
            async with self.queue.turn(channel):
                self.spoken.append((channel, number))
                await asyncio.sleep(0)

        self.tasks.append(asyncio.create_task(speak()))
        await asyncio.sleep(0)
        return ahead


async def test_a_channel_that_asks_much_does_not_keep_the_others_waiting() -> None:
    order = Order()
    async with order.queue.turn(0):
        for channel in (1, 1, 1, 2, 3):
            await order.ask(channel)
    await asyncio.gather(*order.tasks)
    assert [channel for channel, _ in order.spoken] == [1, 2, 3, 1, 1]


@settings(max_examples=150, deadline=None)
@given(some.lists(some.integers(1, 4), max_size=12))
def test_the_place_somebody_is_told_is_where_they_stand_if_nobody_else_comes(channels: list[int]) -> None:
    async def play() -> None:
        order = Order()
        async with order.queue.turn(0):
            for channel in channels:
                told = await order.ask(channel)
            last = len(channels) - 1
        await asyncio.gather(*order.tasks)
        if channels:
            place = [number for _, number in order.spoken].index(last)
            assert place + 1 == told  # the line that ran when they asked comes first too
        await asyncio.wait_for(order.queue.idle(), 1)
        assert order.queue.busy == 0

    asyncio.run(play())


@pytest.mark.parametrize("when", ["waiting", "speaking"])
async def test_who_gives_up_holds_nobody_up(when: str) -> None:
    order = Order()
    async with order.queue.turn(0):
        await order.ask(1)
        await order.ask(2)
        if when == "waiting":
            order.tasks[0].cancel()
            await asyncio.sleep(0)
    if when == "speaking":
        await asyncio.sleep(0)
        order.tasks[0].cancel()
    await asyncio.gather(*order.tasks, return_exceptions=True)
    assert (2, 1) in order.spoken
    assert order.queue.busy == 0


async def test_channels_speak_at_once_and_each_of_them_one_line_at_a_time() -> None:
    queue, spoken = FairQueue(2), list[int]()

    async def speak(channel: int) -> None:
        async with queue.turn(channel):
            spoken.append(channel)

    async with queue.turn(1):
        assert queue.ahead(1) == 1
        again = asyncio.create_task(speak(1))
        await asyncio.sleep(0)
        assert queue.ahead(2) == 0, "there is a place, for another channel"
        async with queue.turn(2):
            assert queue.ahead(3) == 2, "whichever ends first, and then who waits"
            third = asyncio.create_task(speak(3))
            await asyncio.sleep(0)
            assert spoken == []
        await third
        assert spoken == [3], "the place goes to who may take it"
    await again
    assert spoken == [3, 1]
    assert queue.busy == 0
    await asyncio.wait_for(queue.idle(), 1)


@settings(max_examples=100, deadline=None)
@given(some.lists(some.integers(1, 4), max_size=12), some.integers(1, 3))
def test_everybody_speaks_and_no_place_is_left_empty(channels: list[int], places: int) -> None:
    async def play() -> None:
        queue, running, most = FairQueue(places), list[int](), 0

        async def speak(channel: int) -> None:
            nonlocal most
            async with queue.turn(channel):
                assert channel not in running
                running.append(channel)
                most = max(most, len(running))
                for _ in range(3):
                    await asyncio.sleep(0)
                running.remove(channel)

        await asyncio.wait_for(asyncio.gather(*map(speak, channels)), 5)
        assert most == min(places, len(set(channels)))
        assert queue.busy == 0

    asyncio.run(play())
