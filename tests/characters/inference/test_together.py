"""Lines step by step, in this process: who joins, who waits, and what a step may hold."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest

from characters.inference import llama_worker
from characters.inference.engine import Sampling
from characters.inference.llama_native import Model
from characters.inference.llama_options import LoadOptions
from characters.inference.llama_worker import Worker
from tests.fakes.tiny_model import write_tiny_adapter

OPTIONS = LoadOptions(context=1024, cells=4096, threads=1, extra_buffers=False, streams=4)
SHORT, LONG = "the lantern burns ", "the temple bells wake me too early " * 100
RESTLESS = Sampling(temperature=2.5, top_p=1.0, min_p=0.01, repetition_penalty=2.0, top_k=0, max_tokens=300)


class Steps(Worker):
    """A worker that goes on step by step, and whose events can be looked at."""

    def __init__(self, model: Path, options: LoadOptions = OPTIONS) -> None:
        self._told = io.StringIO()
        super().__init__(Model(model, options), options, self._told)
        self._orders = 0

    @property
    def running(self) -> list[int]:
        return [line.number for line in self.together.lines]

    @property
    def read(self) -> dict[int, int]:
        """Tokens evaluated for every line that runs."""
        return {line.number: len(line.entry.tokens) for line in self.together.lines}

    def events(self, number: int) -> list[dict[str, Any]]:
        return [event for event in map(json.loads, self._told.getvalue().splitlines()) if event["id"] == number]

    def result(self, number: int) -> Any:
        return next((event["result"] for event in self.events(number) if event["event"] == "result"), None)

    def order(self, op: str, **order: Any) -> int:
        self._orders += 1
        self.take({"op": op, "id": self._orders, **order})
        return self._orders

    def speak(self, seed: int = 0, prompt: str = SHORT, key: str = "", adapter: str | None = None, **also: Any) -> int:
        sampling = dataclasses.asdict(dataclasses.replace(RESTLESS, seed=seed))
        return self.order("generate", prompt=prompt, cache_key=key or f"table {self._orders}", adapter=adapter,
                          stop=[], facts=[], spoken=[], sampling=sampling, **also)  # fmt: skip

    def read_ahead(self, prompt: str, key: str) -> int:
        return self.order("read_ahead", prompt=prompt, cache_key=key)

    def finish(self, most: int = 5000) -> None:
        for _ in range(most):
            if not (self.waiting or self.together.lines):
                return
            self.step()
        raise AssertionError("it does not end")


@pytest.fixture(scope="module")
def alone(tiny_model: Path) -> dict[int, str]:
    """Lines of a hundred tokens and more, each spoken by itself: text by seed. Chance ends many of them earlier."""
    worker, found = Steps(tiny_model, dataclasses.replace(OPTIONS, streams=1)), dict[int, str]()
    for seed in range(200):
        number = worker.speak(seed)
        worker.finish()
        if worker.result(number)["tokens"] >= 100:
            found[seed] = worker.result(number)["text"]
        if len(found) == 5:
            return found
    raise AssertionError("chance ends them all")


@pytest.fixture
def worker(tiny_model: Path) -> Steps:
    return Steps(tiny_model)


def test_lines_of_several_tables_go_on_by_a_token_a_step_and_each_says_what_it_says_alone(
    worker: Steps, alone: dict[int, str]
) -> None:
    numbers = {worker.speak(seed): seed for seed in list(alone)[:4]}
    worker.step()
    before = worker.read
    assert set(before) == set(numbers)
    for _ in range(50):
        worker.step()
    assert worker.read == {number: count + 50 for number, count in before.items()}
    worker.finish()
    assert {seed: worker.result(number)["text"] for number, seed in numbers.items()} == {
        seed: alone[seed] for seed in numbers.values()
    }


def test_a_line_joins_between_two_steps_and_changes_no_word_of_the_others(worker: Steps, alone: dict[int, str]) -> None:
    seeds = list(alone)
    numbers = []
    for seed in seeds[:4]:
        numbers.append(worker.speak(seed))
        for _ in range(7):
            worker.step()
    worker.finish()
    assert [worker.result(number)["text"] for number in numbers] == [alone[seed] for seed in seeds[:4]]


def test_a_fifth_table_waits_for_a_seat_and_takes_the_first_that_is_free(worker: Steps, alone: dict[int, str]) -> None:
    numbers = [worker.speak(seed) for seed in alone]
    worker.step()
    assert worker.running == numbers[:4]
    while worker.running == numbers[:4]:
        worker.step()
    assert numbers[4] in worker.running
    worker.finish()
    assert [worker.result(number)["text"] for number in numbers] == list(alone.values())


def test_a_long_prompt_that_joins_holds_nobody_up_for_more_than_a_piece_of_it(worker: Steps, alone: dict[int, str]) -> None:
    talking = [worker.speak(seed) for seed in list(alone)[:2]]
    worker.step()
    before = worker.read
    came = worker.speak(prompt=LONG)
    tokens = len(worker.model.tokenize(LONG))
    steps = 0
    while worker.read.get(came, 0) < tokens:
        had = worker.read.get(came, 0)
        worker.step()
        steps += 1
        assert 0 < worker.read[came] - had <= 128
    assert tokens > 500
    assert steps == -(-tokens // 128)
    assert {number: worker.read[number] for number in talking} == {number: before[number] + steps for number in talking}


def test_of_two_prompts_that_join_the_first_to_come_is_read_first(worker: Steps, alone: dict[int, str]) -> None:
    worker.speak(next(iter(alone)))
    worker.step()
    two = [worker.speak(prompt=LONG), worker.speak(prompt=LONG)]
    worker.step()
    assert [worker.read[number] for number in two] == [128, 0]


def test_two_adapters_wait_for_each_other_and_nobody_overtakes(
    worker: Steps, alone: dict[int, str], tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        worker.order("load_adapter", adapter=name, path=str(write_tiny_adapter(tmp_path / f"{name}.gguf", seed)))
    worker.finish()
    first = [worker.speak(seed, adapter="a") for seed in (1, 2)]
    other = worker.speak(1, adapter="b")
    late = worker.speak(3, adapter="a")
    begun: list[list[int]] = []
    while worker.waiting or worker.together.lines:
        worker.step()
        if worker.running and worker.running not in begun:
            begun.append(worker.running)
    assert begun[0] == first, "who came after the other adapter's line waits behind it, although there is a seat"
    assert [other] in begun
    assert begun[-1] == [late]
    assert not any(other in together and len(together) > 1 for together in begun)
    texts = [worker.result(number)["text"] for number in (first[0], other)]
    assert texts[0] != texts[1], "each spoke under its own adapter"


def test_what_needs_the_context_to_itself_waits_and_is_not_overtaken(worker: Steps, alone: dict[int, str]) -> None:
    talking = worker.speak(next(iter(alone)))
    scored = worker.order("score", prompt="the flood", completions=["took the bridge"])
    late = worker.speak()
    told = worker.order("tokenize", text="the lantern")
    assert worker.result(told), "what needs no context is answered at once"
    for _ in range(20):
        worker.step()
    assert worker.running == [talking]
    assert worker.result(scored) is None
    worker.finish()
    assert worker.result(talking)["text"] == next(iter(alone.values()))
    assert worker.result(scored)[0][1] > 0
    assert worker.result(late)


def test_a_cancel_ends_one_line_and_leaves_the_others(worker: Steps, alone: dict[int, str]) -> None:
    seeds = list(alone)[:4]
    numbers = [worker.speak(seed) for seed in seeds]
    for _ in range(30):
        worker.step()
    worker.take({"op": "cancel", "id": numbers[1]})
    worker.step()
    assert worker.running == [numbers[0], numbers[2], numbers[3]]
    worker.finish()
    assert worker.result(numbers[1])["reason"] == "cancelled"
    rest = [0, 2, 3]
    assert [worker.result(numbers[n])["text"] for n in rest] == [alone[seeds[n]] for n in rest]


def test_a_cancel_reaches_a_line_that_waits_and_one_that_is_read(worker: Steps, alone: dict[int, str]) -> None:
    seeds = list(alone)
    numbers = [worker.speak(seed) for seed in seeds]
    worker.step()
    worker.take({"op": "cancel", "id": numbers[4]})
    assert not worker.waiting
    worker.take({"op": "cancel", "id": numbers[0]})
    worker.step()
    long = worker.speak(prompt=LONG)
    worker.step()
    worker.take({"op": "cancel", "id": long})
    worker.step()
    assert worker.running == numbers[1:4]
    worker.finish()
    assert [worker.result(number)["text"] for number in numbers[1:4]] == [alone[seed] for seed in seeds[1:4]]


def test_a_line_that_was_left_apart_moves_beside_the_others_and_goes_on_word_for_word(
    worker: Steps, alone: dict[int, str]
) -> None:
    worker.model.small = False  # a small one gains nothing by it, and lets them sit
    seeds = list(alone)[:4]
    numbers = [worker.speak(seed) for seed in seeds]
    for _ in range(30):
        worker.step()
    for number in numbers[1:3]:
        worker.take({"op": "cancel", "id": number})
    worker.step()
    assert [line.entry.seat for line in worker.together.lines] == [0, 3]
    for _ in range(5):
        worker.step()
    assert [line.entry.seat for line in worker.together.lines] == [0, 1]
    worker.finish()
    assert [worker.result(numbers[n])["text"] for n in (0, 3)] == [alone[seeds[n]] for n in (0, 3)]


def test_two_lines_of_one_conversation_are_spoken_at_once(worker: Steps, alone: dict[int, str]) -> None:
    seeds = list(alone)[:2]
    numbers = [worker.speak(seed, key="one") for seed in seeds]
    worker.step()
    assert worker.running == numbers
    worker.finish()
    assert [worker.result(number)["text"] for number in numbers] == [alone[seed] for seed in seeds]


def test_who_speaks_takes_over_what_was_being_read_ahead(worker: Steps, alone: dict[int, str]) -> None:
    talking = worker.speak(next(iter(alone)))
    worker.step()
    ahead = worker.read_ahead(LONG, "mira")
    for _ in range(3):
        worker.step()
    spoken = worker.speak(prompt=LONG, key="mira")
    for _ in range(2):
        worker.step()
    assert worker.result(ahead) is not None
    assert worker.running == [talking, spoken]
    worker.finish()
    assert worker.result(spoken)["reused_tokens"] == 3 * 128


def test_reading_ahead_for_who_speaks_already_costs_nothing(worker: Steps, alone: dict[int, str]) -> None:
    talking = worker.speak(next(iter(alone)), key="mira")
    worker.step()
    ahead = worker.read_ahead(LONG, "mira")
    worker.step()
    worker.step()
    assert worker.result(ahead) == 0
    assert worker.running == [talking]


def test_reading_ahead_under_another_adapter_lets_lines_pass_and_forgets_nothing_they_read(
    worker: Steps, alone: dict[int, str], tmp_path: Path
) -> None:
    worker.order("load_adapter", adapter="a", path=str(write_tiny_adapter(tmp_path / "a.gguf")))
    worker.finish()
    ahead = worker.read_ahead(SHORT, "mira")
    worker.finish()
    talking = worker.speak(1, adapter="a")
    worker.step()
    late = worker.read_ahead(SHORT, "mira")
    passing = worker.speak(2, adapter="a")
    worker.step()
    assert worker.running == [talking, passing]
    worker.finish()
    assert worker.result(ahead) > 0
    assert worker.result(late) == 0
    spoken = worker.speak(next(iter(alone)), key="mira")
    worker.finish()
    assert worker.result(spoken)["text"] == next(iter(alone.values()))
    held = worker.cache.used
    worker.read_ahead(SHORT, "mira")
    worker.finish()
    assert worker.cache.used == held, "what was said stays read"


def test_the_budget_holds_while_lines_run(tiny_model: Path) -> None:
    worker = Steps(tiny_model, dataclasses.replace(OPTIONS, cells=1024))
    prompt = "the lantern burns all night " * 8
    numbers = [worker.speak(seed, prompt) for seed in range(4)]
    most = 0
    while worker.waiting or worker.together.lines:
        worker.step()
        most = max(most, len(worker.running))
        assert worker.cache.used <= 1024
    assert most == 2, "a third line would not have fitted in"
    assert all(worker.result(number) for number in numbers)


def test_a_prompt_that_does_not_fit_is_refused_while_others_speak(worker: Steps, alone: dict[int, str]) -> None:
    talking = worker.speak(next(iter(alone)))
    worker.step()
    refused = worker.speak(prompt=LONG * 5)
    unknown = worker.speak(adapter="nobody's")
    worker.step()
    assert [event["kind"] for event in worker.events(refused)] == ["PromptTooLong"]
    worker.finish()
    assert [event["kind"] for event in worker.events(unknown)] == ["AdapterRefused"]
    assert worker.result(talking)["text"] == next(iter(alone.values()))


def test_while_a_long_prompt_is_read_the_worker_says_that_it_works(worker: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_worker, "_SILENCE", 0.0)
    number = worker.speak(prompt=LONG[:3000])
    worker.step()
    assert worker.result(number) is None
    assert worker.events(0) == [{"id": 0, "event": "working"}]
    worker.finish()


def test_a_worker_that_speaks_says_nothing_of_working(worker: Steps) -> None:
    worker.speak()
    worker.finish()
    assert worker.events(0) == []
