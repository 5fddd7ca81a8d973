"""The client against a server that misbehaves in every way servers do."""

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from characters.messages import Message
from learning.teachers.errors import TeacherBroke, TeacherRefused, TeacherUnavailable
from learning.teachers.openai_teacher import OpenAITeacher
from learning.teachers.protocol import Prices, TeacherRequest
from tests.fakes.model_server import ModelServer

WISH = TeacherRequest("test", (Message("user", "Say something."),))
SHAPED = TeacherRequest("test", WISH.messages, schema={"type": "object", "properties": {"line": {"type": "string"}}})


class Slept(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def teacher(server: ModelServer, slept: Slept, patience: float = 5.0) -> OpenAITeacher:
    return OpenAITeacher(server.url, "big", "key", prices=Prices(1, 2), patience=patience, sleep=slept, wall=lambda: 0.0)


async def test_an_answer_comes_with_its_finish_and_its_tokens() -> None:
    async with ModelServer() as server:
        server.script.append("The ale is four copper.")
        answer = await teacher(server, Slept()).complete(WISH)
    assert (answer.text, answer.finish, answer.made_by) == ("The ale is four copper.", "stop", "big")
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


@pytest.mark.parametrize(("header", "waits"), [("7", 7.0), ("Thu, 01 Jan 1970 00:00:09 GMT", 9.0), ("soon", 1.0)])
async def test_429_is_waited_out_as_long_as_the_server_asks(header: str, waits: float) -> None:
    slept = Slept()
    async with ModelServer() as server:
        server.script.extend([("status", 429, {"Retry-After": header}), "Aye."])
        answer = await teacher(server, slept).complete(WISH)
    assert (answer.text, list(slept)) == ("Aye.", [waits])


async def test_500_is_tried_again_and_longer_each_time() -> None:
    slept = Slept()
    async with ModelServer() as server:
        server.script.extend([("status", 500, {}), ("status", 503, {}), "Aye."])
        answer = await teacher(server, slept).complete(WISH)
    assert (answer.text, list(slept), answer.usage.tries) == ("Aye.", [1.0, 2.0], 3)


async def test_a_server_that_asks_for_an_hour_ends_the_run() -> None:
    async with ModelServer() as server:
        server.script.append(("status", 429, {"Retry-After": "3600"}))
        with pytest.raises(TeacherUnavailable, match="3600 s"):
            await teacher(server, Slept()).complete(WISH)


async def test_a_wrong_key_ends_the_run_at_once() -> None:
    async with ModelServer() as server:
        server.script.append(("status", 401, {}))
        with pytest.raises(TeacherRefused, match="UNDERSTUDY_TEACHER_API_KEY"):
            await teacher(server, Slept()).complete(WISH)
        assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", ["!stall", "!hang", "!vanish", "!nonsense"])
async def test_a_stall_or_a_broken_stream_is_asked_again_and_what_it_cost_is_counted(behaviour: str) -> None:
    async with ModelServer() as server:
        server.script.extend([behaviour, "The ale is four copper."])
        answer = await teacher(server, Slept(), patience=0.2).complete(WISH)
    assert answer.text == "The ale is four copper."
    assert answer.usage.tries == 2
    assert answer.usage.prompt_tokens == 2 * (len("Say something.") // 4 + 1)


async def test_a_server_that_never_answers_gives_up_one_request_and_says_what_it_cost() -> None:
    async with ModelServer() as server:
        server.script.extend(["!vanish"] * 6)
        with pytest.raises(TeacherBroke, match="broke off") as caught:
            await teacher(server, Slept()).complete(WISH)
    assert caught.value.usage.completion_tokens > 0


@pytest.mark.parametrize(("reason", "finish"), [("length", "length"), ("content_filter", "refused"), ("stop", "stop")])
async def test_why_an_answer_ended_is_told(reason: str, finish: str) -> None:
    async with ModelServer() as server:
        server.script.append(("finish", reason, "Well now"))
        assert (await teacher(server, Slept()).complete(WISH)).finish == finish


class Old(ModelServer):
    """Refuses what it lacks, as soon as so many requests have come in."""

    def __init__(self, *lacks: str, together: int = 1) -> None:
        super().__init__()
        self.lacks, self.together, self.all_in = lacks, together, asyncio.Event()

    def next(self, request: dict[str, Any]) -> Any:
        if len(self.requests) >= self.together:
            self.all_in.set()
        told = json.dumps(request)
        return next((("refuses", name) for name in self.lacks if f'"{name}"' in told), "Aye.")

    async def _answer(self, writer: asyncio.StreamWriter, behaviour: Any) -> None:
        if not isinstance(behaviour, tuple):
            await super()._answer(writer, behaviour)
            return
        await self.all_in.wait()
        body = f'{{"error": {{"message": "unknown field {behaviour[1]}"}}}}'.encode()
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def test_what_a_server_does_not_know_is_left_out_from_then_on() -> None:
    async with Old("stream_options", "response_format") as server:
        asks = teacher(server, Slept())
        assert (await asks.complete(SHAPED)).text == "Aye."
        before = len(server.requests)
        assert (await asks.complete(SHAPED)).text == "Aye."
    assert (before, len(server.requests)) == (4, 5)


async def test_requests_sent_together_give_up_the_same_field_and_no_other() -> None:
    async with Old("stream_options", "json_schema", together=4) as server:
        asks = teacher(server, Slept())
        answers = await asyncio.gather(*(asks.complete(SHAPED) for _ in range(4)))
    assert [answer.text for answer in answers] == ["Aye."] * 4
    assert len(server.requests) == 12
    assert all(request["response_format"]["type"] == "json_object" for request in server.requests[-4:])


async def test_all_wait_as_long_as_the_longest_that_was_asked_for() -> None:
    class Told(ModelServer):
        def next(self, request: dict[str, Any]) -> Any:
            events.append("asked")
            return super().next(request)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 100)
        events.append(f"waited {seconds:.0f}")

    events: list[str] = []
    async with Told() as server:
        server.script.extend([("status", 429, {"Retry-After": "40"}), ("status", 429, {"Retry-After": "1"})])
        asks = OpenAITeacher(server.url, "big", sleep=sleep)
        await asyncio.gather(asks.complete(WISH), asks.complete(WISH))
    assert events == ["asked", "asked", "waited 1", "waited 40", "asked", "asked"]


async def test_nobody_at_home_ends_the_run() -> None:
    async with ModelServer() as server:
        url = server.url
    asks = OpenAITeacher(url, "big", sleep=Slept())
    with pytest.raises(TeacherUnavailable, match="No model server answers"):
        await asks.complete(WISH)


@contextlib.contextmanager
def a_door_nobody_opens() -> Iterator[str]:
    """An address whose queue is full, so that no connection comes about."""
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.socket())
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(door.getsockname())
        yield f"http://127.0.0.1:{door.getsockname()[1]}/v1"


async def test_a_connection_that_never_comes_about_is_nobody_at_home_and_costs_nothing() -> None:
    with a_door_nobody_opens() as url:
        asks = OpenAITeacher(url, "big", patience=0.1, sleep=Slept())
        with pytest.raises(TeacherUnavailable, match="No model server answers") as caught:
            await asks.complete(WISH)
        await asks.close()
    assert (caught.value.usage.prompt_tokens, caught.value.usage.completion_tokens) == (0, 0)
