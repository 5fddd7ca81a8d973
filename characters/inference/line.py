"""One line on its way: its prompt is read, then it is spoken token by token, beside others or alone.

A line never evaluates anything itself. Whoever runs it (characters.inference.together) evaluates what is `pending`,
then lets it `go_on`: from its own row of the results it chooses its next token, pending in turn, or it is over.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from characters.inference.copying import Copying
from characters.inference.engine import FinishReason, Sampling
from characters.inference.kv_cache import Entry, Key
from characters.inference.llama_native import Model, Sampler
from characters.inference.stopping import StopFilter, Utf8, begins_word, rounds, stutters, without_loop
from characters.inference.varying import Varying

_AGAIN = 0.25  # of the bonus for copying, against each token of a line that was said before
_PACE = 0.03  # seconds from the order to a line's first piece, and between two pieces


class Reading:
    """A prompt that is read ahead, and nothing said.

    Attributes:
        number: of the order.
        key: the conversation and adapter it belongs to.
        alone: whether nobody may join it.
        pending: tokens to be evaluated next; none once it is time to go on.
        row: where in the last batch the logits of its last token are.
        result: what the order comes to; None until it is over.
    """

    speaks = False

    def __init__(self, order: dict[str, Any], entry: Entry, pending: list[int]) -> None:
        self.number: int = order["id"]
        self.key: Key = (order["cache_key"], order["adapter"])
        self.alone: bool = order["alone"]
        self.entry = entry
        self.pending = pending
        self.row = -1
        self.result: Any = None
        self._new = len(pending)

    def go_on(self) -> None:
        """All is read: how many tokens were new."""
        self.result = self._new

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self.result = self._new

    def close(self) -> None:
        """Give back what it held."""


class Line(Reading):
    """A line that is spoken.

    Args:
        send: takes the pieces that may be shown.
        copy_bonus: nats for what goes on with a fact at hand.
    """

    speaks = True

    def __init__(
        self, order: dict[str, Any], entry: Entry, pending: list[int], model: Model,
        send: Callable[[str], None], copy_bonus: float,
    ) -> None:  # fmt: skip
        super().__init__(order, entry, pending)
        self._model = model
        self._prompt_tokens = len(order["tokens"])
        self._began: float = order["came"]
        self._room: int = order["room"]
        self._bonus = copy_bonus
        sampling = Sampling(**order["sampling"])
        seed = sampling.seed if sampling.seed is not None else int.from_bytes(os.urandom(4), "little")
        self._sampler = Sampler(model, sampling, seed)
        self._copying = Copying(_facts(model, order["facts"]) if copy_bonus else [], model.piece)
        self._varying = Varying([model.tokenize(line) for line in order["spoken"]] if copy_bonus else [])
        self._stops, self._utf8 = StopFilter(order["stop"]), Utf8()
        self._shown = _Stream(send, self._began)
        self._first, self._count = 0.0, 0

    def go_on(self) -> None:
        """Choose the next token, or end the line."""
        model, copying, said = self._model, self._copying, self.entry.tokens
        if offers := copying.offers(said):
            model.favour(offers, self._bonus * copying.surety, self.row)
        if told := copying.told(said):
            model.favour(told, -self._bonus, self.row)
        model.favour(self._varying.again(), -self._bonus * _AGAIN, self.row)
        token = self._sampler.sample(model, self.row)
        copying.take(token)
        self._varying.take(token)
        self._first = self._first or (time.perf_counter() - self._began) * 1000
        if model.ends_turn(token):
            self._end("stop")
            return
        self._count += 1
        shown, stops = self._shown, self._stops
        more = stops.feed(self._utf8.feed(model.piece(token)))
        if begins_word(more) and rounds(shown.text):
            self._cut_loop()
            return
        shown.show(more)
        if stops.stopped:
            self._end("stop")
        elif stutters(shown.text):
            self._cut_loop()
        elif self._count >= self._room:
            self._end("length")
        else:
            self.pending = [token]

    def _cut_loop(self) -> None:
        """End a line that goes round in circles, without the last round."""
        self._stops = StopFilter(())  # what it holds back belongs to the round
        self._shown.cut(without_loop(self._shown.text))
        self._end("stop")

    def cancel(self) -> None:
        """Nobody listens any more."""
        self._end("cancelled")

    def close(self) -> None:
        """Free the sampler."""
        self._sampler.close()

    def _end(self, reason: FinishReason) -> None:
        spent = (time.perf_counter() - self._began) * 1000
        self._shown.show(self._stops.feed(self._utf8.flush()) + self._stops.flush())
        self._shown.flush()
        self.result = {
            "reason": reason, "text": self._shown.text, "ttft_ms": self._first, "tokens": self._count,
            "total_ms": spent, "prompt_tokens": self._prompt_tokens,
            "reused_tokens": self._prompt_tokens - self._new,
        }  # fmt: skip


def _facts(model: Model, facts: Sequence[str]) -> list[list[int]]:
    """What the line may copy: words begin with a space in most vocabularies, so facts do too."""
    return [model.tokenize(f" {fact}") for fact in facts]


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

    def cut(self, text: str) -> None:
        """Let the line be shorter than it was; what was sent is out, what is held goes only as far as the line does."""
        sent = self.text[: len(self.text) - len(self._held)]
        self.text, self._held = text, text.removeprefix(sent) if text.startswith(sent) else ""

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            self._send(self._held)
            self._held, self._sent = "", time.perf_counter()
