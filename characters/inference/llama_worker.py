"""The process the model lives in: JSON lines in, JSON lines out.

A native crash, a hang or an out-of-memory kill ends this process and nothing else; the client
(characters.inference.llama_cpp_engine) starts a new one and asks again. Requests are served one
at a time in order of arrival; a cancel takes effect between two tokens.
"""

import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from characters.errors import UnderstudyError
from characters.inference.copying import Copying
from characters.inference.embedding import Embedding
from characters.inference.engine import Sampling
from characters.inference.errors import EngineError, PromptTooLong
from characters.inference.kv_cache import Entry, Key, KvCache, common_prefix
from characters.inference.llama_native import Model, Sampler, native
from characters.inference.llama_options import LoadOptions
from characters.inference.stopping import StopFilter, Utf8, begins_word, loops, stutters

_COPIES_BADLY = 50_000_000  # parameters; larger models need no help
_COPY_BONUS = 6.0
_PACE = 0.03  # seconds from the order to a line's first piece, and between two pieces


class _Stream:
    """Sends a line piece by piece, a few tokens at once where they come faster than anybody reads.

    Whoever receives a piece wakes up for it, on the cores the model computes on: with a small model a
    piece for every token costs a third of the speed. Slow models send every token as it comes.

    Args:
        began: when the line was ordered, `time.perf_counter()`.
    """

    def __init__(self, send: Callable[[str], None], began: float) -> None:
        self.text = ""
        self._send = send
        self._held = ""
        self._sent = began

    def show(self, text: str) -> None:
        """Take more of the line, and send what is held if it is time."""
        self.text += text
        self._held += text
        if time.perf_counter() - self._sent >= _PACE:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            self._send(self._held)
            self._held, self._sent = "", time.perf_counter()


