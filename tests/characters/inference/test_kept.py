"""What was read of sheets is there again at the next start, or nothing is."""

import dataclasses
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from characters.inference.engine import GREEDY, Finish, Request
from characters.inference.kept import Kept, State
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.messages import Message
from tests.fakes.tiny_model import write_tiny_adapter, write_tiny_model

OPTIONS = LoadOptions(context=1024, cells=4096, threads=1, extra_buffers=False, streams=2)
SHEET = "You are Mira Dunmore, innkeeper of the Lantern Rest. Speak only as Mira. " * 4
TOKENS = tuple(range(40))

Speak = Callable[..., Awaitable[list[Finish]]]


def asking(question: str = "What does the brown ale cost?", sheet: str = SHEET, adapter: str | None = None) -> Request:
    messages = (Message("system", sheet), Message("user", f"Ana: {question}"))
    prompt = f"<|system|>{sheet}<|end|><|user|>Ana: {question}<|end|><|assistant|>"
    return Request(prompt, messages, sampling=dataclasses.replace(GREEDY, max_tokens=12), cache_key=question, adapter=adapter)


@pytest.fixture
def speak(tiny_model: Path, tmp_path: Path) -> Speak:
    """An evening: an engine is started, asked, and closed."""

    async def evening(
        *requests: Request, model: Path = tiny_model, adapter: Path | None = None, folder: str = "kv"
    ) -> list[Finish]:
        (tmp_path / folder).mkdir(exist_ok=True)
        engine = LlamaCppEngine(model, OPTIONS, kept=tmp_path / folder)
        try:
            await engine.capabilities()
            if adapter is not None:
                await engine.load_adapter("mira", adapter)
            return [
                event for request in requests
                async for event in engine.generate(request) if isinstance(event, Finish)
            ]  # fmt: skip
        finally:
            await engine.close()

    return evening


def files(tmp_path: Path, folder: str = "kv") -> list[Path]:
    return sorted((tmp_path / folder).glob("*.kv"))


async def test_a_sheet_read_last_evening_is_not_read_again_and_says_the_same(speak: Speak, tmp_path: Path) -> None:
    [first] = await speak(asking())
    [fresh] = await speak(asking("Who are you?"), folder="other")
    again, other = await speak(asking(), asking("Who are you?"))
    assert first.timings.reused_tokens == 0
    assert again.text == first.text
    assert other.text == fresh.text
    for spoken in (again, other):
        assert spoken.timings.prompt_tokens - spoken.timings.reused_tokens < 40, "the question is read, the sheet is not"


async def test_only_the_sheet_is_kept_and_nothing_that_was_said(speak: Speak, tmp_path: Path) -> None:
    await speak(asking("What does the brown ale cost?"), asking("Who are you, and whose are the temple bells?"))
    [kept] = files(tmp_path)
    [again] = await speak(asking("What does the brown ale cost?"))
    [elsewhere] = await speak(asking("What does the brown ale cost?"), folder="other")
    assert again.timings.prompt_tokens - again.timings.reused_tokens > 5
    assert elsewhere.text == again.text
    assert kept in files(tmp_path)


async def test_another_adapter_or_model_or_sheet_finds_nothing(speak: Speak, tmp_path: Path) -> None:
    first, second = (write_tiny_adapter(tmp_path / f"{seed}.gguf", seed) for seed in (1, 2))
    await speak(asking(adapter="mira"), adapter=first)
    [bare] = await speak(asking())
    [changed] = await speak(asking(adapter="mira"), adapter=second)
    [same] = await speak(asking(adapter="mira"), adapter=first)
    [moved] = await speak(asking(), model=write_tiny_model(tmp_path / "another.gguf", seed=5))
    [edited] = await speak(asking(sheet=f"Now {SHEET}"))
    reused = [spoken.timings.reused_tokens for spoken in (bare, changed, moved, edited)]
    assert all(count < 10 for count in reused), reused
    assert same.timings.reused_tokens > 50


@pytest.mark.parametrize("harm", ["cut", "turned", "emptied", "foreign", "head"])
async def test_a_damaged_or_foreign_file_is_passed_over(speak: Speak, tmp_path: Path, harm: str) -> None:
    [first] = await speak(asking())
    [path] = files(tmp_path)
    data = path.read_bytes()
    harmed = {
        "cut": data[: len(data) // 2], "turned": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "emptied": b"",
        "foreign": os.urandom(5000), "head": b'{"kind": "understudy sheet 1", "tokens": 3}\n' + data,
    }  # fmt: skip
    path.write_bytes(harmed[harm])
    [again] = await speak(asking())
    assert again.text == first.text
    assert again.timings.reused_tokens == 0


async def test_after_a_person_was_forgotten_a_running_program_writes_nothing_any_more(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kv"
    folder.mkdir()
    engine = LlamaCppEngine(tiny_model, OPTIONS, kept=folder)
    await engine.capabilities()
    async for _ in engine.generate(asking()):
        pass
    for path in folder.iterdir():
        path.unlink()
    await engine.close()
    assert list(folder.iterdir()) == []


async def test_a_worker_that_was_killed_is_told_anew_where_it_keeps_sheets(speak: Speak, tiny_model: Path, tmp_path: Path) -> None:
    await speak(asking())
    engine = LlamaCppEngine(tiny_model, OPTIONS, kept=tmp_path / "kv")
    try:
        await engine.capabilities()
        assert engine.worker_pid is not None
        os.kill(engine.worker_pid, 9)
        found = [event async for event in engine.generate(asking()) if isinstance(event, Finish)]
    finally:
        await engine.close()
    assert found[0].timings.reused_tokens > 50


def state(number: int, size: int = 1000) -> State:
    return State("", (number, *TOKENS), bytes([number]) * size)


def test_the_folder_stays_within_its_bounds_and_the_oldest_go_first(tmp_path: Path) -> None:
    for number in range(8):
        Kept(tmp_path, "base", most=5000).keep([state(number)])
        for path in files(tmp_path, ""):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    assert sum(path.stat().st_size for path in files(tmp_path, "")) <= 5000
    kept = Kept(tmp_path, "base")
    found = [number for number in range(8) if (one := kept.find("", (number, *TOKENS))) and one.tokens[0] == number]
    assert found == [5, 6, 7] or found == [4, 5, 6, 7]


def test_what_is_wanted_most_is_written_first_and_the_rest_left_out(tmp_path: Path) -> None:
    Kept(tmp_path, "base", most=3000).keep(state(number) for number in range(9))
    kept = Kept(tmp_path, "base")
    assert kept.find("", (0, *TOKENS)) == state(0)
    assert kept.find("", (8, *TOKENS)) is None


def test_the_longest_beginning_is_found(tmp_path: Path) -> None:
    long, short = State("", tuple(range(200)), b"long"), State("", tuple(range(100)), b"short")
    Kept(tmp_path, "base").keep([short, long])
    kept = Kept(tmp_path, "base")
    assert kept.find("", [*range(150), 7, 7]) == long
    assert kept.find("", [*range(100), 7, 7]) in (long, short)
    assert kept.find("a", range(150)) is None
    assert kept.find("", [9, *range(150)]) is None
    assert Kept(tmp_path, "another").find("", range(150)) is None


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = Kept(tmp_path / "file", "base")
    kept.keep([state(1)])
    assert kept.find("", (1, *TOKENS)) is None
