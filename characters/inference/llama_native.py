"""llama.cpp through its C functions: one model, one context, with a seat for every line spoken at once.

A seat is what llama.cpp calls a sequence. The high-level class of llama-cpp-python can neither swap adapters nor
keep several prompts, so these few calls are made directly. Imported by the worker process alone.
"""

import ctypes
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp.llama_cpp as native

from characters.inference.engine import Sampling
from characters.inference.errors import AdapterRefused, ModelCorrupt
from characters.inference.llama_options import LoadOptions

__all__ = ["Model", "Sampler", "native"]

_PAGE = 256  # llama.cpp rounds a sequence's cells up to it
# On processors llama.cpp's flash attention is the slow way (docs/speed.md); without it a step's attention is held in
# memory, which steps of this many tokens keep small.
_AT_ONCE = 128
_SMALL = 50_000_000  # parameters; they stay in the processor's own memory
_KEEP_QUIET = native.llama_log_callback(lambda level, text, data: None)


class _Fields(NamedTuple):
    """A batch's arrays; asking a C structure for one costs as much as writing to it."""

    token: Any
    pos: Any
    logits: Any
    seat: list[Any]


class Model:
    """A loaded GGUF with its context."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        native.llama_log_set(_KEEP_QUIET, ctypes.c_void_p(0))
        native.llama_backend_init()
        params = native.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = options.extra_buffers
        self.model = native.llama_model_load_from_file(str(path).encode(), params)
        if not self.model:
            raise ModelCorrupt(f"{path.name} is not a model llama.cpp can load; check or replace the file.")
        trained = native.llama_model_n_ctx_train(self.model)
        self.context_size = min(options.context, trained) if trained > 0 else options.context
        self.parameters = int(native.llama_model_n_params(self.model))
        self.small = self.parameters < _SMALL
        self.vocab = native.llama_model_get_vocab(self.model)
        self.vocabulary = int(native.llama_vocab_n_tokens(self.vocab))
        self.context = self._make_context(options)
        self.memory = native.llama_get_memory(self.context)
        self.batch_size = native.llama_n_batch(self.context)
        self._batch, self._fields = self._make_batch()
        self._put = 0
        self._seats = [0] * self.batch_size
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._adapters: dict[str, ctypes.c_void_p] = {}
        self._attached = ""

    def _make_context(self, options: LoadOptions) -> ctypes.c_void_p:
        params = native.llama_context_default_params()
        params.n_ctx = options.streams * -(-self.context_size // _PAGE) * _PAGE
        params.n_batch, params.n_ubatch = 512, _AT_ONCE
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.n_seq_max, params.kv_unified = options.streams, False  # each seat is searched for its own tokens alone
        params.n_threads = params.n_threads_batch = options.threads
        made = native.llama_init_from_model(self.model, params)
        if not made:
            raise ModelCorrupt("The model loads but no context can be made; lower engine.context.")
        context: ctypes.c_void_p = made
        return context

    def _make_batch(self) -> tuple[Any, "_Fields"]:
        """A batch for as long as the process lives; only what changes is written for every token."""
        batch = native.llama_batch_init(self.batch_size, 0, 1)
        for index in range(self.batch_size):
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
        seats = [batch.seq_id[index] for index in range(self.batch_size)]
        return batch, _Fields(batch.token, batch.pos, batch.logits, seats)

    def metadata(self, key: str) -> str:
        """A metadata value of the file as text, or ""."""
        buffer = ctypes.create_string_buffer(65_536)
        size = native.llama_model_meta_val_str(self.model, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def tokenize(self, text: str) -> list[int]:
        """Token ids; special tokens are recognised, BOS added only where the file asks for it."""
        raw = text.encode()
        capacity = len(raw) + 8
        ids = (native.llama_token * capacity)()
        size = native.llama_tokenize(self.vocab, raw, len(raw), ids, capacity, False, True)
        found = list(ids[:size])
        bos = native.llama_vocab_bos(self.vocab)
        if native.llama_vocab_get_add_bos(self.vocab) and bos >= 0 and found[:1] != [bos]:
            found.insert(0, bos)
        return found

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token; control tokens are empty unless asked for."""
        if not special and token in self._pieces:
            return self._pieces[token]
        buffer = ctypes.create_string_buffer(256)
        size = native.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, special)
        found = buffer.raw[:size] if size > 0 else b""
        if not special:
            self._pieces[token] = found
        return found

    def ends_turn(self, token: int) -> bool:
        """Whether a token ends the reply; any control token does, a reply contains none."""
        if token not in self._ends:
            control = native.llama_vocab_is_control(self.vocab, token)
            self._ends[token] = bool(control or native.llama_vocab_is_eog(self.vocab, token))
        return self._ends[token]

    def control_texts(self) -> list[str]:
        """Texts of all control tokens."""
        return [
            self.piece(token, special=True).decode("utf-8", "replace")
            for token in range(self.vocabulary)
            if native.llama_vocab_is_control(self.vocab, token)
        ]

    def token_text(self, token: int) -> str:
        """A control token's text, "" for any other."""
        known = token >= 0 and native.llama_vocab_is_control(self.vocab, token)
        return self.piece(token, special=True).decode("utf-8", "replace") if known else ""

    def put(self, tokens: Sequence[int], start: int, seat: int = 0, *, wanted: int = 1) -> int:
        """Add a seat's tokens, from a position on, to what `evaluate` reads next.

        Args:
            wanted: for how many of the last tokens logits are wanted.

        Returns:
            The row of the last one's logits.
        """
        fields, seats, at = self._fields, self._seats, self._put
        end = at + len(tokens)
        for index, token in enumerate(tokens, at):
            fields.token[index] = token
            fields.pos[index] = start + index - at
            fields.logits[index] = index >= end - wanted
            if seats[index] != seat:
                fields.seat[index][0] = seats[index] = seat
        self._put = end
        return end - 1

    def evaluate(self) -> None:
        """Read what was put: at most one batch of tokens."""
        self._batch.n_tokens, self._put = self._put, 0
        status = native.llama_decode(self.context, self._batch) if self._batch.n_tokens else 0
        if status:
            raise ModelCorrupt(f"llama.cpp could not evaluate the prompt (status {status}); restart the program.")

    def decode(self, tokens: Sequence[int], start: int, *, all_logits: bool = False) -> None:
        """Evaluate at most one batch of tokens in the first seat, the last one's logits wanted."""
        self.put(tokens, start, wanted=len(tokens) if all_logits else 1)
        self.evaluate()

    def truncate(self, length: int, seat: int = 0) -> None:
        """Forget a seat's tokens from `length` on."""
        native.llama_memory_seq_rm(self.memory, seat, length, -1)

    def state(self, seat: int = 0) -> bytes:
        """What a seat has read, as bytes."""
        size = native.llama_state_seq_get_size(self.context, seat)
        buffer = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self.context, buffer, size, seat)
        return bytes(memoryview(buffer)[:written])

    def restore(self, state: bytes, seat: int = 0) -> bool:
        """Put back what was read; the seat must be empty. Whether that could be done."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(native.llama_state_seq_set_data(self.context, buffer, len(state), seat))

    def logits(self, row: int) -> "ctypes.Array[ctypes.c_float]":
        """The logits of one row of the last batch, one a token of the vocabulary."""
        return native.llama_get_logits_ith(self.context, row)  # type: ignore[no-any-return]

    def favour(self, tokens: Collection[int], bonus: float, row: int = -1) -> None:
        """Add to the logits of tokens in a row before one of them is chosen."""
        if not tokens:  # nearly always, and this is asked for every token
            return
        logits = self.logits(row)
        for token in tokens:
            logits[token] += bonus

    def load_adapter(self, name: str, path: str) -> None:
        """Load a LoRA adapter file under a name."""
        handle = native.llama_adapter_lora_init(self.model, path.encode())
        if not handle:
            raise AdapterRefused(f"The adapter {Path(path).name} does not fit this model; train it anew on this base.")
        self.unload_adapter(name)
        self._adapters[name] = handle

    def unload_adapter(self, name: str) -> None:
        """Detach and free an adapter."""
        if name in self._adapters:
            if self._attached == name:
                self.attach("")
            native.llama_adapter_lora_free(self._adapters.pop(name))

    def attach(self, name: str) -> None:
        """Make an adapter the one in force; "" for none."""
        if name == self._attached:
            return
        if name and name not in self._adapters:
            raise AdapterRefused(f"The adapter {name} is not loaded; load it before speaking with it.")
        count = 1 if name else 0
        handles = (native.llama_adapter_lora_p_ctypes * 1)(*([self._adapters[name]] if name else []))
        scales = (ctypes.c_float * 1)(1.0)
        native.llama_set_adapters_lora(self.context, handles, count, scales)
        self._attached = name


class Sampler:
    """llama.cpp's sampler chain for one reply."""

    def __init__(self, model: Model, sampling: Sampling, seed: int) -> None:
        self.chain = native.llama_sampler_chain_init(native.llama_sampler_chain_default_params())
        links = []
        if sampling.repetition_penalty != 1.0:
            links.append(
                native.llama_sampler_init_penalties(
                    model.vocabulary, 128, sampling.repetition_penalty, 0.0, 0.0
                )
            )
        if sampling.temperature <= 0:
            links.append(native.llama_sampler_init_greedy())
        else:
            if sampling.top_k:
                links.append(native.llama_sampler_init_top_k(sampling.top_k))
            links += [
                native.llama_sampler_init_top_p(sampling.top_p, 1),
                native.llama_sampler_init_min_p(sampling.min_p, 1),
                native.llama_sampler_init_temp(sampling.temperature),
                native.llama_sampler_init_dist(seed & 0xFFFFFFFF),
            ]
        for link in links:
            native.llama_sampler_chain_add(self.chain, link)

    def sample(self, model: Model, row: int = -1) -> int:
        """Choose the next token from a row of logits, -1 for the last."""
        return int(native.llama_sampler_sample(self.chain, model.context, row))

    def close(self) -> None:
        """Free the chain."""
        native.llama_sampler_free(self.chain)