class Worker:
    """Answers requests on one model."""

    def __init__(self, model: Model, options: LoadOptions, out: TextIO) -> None:
        self.model = model
        self.out = out
        self.cancelled: set[int] = set()
        self.cache = KvCache(max(options.cells, model.context_size))
        self.embedding = Embedding(model, options)
        small = model.parameters < _COPIES_BADLY
        self.copy_bonus = _COPY_BONUS * small if options.copy_bonus is None else options.copy_bonus

    def send(self, **event: Any) -> None:
        """Write one event."""
        self.out.write(json.dumps(event) + "\n")
        self.out.flush()

    def handle(self, order: dict[str, Any]) -> None:
        """Carry out one order; its failure is an event, not an end."""
        try:
            result = getattr(self, f"do_{order['op']}")(order)
            self.send(id=order["id"], event="result", result=result)
        except UnderstudyError as error:
            self.send(id=order["id"], event="error", kind=type(error).__name__, message=str(error))

    def do_describe(self, order: dict[str, Any]) -> dict[str, Any]:
        """What the model file says about itself."""
        model = self.model
        chat = native.llama_model_chat_template(model.model, None)
        return {
            "name": model.metadata("general.name"),
            "context": model.context_size,
            "template": chat.decode("utf-8", "replace") if chat else "",
            "bos": model.token_text(native.llama_vocab_bos(model.vocab)),
            "eos": model.token_text(native.llama_vocab_eos(model.vocab)),
            "add_bos": bool(native.llama_vocab_get_add_bos(model.vocab)),
            "special": model.control_texts(),
            "system_budget": model.metadata("understudy.system_budget"),
            "context_budget": model.metadata("understudy.context_budget"),
        }

    def do_tokenize(self, order: dict[str, Any]) -> list[int]:
        """Token ids of a text."""
        return self.model.tokenize(order["text"])

    def do_embed(self, order: dict[str, Any]) -> list[list[float]]:
        """One vector a text, in a context of their own."""
        return self.embedding.of(order["texts"], order["model"])

    def do_load_adapter(self, order: dict[str, Any]) -> None:
        """Load an adapter; what an older one of the name had read is void."""
        self.do_unload_adapter(order)
        self.model.load_adapter(order["adapter"], order["path"])

    def do_unload_adapter(self, order: dict[str, Any]) -> None:
        """Forget an adapter and all it had read."""
        self.cache.forget(lambda key: key[1] == order["adapter"])
        self.model.unload_adapter(order["adapter"])

    def do_read_ahead(self, order: dict[str, Any]) -> int:
        """Evaluate a prompt; returns how many tokens were new."""
        tokens = self.model.tokenize(order["prompt"])
        entry, reused = self._evaluate(order, tokens[:-1], 1)
        return len(entry.tokens) - reused

    def do_generate(self, order: dict[str, Any]) -> dict[str, Any]:
        """Speak a line, a delta event for every piece that may be shown."""
        began = time.perf_counter()
        sampling = Sampling(**order["sampling"])
        tokens = self.model.tokenize(order["prompt"])
        room = min(sampling.max_tokens, self.model.context_size - len(tokens))
        entry, reused = self._evaluate(order, tokens, max(room, 1))
        seed = sampling.seed if sampling.seed is not None else int.from_bytes(os.urandom(4), "little")
        sampler = Sampler(self.model, sampling, seed)
        try:
            reply = self._speak(order, entry, sampler, room, began)
        finally:
            sampler.close()
        return {**reply, "prompt_tokens": len(tokens), "reused_tokens": reused}

    def _speak(self, order: dict[str, Any], entry: Entry, sampler: Sampler, room: int, began: float) -> dict[str, Any]:
        stops, utf8 = StopFilter(order["stop"]), Utf8()
        line = _Stream(lambda text: self.send(id=order["id"], event="delta", text=text), began)
        reason, first, count = "length", 0.0, 0
        copying = self._copying(order)
        while count < room:
            if offers := copying.offers(entry.tokens):
                self.model.favour(offers, self.copy_bonus * copying.surety)
            if told := copying.told(entry.tokens):
                self.model.favour(told, -self.copy_bonus)
            token = sampler.sample(self.model)
            copying.take(token)
            first = first or (time.perf_counter() - began) * 1000
            if order["id"] in self.cancelled:
                reason = "cancelled"
                break
            if self.model.ends_turn(token):
                reason = "stop"
                break
            count += 1
            more = stops.feed(utf8.feed(self.model.piece(token)))
            if begins_word(more) and loops(line.text):
                reason = "stop"
                break
            line.show(more)
            if stops.stopped or stutters(line.text):
                reason = "stop"
                break
            self.model.decode([token], len(entry.tokens))
            entry.tokens.append(token)
        spent = (time.perf_counter() - began) * 1000
        line.show(stops.feed(utf8.flush()) + stops.flush())
        line.flush()
        return {"reason": reason, "text": line.text, "ttft_ms": first, "tokens": count, "total_ms": spent}

    def _copying(self, order: dict[str, Any]) -> Copying:
        """What the line may copy: words begin with a space in most vocabularies, so facts do too."""
        facts = [self.model.tokenize(f" {fact}") for fact in order["facts"]] if self.copy_bonus else []
        return Copying(facts, self.model.piece)

    def _evaluate(self, order: dict[str, Any], tokens: list[int], room: int) -> tuple[Entry, int]:
        """Bring a conversation's sequence to exactly these tokens; only new ones are read."""
        if len(tokens) + 1 > self.model.context_size:
            raise PromptTooLong(
                f"The prompt takes {len(tokens)} tokens and the model holds {self.model.context_size}; "
                "shorten the sheet or set engine.context lower for the transcript."
            )  # fmt: skip
        adapter = order.get("adapter") or ""
        self.model.attach(adapter)
        entry = self._seat((order["cache_key"], adapter), len(tokens) + room)
        shared = min(common_prefix(entry.tokens, tokens), max(len(tokens) - 1, 0))
        self.model.truncate(shared)
        del entry.tokens[shared:]
        for start in range(shared, len(tokens), self.model.batch_size):
            if order["id"] in self.cancelled:
                break
            part = tokens[start : start + self.model.batch_size]
            self.model.decode(part, start)
            entry.tokens.extend(part)
        return entry, shared

    def _seat(self, key: Key, needed: int) -> Entry:
        """Put a conversation into the context, and park the one that was there."""
        entry = self.cache.claim(key, needed)
        if entry is not self.cache.live:
            self._park()
            if entry.parked and not self.model.restore(entry.parked):
                self.model.truncate(0)
                entry.tokens.clear()
            entry.parked, self.cache.live = b"", entry
        return entry

    def _park(self) -> None:
        """Empty the context; what is worth keeping of it is kept."""
        if self.cache.live is not None and self.cache.live.tokens:
            self.cache.live.parked = self.model.state()
        self.cache.live = None
        self.model.truncate(0)

    def do_score(self, order: dict[str, Any]) -> list[tuple[float, int]]:
        """Summed log-probability and length of each completion, the prompt read once."""
        self.model.attach(order.get("adapter") or "")
        prompt = self.model.tokenize(order["prompt"])
        results: list[tuple[float, int]] = []
        self._park()
        for at in range(0, len(prompt) - 1, self.model.batch_size):
            self.model.decode(prompt[at : min(at + self.model.batch_size, len(prompt) - 1)], at)
        for completion in order["completions"]:
            tokens = self.model.tokenize(completion)
            if len(prompt) + len(tokens) > self.model.context_size:
                raise PromptTooLong("A text to be scored is longer than the model's context; shorten it.")
            self.model.truncate(len(prompt) - 1)
            results.append((self._log_probability(prompt, tokens), len(tokens)))
        self.model.truncate(0)
        return results

    def _log_probability(self, prompt: list[int], tokens: list[int]) -> float:
        total, inputs, at = 0.0, [prompt[-1], *tokens[:-1]], 0
        while at < len(tokens):
            part = inputs[at : at + self.model.batch_size]
            self.model.decode(part, len(prompt) - 1 + at, all_logits=True)
            for row in range(len(part)):
                logits = np.ctypeslib.as_array(self.model.logits(row), shape=(self.model.vocabulary,))
                top = float(logits.max())
                norm = top + math.log(float(np.exp(logits - top).sum()))
                total += float(logits[tokens[at + row]]) - norm
            at += len(part)
        return total


def _listen(worker_box: list[Worker], orders: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
    """Read orders on a thread of their own, so that a cancel arrives while a line is spoken."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["op"] == "cancel":
            worker_box[0].cancelled.add(order["id"])
        else:
            orders.put(order)
    orders.put(None)


def main() -> None:
    """Load the model named on the command line and serve until standard input ends."""
    options = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    path = Path(options.pop("path"))
    load = LoadOptions(**options)
    try:
        worker = Worker(Model(path, load), load, out)
    except EngineError as error:
        out.write(json.dumps({"event": "failed", "kind": type(error).__name__, "message": str(error)}) + "\n")
        out.flush()
        sys.exit(3)
    worker.send(event="ready")
    orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=([worker], orders), daemon=True).start()
    while (order := orders.get()) is not None:
        worker.handle(order)
        worker.cancelled.discard(order["id"])


if __name__ == "__main__":
    main()
