"""Lines that run at the same time: each step evaluates a token of every one of them in one batch.

A model reads its weights once a step, for one line or for four; so four tables together get many more words than one
after the other. All of them speak under one adapter, which is what the context has attached. A prompt that joins is
read a piece a step, so that it does not hold up those who speak.
"""

from collections.abc import Callable, Iterator
from typing import Any

from characters.inference.kept import Kept, State
from characters.inference.kv_cache import Entry, KvCache, common_prefix
from characters.inference.line import Line, Reading
from characters.inference.llama_native import Model

_PIECE = 128  # tokens of prompts that are read in a step while others speak
_PATIENCE = 4  # steps that lines sit apart before one is moved: who has just spoken often comes back to its seat


class Together:
    """The lines in the model's context.

    An order of a line says what it takes: `tokens` to be read, `room` for what is said, `cache_key` and `adapter` as in
    a request, the beginning of the prompt that is the `sheet`'s, when it `came`, and whether it is to run `alone`.

    Args:
        copy_bonus: nats for what goes on with a fact at hand.

    Attributes:
        kept: what was read before the start, where it is kept.
        adapters: what identifies the file of an adapter.
    """

    def __init__(self, model: Model, cache: KvCache, copy_bonus: float) -> None:
        self.model = model
        self.cache = cache
        self.lines: list[Reading] = []
        self.kept: Kept | None = None
        self.adapters: dict[str, str] = {"": ""}
        self._copy_bonus = copy_bonus
        self._apart = 0

    def admits(self, order: dict[str, Any]) -> bool:
        """Whether a line may join now; where its prompt is being read ahead, that makes way at the next step."""
        if not self.lines:
            return True
        first, key = self.lines[0], (order["cache_key"], order["adapter"])
        if first.alone or order["alone"] or first.key[1] != key[1] or len(self.lines) == len(self.cache.seats):
            return False
        for line in self.lines:
            if line.key == key and not line.speaks:
                line.cancel()
                return False
        return self.cache.has_room(len(order["tokens"]) + order["room"])

    def join(self, order: dict[str, Any], send: Callable[[str], None]) -> None:
        """Let a line begin.

        Args:
            send: takes the pieces that may be shown.

        Raises:
            AdapterRefused: there is no such adapter.
        """
        tokens, key = order["tokens"], (order["cache_key"], order["adapter"])
        speaks = order["op"] == "generate"
        self.model.attach(key[1])
        if not speaks and any(line.key == key for line in self.lines):
            self.lines.append(Reading(order, Entry(), []))  # it is speaking, and what it reads and says will be there
            return
        entry = self.cache.claim(key, len(tokens) + order["room"])
        entry.sheet = order["sheet"]
        if self.kept and not entry.tokens and (found := self.kept.find(self.adapters[key[1]], tokens)):
            entry.tokens, entry.parked = list(found.tokens), found.bytes
        seat = self.cache.seat_for(entry)
        self._sit(entry, seat)
        shared = common_prefix(entry.tokens, tokens)
        if shared == len(tokens):
            if not speaks:  # all is read, and perhaps more
                self.lines.append(Reading(order, entry, []))
                return
            shared -= 1  # what is to be gone on from is read once more
        self.model.truncate(shared, seat)
        del entry.tokens[shared:]
        fresh = tokens[shared:]
        line = Line(order, entry, fresh, self.model, send, self._copy_bonus) if speaks else Reading(order, entry, fresh)
        self.lines.append(line)

    def go_on(self) -> list[Reading]:
        """Let every line choose its next token; returns those that are over, which are gone."""
        for line in self.lines:
            if not line.pending and line.result is None:
                line.go_on()
        over = [line for line in self.lines if line.result is not None]
        if over:
            self.lines = [line for line in self.lines if line.result is None]
            for line in over:
                self._leave(line)
        return over

    def evaluate(self) -> None:
        """Evaluate what is pending: all that lines have chosen, and of prompts as much as one step may take.

        Raises:
            ModelCorrupt: llama.cpp refuses.
        """
        self._draw_together()
        model, spare = self.model, _PIECE if len(self.lines) > 1 else self.model.batch_size
        for line in self.lines:
            pending, said = line.pending, line.entry.tokens
            part = pending if line.result is None else []
            if len(part) > 1:
                part = pending[:spare]
                spare -= len(part)
            if part:
                whole = len(part) == len(pending)
                line.row = model.put(part, len(said), line.entry.seat or 0, wanted=whole and line.speaks)
                said.extend(part)
                line.pending = [] if whole else pending[len(part) :]
        model.evaluate()

    def cancel(self, number: int) -> None:
        """End the line of an order, if it runs; the others go on."""
        for line in self.lines:
            if line.number == number:
                line.cancel()

    def abandon(self) -> list[Reading]:
        """Drop all lines and what they have read: nobody knows what the context holds of it."""
        lines, self.lines = self.lines, []
        for line in lines:
            line.entry.tokens.clear()
            if line.entry.seat is not None:
                self.empty(line.entry.seat)
            self._leave(line)
        return lines

    def empty(self, seat: int) -> None:
        """Empty a seat; what is worth keeping of it is kept."""
        entry = self.cache.seats[seat]
        if entry is not None:
            entry.parked = self.model.state(seat) if entry.tokens else b""
            entry.seat, self.cache.seats[seat] = None, None
        self.model.truncate(0, seat)

    def keep(self) -> None:
        """Write what was read of the sheets, for the next start; of no more use after that."""
        if self.kept:
            self.kept.keep(self._sheets())

    def _sheets(self) -> Iterator[State]:
        """The states of sheets, of those last used first."""
        for (_, adapter), entry in self.cache.newest():
            sheet = common_prefix(self.model.tokenize(entry.sheet), entry.tokens) if entry.sheet else 0
            if sheet and self._sit(entry, 0):
                self.model.truncate(sheet, 0)
                del entry.tokens[sheet:]
                yield State(self.adapters[adapter], tuple(entry.tokens), self.model.state(0))

    def _leave(self, line: Reading) -> None:
        line.close()
        self.cache.leave(line.entry)

    def _sit(self, entry: Entry, seat: int) -> bool:
        """Put a conversation into a seat; whether all it had read is there."""
        if entry.seat == seat:
            return True
        if entry.seat is not None:
            self.empty(entry.seat)
        self.empty(seat)
        whole = not entry.parked or self.model.restore(entry.parked, seat)
        if not whole:
            self.model.truncate(0, seat)
            entry.tokens.clear()
        entry.parked, entry.seat, self.cache.seats[seat] = b"", seat, entry
        return whole

    def _draw_together(self) -> None:
        """Move a line that has been sitting apart from the others for a while; a small model gains nothing by it."""
        gap = self.cache.gap() if len(self.lines) > 1 and not self.model.small else None
        self._apart = self._apart + 1 if gap else 0
        if gap is None or self._apart < _PATIENCE:
            return
        line = next(line for line in self.lines if line.entry.seat == gap[0])
        said = list(line.entry.tokens)
        if not self._sit(line.entry, gap[1]):
            line.pending = said + line.pending
