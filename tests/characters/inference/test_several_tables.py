"""Several tables on one engine: each hears what it would hear alone, and one worker's death is nobody's end."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from characters.inference.engine import Delta, Event, Finish, Request, Restart, Sampling
from characters.inference.errors import WorkerFailed
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from tests.fakes.tiny_model import write_tiny_adapter

OPTIONS = LoadOptions(context=1024, cells=4096, threads=1, extra_buffers=False)
RESTLESS = Sampling(temperature=2.5, top_p=1.0, min_p=0.01, repetition_penalty=2.0, top_k=0, max_tokens=600)


@pytest.fixture
async def engine(tiny_model: Path) -> AsyncIterator[LlamaCppEngine]:
    made = LlamaCppEngine(tiny_model, dataclasses.replace(OPTIONS, streams=4), patience=20)
    yield made
    await made.close()


def asking(seed: int, key: str = "", text: str = "the lantern burns ", adapter: str | None = None) -> Request:
    sampling = dataclasses.replace(RESTLESS, seed=seed)
    return Request(text, (), sampling=sampling, cache_key=key or f"table {seed}", adapter=adapter)


async def line(engine: LlamaCppEngine, request: Request) -> Finish:
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event
    raise AssertionError("no Finish came")


async def long_lines(tiny_model: Path) -> dict[int, str]:
    engine, found = LlamaCppEngine(tiny_model, OPTIONS), dict[int, str]()
    try:
        for seed in range(600):
            spoken = await line(engine, asking(seed))
            if spoken.timings.tokens >= 350:  # a fast machine says a hundred before anybody can disturb it
                found[seed] = spoken.text
            if len(found) == 4:
                return found
    finally:
        await engine.close()
    raise AssertionError("chance ends them all")


@pytest.fixture(scope="module")
def alone(tiny_model: Path) -> dict[int, str]:
    """Lines long enough to be disturbed, each spoken by itself: text by seed."""
    return asyncio.run(long_lines(tiny_model))


async def test_tables_that_talk_at_once_hear_turn_by_turn_what_they_hear_alone(
    engine: LlamaCppEngine, tiny_model: Path
) -> None:
    single = LlamaCppEngine(tiny_model, OPTIONS)

    async def evening(on: LlamaCppEngine, table: int) -> list[str]:
        said, text = [], f"the temple bells of table {table} wake me too early. "
        for turn in range(4):
            said.append((await line(on, asking(turn, f"table {table}", text))).text)
            text += said[-1][:80] + " and four copper. "
        return said

    try:
        by_itself = [await evening(single, table) for table in range(6)]
    finally:
        await single.close()
    assert await asyncio.gather(*(evening(engine, table) for table in range(6))) == by_itself


async def killing_at_its_first_word(engine: LlamaCppEngine, request: Request, heard: list[Event], times: int = 1) -> None:
    """Hear a line, and end the worker where it begins."""
    async for event in engine.generate(request):
        heard.append(event)
        if isinstance(event, Delta) and times and engine.worker_pid is not None:
            times -= 1
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(engine.worker_pid, signal.SIGKILL)


async def test_a_worker_killed_in_mid_line_restarts_once_and_all_lines_come(
    engine: LlamaCppEngine, alone: dict[int, str]
) -> None:
    started: set[int | None] = set()

    async def watch() -> None:
        while True:
            started.add(engine.worker_pid)
            await asyncio.sleep(0.002)

    watching = asyncio.create_task(watch())
    heard: list[list[Event]] = [[] for _ in alone]
    seeds = list(alone)
    await asyncio.gather(
        killing_at_its_first_word(engine, asking(seeds[0]), heard[0]),
        *(killing_at_its_first_word(engine, asking(seed), heard[n], 0) for n, seed in enumerate(seeds) if n),
    )
    watching.cancel()
    assert len(started - {None}) == 2
    for seed, events in zip(seeds, heard, strict=True):
        last = events[-1]
        assert isinstance(last, Finish)
        assert last.text == alone[seed]
        restarts = [n for n, event in enumerate(events) if isinstance(event, Restart)]
        after = events[restarts[-1] :] if restarts else events
        assert "".join(event.text for event in after if isinstance(event, Delta)) == last.text
    assert any(isinstance(event, Restart) for event in heard[0])


async def test_a_line_that_kills_every_worker_takes_nobody_else_with_it(
    engine: LlamaCppEngine, alone: dict[int, str]
) -> None:
    seeds, heard = list(alone), list[Event]()
    poison = killing_at_its_first_word(engine, asking(seeds[0]), heard, times=100)
    told, *others = await asyncio.gather(
        poison, *(line(engine, asking(seed)) for seed in seeds[1:]), return_exceptions=True
    )
    assert isinstance(told, WorkerFailed)
    assert str(told).startswith("The model process failed 3 times in a row")
    assert [spoken.text for spoken in others if isinstance(spoken, Finish)] == [alone[seed] for seed in seeds[1:]]


async def test_lines_that_come_before_there_is_a_worker_start_one(engine: LlamaCppEngine) -> None:
    await asyncio.gather(*(line(engine, asking(seed)) for seed in range(4)))
    pid = engine.worker_pid
    await asyncio.gather(*(line(engine, asking(seed)) for seed in range(4)))
    assert engine.worker_pid == pid


async def test_a_closed_stream_leaves_the_other_lines_as_they_are(engine: LlamaCppEngine, alone: dict[int, str]) -> None:
    async def leaves(seed: int) -> None:
        async with contextlib.aclosing(engine.generate(asking(seed))) as stream:
            await anext(stream)

    seeds = list(alone)
    _, *others = await asyncio.gather(leaves(seeds[0]), *(line(engine, asking(seed)) for seed in seeds[1:]))
    assert [spoken.text for spoken in others] == [alone[seed] for seed in seeds[1:]]
    assert (await line(engine, asking(seeds[0]))).text == alone[seeds[0]]


async def test_an_adapter_is_swapped_while_lines_run(
    engine: LlamaCppEngine, alone: dict[int, str], tmp_path: Path
) -> None:
    first, second = (write_tiny_adapter(tmp_path / f"{seed}.gguf", seed) for seed in (1, 2))
    await engine.load_adapter("mira", first)
    seeds = list(alone)
    before = await line(engine, asking(seeds[0], "mira", adapter="mira"))
    running = [asyncio.create_task(line(engine, asking(seed))) for seed in seeds]
    await asyncio.sleep(0)
    await engine.load_adapter("mira", second)
    after = await line(engine, asking(seeds[0], "mira", adapter="mira"))
    assert [(await task).text for task in running] == list(alone.values())
    assert after.text != before.text
    assert after.timings.reused_tokens == 0, "what was read under the old one is void"


async def test_a_table_that_waits_for_its_turn_does_not_take_the_worker_for_hung(
    tiny_model: Path, alone: dict[int, str]
) -> None:
    engine = LlamaCppEngine(tiny_model, OPTIONS, patience=1.0)
    try:
        await engine.start()
        pid = engine.worker_pid
        queue = [line(engine, asking(seed, f"{n}")) for n in range(8) for seed in alone]
        spoken = await asyncio.gather(*queue)
        assert engine.worker_pid == pid
        assert [one.text for one in spoken] == list(alone.values()) * 8
    finally:
        await engine.close()


async def test_closing_while_tables_talk_ends_the_worker_and_every_line(engine: LlamaCppEngine, alone: dict[int, str]) -> None:
    await engine.start()
    pid = engine.worker_pid
    assert pid is not None
    running = [asyncio.create_task(line(engine, asking(seed))) for seed in alone]
    await asyncio.sleep(0.02)
    await engine.close()
    told = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(one, Finish | WorkerFailed) for one in told)
    assert engine.worker_pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
