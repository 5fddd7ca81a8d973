"""The process the model lives in: JSON lines in, JSON lines out.

A native crash, a hang or an out-of-memory kill ends this process and nothing else; the client
(characters.inference.llama_cpp_engine) starts a new one and asks again. Orders begin in order of
arrival: lines of one adapter together, as many as there are seats (characters.inference.together),
everything else by itself, and nobody overtakes, except whoever is only reading ahead. A cancel takes
effect between two tokens.
"""

import hashlib
import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from characters.errors import UnderstudyError
from characters.inference.embedding import Embedding
from characters.inference.errors import EngineError, PromptTooLong
from characters.inference.kept import Kept
from characters.inference.kv_cache import KvCache
from characters.inference.llama_native import Model, native
from characters.inference.llama_options import LoadOptions
from characters.inference.native_proof import build_id
from characters.inference.together import Together

_COPY_BONUS = 6.0  # for small models; larger ones copy well without help
_AT_ONCE = {"describe", "tokenize", "keep_in"}  # ask nothing of the context
_LINES = {"generate", "read_ahead"}
_SILENCE = 1.0  # seconds after which it says that it works: a long prompt takes a large model longer than anybody waits

Orders = queue.SimpleQueue[dict[str, Any] | None]


class Worker:
    """Answers requests on one model."""

    def __init__(self, model: Model, options: LoadOptions, out: TextIO) -> None:
        self.model = model
        self.out = out
        self.cache = KvCache(max(options.cells, model.context_size), options.streams)
        self.embedding = Embedding(model, options)
        bonus = _COPY_BONUS * model.small if options.copy_bonus is None else options.copy_bonus
        self.together = Together(model, self.cache, bonus)
        self.waiting: deque[dict[str, Any]] = deque()
        self._sent = 0.0

    def send(self, **event: Any) -> None:
        """Write one event."""
        self._sent = time.perf_counter()
        self.out.write(json.dumps(event) + "\n")
        self.out.flush()

    def serve(self, orders: Orders) -> None:
        """Work until the orders end, and keep what is of use at the next start."""
        while True:
            while not orders.empty() or not (self.waiting or self.together.lines):
                order = orders.get()
                if order is None:
                    self.together.keep()
                    return
                self.take(order)
            self.step()

    def take(self, order: dict[str, Any]) -> None:
        """An order has come: it is answered at once, or waits for its turn."""
        if order["op"] == "cancel":
            self.together.cancel(order["id"])
            self.waiting = deque(other for other in self.waiting if other["id"] != order["id"])
        elif order["op"] in _AT_ONCE:
            self._handle(order)
        else:
            try:
                if order["op"] in _LINES:
                    self._measure(order)
                self.waiting.append(order)
            except UnderstudyError as error:
                self._fail(order["id"], error)

    def _measure(self, order: dict[str, Any]) -> None:
        """Note what a line takes."""
        tokens = self.model.tokenize(order["prompt"]) or [max(native.llama_vocab_bos(self.model.vocab), 0)]
        if len(tokens) + 1 > self.model.context_size:
            raise PromptTooLong(
                f"The prompt takes {len(tokens)} tokens and the model holds {self.model.context_size}; "
                "shorten the sheet or set engine.context lower for the transcript."
            )  # fmt: skip
        speaks = order["op"] == "generate"
        room = min(order["sampling"]["max_tokens"], self.model.context_size - len(tokens)) if speaks else 1
        order |= {
            "tokens": tokens if speaks else tokens[:-1], "room": max(room, 1), "came": time.perf_counter(),
            "adapter": order.get("adapter") or "", "sheet": order["prompt"][: order.get("sheet", 0)],
            "alone": order.get("alone", False),
        }  # fmt: skip

    def step(self) -> None:
        """Go on with everything that runs, by a token or a piece of a prompt, and begin what may begin."""
        for line in self.together.go_on():
            self.send(id=line.number, event="result", result=line.result)
        while (order := self._next()) is not None:
            if order.get("alone"):
                self.send(id=order["id"], event="begun")
            if order["op"] in _LINES:
                self._join(order)
            else:
                self._handle(order)
        try:
            self.together.evaluate()
        except EngineError as error:
            for line in self.together.abandon():
                self._fail(line.number, error)
        if self.together.lines and time.perf_counter() - self._sent >= _SILENCE:
            self.send(id=0, event="working")

    def _next(self) -> dict[str, Any] | None:
        """The order that may begin now: the first that waits, unless that is reading ahead and has to wait."""
        for at, order in enumerate(self.waiting):
            if not self.together.lines or (order["op"] in _LINES and self.together.admits(order)):
                del self.waiting[at]
                return order
            if order["op"] != "read_ahead":
                return None
        return None

    def _join(self, order: dict[str, Any]) -> None:
        self._sent = time.perf_counter()
        try:
            self.together.join(order, lambda text: self.send(id=order["id"], event="delta", text=text))
        except UnderstudyError as error:
            self._fail(order["id"], error)

    def _handle(self, order: dict[str, Any]) -> None:
        """Carry out one order; its failure is an event, not an end."""
        try:
            result = getattr(self, f"do_{order['op']}")(order)
            self.send(id=order["id"], event="result", result=result)
        except UnderstudyError as error:
            self._fail(order["id"], error)

    def _fail(self, number: int, error: UnderstudyError) -> None:
        self.send(id=number, event="error", kind=type(error).__name__, message=str(error))

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

    def do_keep_in(self, order: dict[str, Any]) -> None:
        """Where what is read of sheets is kept, and for which model."""
        self.together.kept = Kept(Path(order["folder"]), f"{order['base']} {build_id()}")

    def do_embed(self, order: dict[str, Any]) -> list[list[float]]:
        """One vector a text, in a context of their own."""
        return self.embedding.of(order["texts"], order["model"])

    def do_load_adapter(self, order: dict[str, Any]) -> None:
        """Load an adapter; what an older one of the name had read is void."""
        self.do_unload_adapter(order)
        self.model.load_adapter(order["adapter"], order["path"])
        with Path(order["path"]).open("rb") as file:
            self.together.adapters[order["adapter"]] = hashlib.file_digest(file, "sha256").hexdigest()

    def do_unload_adapter(self, order: dict[str, Any]) -> None:
        """Forget an adapter and all it had read."""
        self.cache.forget(lambda key: key[1] == order["adapter"])
        self.model.unload_adapter(order["adapter"])

    def do_score(self, order: dict[str, Any]) -> list[tuple[float, int]]:
        """Summed log-probability and length of each completion, the prompt read once."""
        self.model.attach(order.get("adapter") or "")
        prompt = self.model.tokenize(order["prompt"])
        beginning = len(self.model.tokenize(""))  # a completion goes on; it has no mark of a beginning
        results: list[tuple[float, int]] = []
        self.together.empty(0)
        for at in range(0, len(prompt) - 1, self.model.batch_size):
            self.model.decode(prompt[at : min(at + self.model.batch_size, len(prompt) - 1)], at)
        for completion in order["completions"]:
            tokens = self.model.tokenize(completion)[beginning:]
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


def _listen(orders: Orders) -> None:
    """Read orders on a thread of their own, so that they arrive while lines are spoken."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put(None)


def main() -> None:
    """Load the model named on the command line and serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the program; when that ends, so does the input
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
    orders: Orders = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    worker.serve(orders)


if __name__ == "__main__":
    main()
