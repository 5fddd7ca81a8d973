"""The local engine under fire: killed, frozen, fed with rubbish; and what it keeps evaluated."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from characters.inference.engine import Delta, Finish, Request, Restart, Sampling
from characters.inference.errors import AdapterRefused, ModelCorrupt, ModelMissing, PromptTooLong, WorkerFailed
from characters.inference.llama_cpp_engine import LlamaCppEngine, _order
from characters.inference.llama_options import LoadOptions
from characters.messages import Message
from tests.fakes.tiny_lora import write_random_adapter

OPTIONS = LoadOptions(context=1024, cells=1024, threads=1)


@pytest.fixture
async def engine(tiny_model: Path) -> AsyncIterator[LlamaCppEngine]:
    made = LlamaCppEngine(tiny_model, OPTIONS, patience=20)
    yield made
    await made.close()


def asking(text: str, key: str = "evening/mira", **changes: object) -> Request:
    sampling = Sampling(**{"seed": 3, "max_tokens": 16, "repetition_penalty": 1.0, **changes})  # type: ignore[arg-type]
    return Request(text, (), sampling=sampling, cache_key=key)


async def line(engine: LlamaCppEngine, request: Request) -> Finish:
    async for event in engine.generate(request):
        if isinstance(event, Finish):
            return event
    raise AssertionError("no Finish came")


async def test_the_same_seed_says_the_same_line_and_another_seed_another(engine: LlamaCppEngine) -> None:
    first = await line(engine, asking("the lantern", temperature=1.5))
    assert (await line(engine, asking("the lantern", key="b", temperature=1.5))).text == first.text
    assert (await line(engine, asking("the lantern", key="c", temperature=1.5, seed=4))).text != first.text


async def test_only_new_tokens_are_evaluated_in_a_growing_conversation(engine: LlamaCppEngine) -> None:
    text = "the brown ale costs four copper and the lantern burns all night "
    first = await line(engine, asking(text))
    grown = text + "and the bells wake me too early "
    second = await line(engine, asking(grown))
    assert first.timings.reused_tokens == 0
    assert second.timings.reused_tokens >= first.timings.prompt_tokens - 1
    fresh = LlamaCppEngine(engine._model, OPTIONS)
    try:
        assert (await line(fresh, asking(grown))).text == second.text, "reuse changes no word"
    finally:
        await fresh.close()


async def test_conversations_keep_their_own_cache_until_the_budget_is_spent(engine: LlamaCppEngine) -> None:
    text = "the lower bridge " * 60
    await line(engine, asking(text, key="one"))
    await line(engine, asking(text + "bells", key="two"))
    again = await line(engine, asking(text, key="one"))
    assert again.timings.reused_tokens > 0
    for key in ("three", "four", "five", "six", "seven", "eight"):
        await line(engine, asking(text, key=key))
    evicted = await line(engine, asking(text, key="one"))
    assert evicted.timings.reused_tokens == 0


async def test_a_conversation_taken_out_of_the_context_and_put_back_goes_on_word_for_word(engine: LlamaCppEngine) -> None:
    first = asking("the temple bells wake me ", key="one")
    whole = asking("the temple bells wake me too early ", key="one")
    await line(engine, first)
    stayed = await line(engine, whole)
    await line(engine, asking("the temple bells wake me ", key="two"))
    await line(engine, asking("the flood took the bridge", key="three"))
    await engine.score("the flood", ["took the bridge"])
    back = await line(engine, dataclasses.replace(whole, cache_key="two"))
    assert back.timings.reused_tokens > 0
    assert back.text == stayed.text


async def test_reading_ahead_leaves_nothing_to_evaluate(engine: LlamaCppEngine) -> None:
    text = "the temple bells wake me " * 8
    await engine.read_ahead(asking(text))
    spoken = await line(engine, asking(text))
    assert spoken.timings.reused_tokens == spoken.timings.prompt_tokens - 1


async def killed_in_mid_line(engine: LlamaCppEngine, request: Request) -> list[object]:
    """What is heard of a line whose worker is killed at its first word."""
    events: list[object] = []
    async for event in engine.generate(request):
        events.append(event)
        if len(events) == 1 and engine.worker_pid is not None:
            os.kill(engine.worker_pid, signal.SIGKILL)
    return events


async def test_a_worker_killed_in_mid_line_answers_the_line_once(engine: LlamaCppEngine) -> None:
    for seed in range(60):  # a random model often ends its line before it can be killed
        request = asking("the flood took the bridge ", temperature=1.2, max_tokens=800, seed=seed)
        undisturbed = await line(engine, dataclasses.replace(request, cache_key=f"calm {seed}"))
        events = await killed_in_mid_line(engine, request)
        if any(isinstance(event, Restart) for event in events):
            break
    finishes = [event for event in events if isinstance(event, Finish)]
    assert len(finishes) == 1
    restart = next(n for n, event in enumerate(events) if isinstance(event, Restart))
    after = "".join(event.text for event in events[restart:] if isinstance(event, Delta))
    assert after == finishes[0].text == undisturbed.text


async def test_a_frozen_worker_is_ended_by_the_watchdog_and_the_line_still_comes(tiny_model: Path) -> None:
    engine = LlamaCppEngine(tiny_model, OPTIONS, patience=1.5)
    try:
        await engine.start()
        frozen = engine.worker_pid
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        spoken = await line(engine, asking("the lantern"))
        assert spoken.text
        assert engine.worker_pid != frozen
    finally:
        await engine.close()


async def test_three_failures_in_a_row_become_one_sentence(engine: LlamaCppEngine) -> None:
    async def assassin() -> None:
        while True:
            if pid := engine.worker_pid:
                with contextlib.suppress(ProcessLookupError):  # it has just died of the last one
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.01)

    killer = asyncio.create_task(assassin())
    with pytest.raises(WorkerFailed, match="failed 3 times in a row"):
        await line(engine, asking("the lantern " * 200, max_tokens=600))
    killer.cancel()
    assert (await line(engine, asking("the lantern"))).text, "the next line starts anew"


async def test_the_worker_ends_with_its_parent(engine: LlamaCppEngine) -> None:
    await engine.start()
    pid = engine.worker_pid
    assert pid is not None
    await engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_interrupt_from_the_keyboard_is_the_programs_and_not_the_workers(engine: LlamaCppEngine) -> None:
    await engine.start()
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    assert (await line(engine, asking("the lantern"))).text
    assert engine.worker_pid == pid


async def test_scores_say_which_completion_is_likelier_and_leave_no_trace(engine: LlamaCppEngine) -> None:
    prompt = "the lantern burns "
    greedy = await line(engine, asking(prompt, temperature=0, max_tokens=4))
    likely, odd = await engine.score(prompt, [greedy.text, "zzzz qqqq"])
    assert likely.logprob / likely.tokens > odd.logprob / odd.tokens
    assert (await engine.score(prompt, [greedy.text]))[0].logprob == pytest.approx(likely.logprob, abs=1e-3)


async def test_a_prompt_that_does_not_fit_is_refused_with_both_sizes(engine: LlamaCppEngine) -> None:
    with pytest.raises(PromptTooLong, match="holds 1024"):
        await line(engine, asking("lantern bridge " * 2000))


async def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="There is no model at"):
        await LlamaCppEngine(tmp_path / "none.gguf").start()


@pytest.mark.parametrize("harm", ["text", "cut", "header"])
async def test_a_damaged_model_is_one_sentence(tiny_model: Path, tmp_path: Path, harm: str) -> None:
    data = tiny_model.read_bytes()
    damaged = {"text": b"not a model", "cut": data[: len(data) // 2], "header": b"GGUF" + b"\xff" * 400}[harm]
    path = tmp_path / "damaged.gguf"
    path.write_bytes(damaged)
    with pytest.raises(ModelCorrupt, match=r"damaged\.gguf"):
        await LlamaCppEngine(path, OPTIONS).start()


async def test_an_adapter_that_is_none_is_refused_and_the_base_goes_on(engine: LlamaCppEngine, tmp_path: Path) -> None:
    path = tmp_path / "adapter.gguf"
    path.write_bytes(b"GGUF but no adapter")
    with pytest.raises(AdapterRefused, match="does not fit"):
        await engine.load_adapter("a", path)
    assert (await line(engine, asking("the lantern"))).text


async def test_a_small_model_goes_on_with_a_fact_it_has_begun_to_copy(tiny_model: Path) -> None:
    held = LlamaCppEngine(tiny_model, dataclasses.replace(OPTIONS, copy_bonus=1000.0))
    free = LlamaCppEngine(tiny_model, dataclasses.replace(OPTIONS, copy_bonus=0.0))
    try:
        begun = (await line(free, asking("the lantern", temperature=0.0))).text.split()
        fact = " ".join([*begun[:4], "the brown ale costs four copper"])
        asked = f"[You know: {fact}] the lantern"
        assert fact not in (await line(free, asking(asked, temperature=0.0))).text
        order = {**_order(asking("the lantern", temperature=0.0)), "facts": [fact]}
        assert "the brown ale costs four copper" in (await held._call("generate", **order))["text"]
    finally:
        await held.close()
        await free.close()


async def test_a_small_model_parts_from_a_line_it_has_said_before(tiny_model: Path) -> None:
    varied = LlamaCppEngine(tiny_model, dataclasses.replace(OPTIONS, copy_bonus=1000.0))
    try:
        first = (await line(varied, asking("the lantern", temperature=0.0))).text
        again = {**_order(asking("the lantern", temperature=0.0)), "spoken": [first.strip()]}
        assert (await varied._call("generate", **again))["text"].strip()[:5] != first.strip()[:5]
        other = {**_order(asking("the lantern", temperature=0.0)), "spoken": ["qqq"]}
        assert (await varied._call("generate", **other))["text"] == first
    finally:
        await varied.close()


def test_its_own_last_lines_go_with_the_order_where_nothing_is_at_hand() -> None:
    said = (Message("system", "You are Mira."), Message("user", "Ana: A bath!"), Message("assistant", "2 silver."))
    for asked, spoken in (("Ana: Snow again.", ["2 silver."]), ("Ana: The bath?\n[You know: bath: 2 silver]", [])):
        request = Request("", (*said, Message("user", asked)))
        assert _order(request)["spoken"] == spoken


def test_the_facts_last_at_hand_go_with_the_order() -> None:
    prompt = 'Ana: [no fact\n[You know: ale: 4 copper]<|end|>Hm.<|end|>Ana: And two?\n[You know: a]\n[You once said: "b"]<|end|>'
    assert _order(asking(prompt))["facts"] == ["a", "b"]
    assert _order(asking("Ana: Good evening."))["facts"] == []


async def test_an_adapter_whose_file_is_gone_keeps_no_new_worker_from_speaking(tiny_model: Path, tmp_path: Path) -> None:
    engine = LlamaCppEngine(tiny_model, OPTIONS, patience=20)
    try:
        forgotten, kept = (write_random_adapter(tmp_path / f"{name}.gguf", seed) for seed, name in enumerate(("forgotten", "kept")))
        await engine.load_adapter("forgotten", forgotten)
        await engine.load_adapter("kept", kept)
        with_it = await line(engine, dataclasses.replace(asking("the lantern"), adapter="kept"))
        forgotten.unlink()
        assert engine.worker_pid is not None
        os.kill(engine.worker_pid, signal.SIGKILL)
        assert (await line(engine, asking("the lantern"))).text
        assert (await line(engine, dataclasses.replace(asking("the lantern"), adapter="kept"))).text == with_it.text
    finally:
        await engine.close()


async def test_a_caller_who_leaves_while_the_model_is_loaded_leaves_no_process(tiny_model: Path) -> None:
    engine = LlamaCppEngine(tiny_model, OPTIONS, patience=20)
    before = set(psutil.Process().children())
    try:
        starting = asyncio.create_task(engine.start())
        while not (begun := set(psutil.Process().children()) - before):  # noqa: ASYNC110  (no event tells of a process)
            await asyncio.sleep(0.005)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert not [one for one in begun if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert (await line(engine, asking("the lantern"))).text
    finally:
        await engine.close()


async def test_a_completion_is_scored_without_the_mark_that_begins_a_text(engine: LlamaCppEngine, tiny_model: Path, tmp_path: Path) -> None:
    """Llama 3, Mistral and Gemma ask for such a mark before every text."""
    key, data = b"tokenizer.ggml.add_bos_token", tiny_model.read_bytes()
    flag = data.index(key) + len(key) + 4  # a type of four bytes, then the value
    marked = tmp_path / "marked.gguf"
    marked.write_bytes(data[:flag] + b"\x01" + data[flag + 1 :])
    other = LlamaCppEngine(marked, OPTIONS, patience=20)
    try:
        assert len(await other.tokenize("all night")) == len(await engine.tokenize("all night")) + 1
        [score], [plain] = [await one.score("the lantern burns ", ["all night"]) for one in (other, engine)]
        assert score.tokens == plain.tokens == len(await engine.tokenize("all night"))
    finally:
        await other.close()
