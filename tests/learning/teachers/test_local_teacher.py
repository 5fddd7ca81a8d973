"""The model of this machine as a teacher, really asked: the starter, alone and behind a desk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.starter import STARTER
from characters.messages import Message
from db.store import Store
from learning.teachers.errors import Rejected, TeacherBroke
from learning.teachers.local_teacher import LocalTeacher
from learning.teachers.protocol import Answer, TeacherRequest, TeacherSampling
from tests.fakes.desks import desk_of

pytestmark = pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")
ASKED = (Message("system", "You are Brug, pedlar at the Long Bridge."), Message("user", "Ana: Who are you?"))


@pytest.fixture
async def teacher() -> AsyncIterator[LocalTeacher]:
    local = LocalTeacher(LlamaCppEngine(STARTER, LoadOptions(1024, 1024, threads=1)), STARTER.name)
    yield local
    await local.close()


def wish(seed: int = 1, most: int = 40, messages: tuple[Message, ...] = ASKED) -> TeacherRequest:
    return TeacherRequest("test", messages, TeacherSampling(0.0, 1.0, max_tokens=most, seed=seed))


async def test_it_answers_whole_or_says_that_it_was_cut_and_counts_tokens(teacher: LocalTeacher) -> None:
    whole, cut = await asyncio.gather(teacher.complete(wish()), teacher.complete(wish(most=2)))
    assert (whole.finish, cut.finish) == ("stop", "length")
    assert whole.text.strip()
    assert whole.usage.prompt_tokens > 5
    assert 0 < cut.usage.completion_tokens <= 2
    assert (teacher.remote, teacher.prices.free, teacher.name) == (False, True, f"local {STARTER.name}")


async def test_a_request_longer_than_the_model_reads_comes_to_nothing_and_the_next_is_answered(teacher: LocalTeacher) -> None:
    long = (Message("system", "Brug sells rope. " * 900), ASKED[1])
    with pytest.raises(TeacherBroke, match="longer than the model reads"):
        await teacher.complete(wish(messages=long))
    assert (await teacher.complete(wish())).text.strip()


async def test_behind_a_desk_its_answers_are_kept_and_not_asked_for_twice(teacher: LocalTeacher, tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")

    def read(answer: Answer) -> str:
        if not answer.text.strip():
            raise Rejected("empty")
        return answer.text

    try:
        first = await desk_of(store, teacher)
        again = await desk_of(store, teacher, run="another")
        assert await first.ask(wish(), read) == await again.ask(wish(), read)
        assert (first.progress.calls, again.progress.calls, again.progress.cached) == (1, 0, 1)
    finally:
        await store.close()
