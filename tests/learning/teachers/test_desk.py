"""What is asked is paid for once, within the budget, and nothing leaves that must not."""

import asyncio

import pytest

from characters.messages import Message
from db.queries import teaching
from db.queries.teaching import Said
from db.store import Store
from learning.errors import LearningError
from learning.teachers.errors import BudgetReached, Rejected
from learning.teachers.guard import REASON
from learning.teachers.openai_teacher import OpenAITeacher
from learning.teachers.progress import Progress
from learning.teachers.protocol import NANO, Afford, Answer, Prices, TeacherRequest, TeacherSampling, Usage, always
from tests.fakes.desks import ListTeacher, desk_of, now
from tests.fakes.model_server import ModelServer

CANARY = "my grandmother hides the purple canary behind the third chimney on the left"


def wish(text: str = "Say something.") -> TeacherRequest:
    return TeacherRequest("test", (Message("user", text),), TeacherSampling(max_tokens=100, seed=1))


def heard(answer: Answer) -> str:
    return answer.text


async def test_the_same_request_is_asked_once_and_then_known(store: Store) -> None:
    teacher = ListTeacher("One.", "Two.")
    desk = await desk_of(store, teacher)
    assert [await desk.ask(wish(), heard), await desk.ask(wish(), heard)] == ["One.", "One."]
    assert [await desk.ask(wish(), heard) for desk in [await desk_of(store, teacher, run="another")]] == ["One."]
    assert len(teacher.asked) == 1


async def test_two_who_ask_the_same_at_once_pay_once(store: Store) -> None:
    teacher = ListTeacher("One.", "Two.")
    desk = await desk_of(store, teacher)
    assert await asyncio.gather(desk.ask(wish(), heard), desk.ask(wish(), heard)) == ["One.", "One."]


async def test_an_answer_that_is_no_use_is_asked_for_again_and_counted(store: Store) -> None:
    def read(answer: Answer) -> str:
        if answer.text != "Good.":
            raise Rejected("not good")
        return answer.text

    teacher = ListTeacher("Bad.", "Worse.", "Good.")
    desk = await desk_of(store, teacher)
    assert await desk.ask(wish(), read) == "Good."
    assert desk.progress.rejected == {"not good (asked again)": 2}
    assert [request.sampling.seed for request in teacher.asked] == [1, 2, 3]


