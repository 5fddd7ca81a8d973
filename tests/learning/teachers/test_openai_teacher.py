"""The client against a server that misbehaves in every way servers do."""

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


async def test_what_a_server_does_not_know_is_left_out_from_then_on() -> None:
    class Old(ModelServer):
        def next(self, request: dict[str, object]) -> object:
            return next((("refuses", name) for name in ("stream_options", "response_format") if name in request), "Aye.")

        async def _answer(self, writer: object, behaviour: object) -> None:
            if not isinstance(behaviour, tuple):
                await super()._answer(writer, behaviour)  # type: ignore[arg-type]
                return
            body = f'{{"error": {{"message": "unknown field {behaviour[1]}"}}}}'.encode()
            writer.write(b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)  # type: ignore[attr-defined]

    async with Old() as server:
        asks = teacher(server, Slept())
        assert (await asks.complete(SHAPED)).text == "Aye."
        before = len(server.requests)
        assert (await asks.complete(SHAPED)).text == "Aye."
    assert (before, len(server.requests)) == (4, 5)


async def test_nobody_at_home_ends_the_run() -> None:
    async with ModelServer() as server:
        url = server.url
    asks = OpenAITeacher(url, "big", sleep=Slept())
    with pytest.raises(TeacherUnavailable, match="No model server answers"):
        await asks.complete(WISH)