async def test_the_run_stops_before_the_budget_is_passed_and_goes_on_with_a_higher_one(store: Store) -> None:
    teacher = ListTeacher(*"abcdefgh", prices=Prices(completion=10_000))  # 1 for a request
    desk = await desk_of(store, teacher, budget=5 * NANO // 2)
    for number in range(2):
        await desk.ask(wish(f"Number {number}"), heard)
    with pytest.raises(BudgetReached, match=r"budget of 2\.50"):
        await desk.ask(wish("Number 2"), heard)
    async with store.session() as session:
        spent = await teaching.spent(session, "run")
    assert (spent.calls, spent.price_nano) == (2, 2 * NANO)
    richer = await desk_of(store, teacher, budget=5 * NANO)
    assert [await richer.ask(wish(f"Number {number}"), heard) for number in range(3)] == ["a", "b", "c"]


async def test_what_a_killed_program_had_sent_counts_as_paid_and_is_not_sent_again(store: Store) -> None:
    class Killed(ListTeacher):
        async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
            raise KeyboardInterrupt

    prices = Prices(prompt=1000, completion=1000)
    desk = await desk_of(store, Killed(remote=True, prices=prices))
    with pytest.raises(KeyboardInterrupt):
        await desk.ask(wish(), heard)
    teacher = ListTeacher("One.", remote=True, prices=prices)
    resumed = await desk_of(store, teacher)
    assert (resumed.progress.lost, resumed.progress.price_nano > 0) == (1, True)
    with pytest.raises(Rejected, match="lost"):
        await resumed.ask(wish(), heard)
    assert teacher.asked == []


READ_DEAR = Prices(prompt=100_000)  # a try of `wish` costs 0.4, and 1.5 at most


async def no_time(seconds: float) -> None:
    """Wait for nothing."""


async def test_a_request_that_breaks_is_not_tried_again_where_that_might_pass_the_budget(store: Store) -> None:
    async with ModelServer() as server:
        server.script.extend(["!vanish"] * 6)
        desk = await desk_of(store, OpenAITeacher(server.url, "big", prices=READ_DEAR, sleep=no_time), budget=2 * NANO)
        with pytest.raises(Rejected, match="the answer broke off"):
            await desk.ask(wish(), heard, attempts=1)
        with pytest.raises(BudgetReached, match=r"0\.8000 is spent"):
            await desk.ask(wish("Say something more."), heard)
    assert len(server.requests) == 2


async def test_tries_of_several_requests_at_once_stay_within_the_budget_together(store: Store) -> None:
    async with ModelServer() as server:
        server.script.extend(["!vanish"] * 18)
        desk = await desk_of(store, OpenAITeacher(server.url, "big", prices=READ_DEAR, sleep=no_time), budget=5 * NANO)
        await asyncio.gather(*(desk.ask(wish(f"Say more. {number}"), heard, attempts=1) for number in range(3)), return_exceptions=True)
    async with store.session() as session:
        assert (await teaching.spent(session, "run")).price_nano <= 5 * NANO


@pytest.mark.parametrize("last", [("status", 401, {}), ("status", 429, {"Retry-After": "3600"})])
async def test_what_broke_before_the_server_ended_the_run_is_on_the_books(store: Store, last: object) -> None:
    async with ModelServer() as server:
        server.script.extend(["!vanish", "!vanish", last])
        desk = await desk_of(store, OpenAITeacher(server.url, "big", prices=READ_DEAR, sleep=no_time))
        with pytest.raises(LearningError):
            await desk.ask(wish(), heard)
    async with store.session() as session:
        spent = await teaching.spent(session, "run")
    assert (spent.calls, spent.price_nano, desk.progress.price_nano) == (1, 8 * NANO // 10, 8 * NANO // 10)


async def test_a_program_killed_at_a_later_try_has_paid_for_the_earlier_ones_too(store: Store) -> None:
    class Killed(ListTeacher):
        async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
            assert await afford(Usage(4))
            raise KeyboardInterrupt

    desk = await desk_of(store, Killed(remote=True, prices=READ_DEAR), budget=2 * NANO)
    with pytest.raises(KeyboardInterrupt):
        await desk.ask(wish(), heard)
    assert (await desk_of(store, ListTeacher(remote=True))).progress.price_nano == 19 * NANO // 10


async def test_two_desks_of_a_run_count_together_what_it_costs_and_what_was_lost(store: Store) -> None:
    class Killed(ListTeacher):
        async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
            raise KeyboardInterrupt

    prices = Prices(completion=10_000)  # 1 for a request
    with pytest.raises(KeyboardInterrupt):
        await (await desk_of(store, Killed(remote=True, prices=prices))).ask(wish(), heard)
    progress = Progress()
    free = await desk_of(store, ListTeacher(), progress=progress)
    dear = await desk_of(store, ListTeacher(prices=prices), progress=progress)
    await dear.ask(wish("Number 1"), heard)
    await free.ask(wish("Number 2"), heard)
    assert (progress.lost, progress.price_nano) == (1, 2 * NANO)


async def test_untrainable_text_never_reaches_a_remote_teacher(store: Store) -> None:
    said = (Said(CANARY, "channel", "given"), Said("the weather is fine for all of us today my friends", "local", "given"))
    teacher = ListTeacher("Aye.", remote=True)
    desk = await desk_of(store, teacher, said=said)
    for text in (f"They asked: {CANARY}?", f"Was it that {' '.join(CANARY.upper().split()[2:12])}", f"x\nAna: {CANARY}"):
        with pytest.raises(Rejected, match=REASON):
            await desk.ask(wish(text), heard)
    assert teacher.asked == []
    assert await desk.ask(wish("the weather is fine for all of us today my friends"), heard) == "Aye."
    async with store.session() as session:
        assert (await teaching.spent(session, "run")).calls == 1


async def test_a_local_teacher_may_read_it(store: Store) -> None:
    desk = await desk_of(store, ListTeacher("Aye."), said=(Said(CANARY, "channel", "given"),))
    assert await desk.ask(wish(CANARY), heard) == "Aye."


async def test_a_row_is_there_once_whatever_is_made_twice(store: Store) -> None:
    row = teaching.TaughtRow("run/1.0", "sft", "teacher", {"completion": "Aye."})
    desk = await desk_of(store, ListTeacher())
    for expected in (1, 0):
        async with store.session() as session:
            assert await teaching.add_rows(session, desk.campaign, "mira", [row], now()) == expected
    async with store.session() as session:
        assert [kept.origin for kept in await teaching.taught_rows(session, desk.campaign, "mira", "run/")] == ["run/1.0"]
