"""Vectors of texts: a small context of their own beside the one that speaks, in the same worker process.

A vector stands for what a text is about; texts on like things have vectors that point the same way.
They are made by the model that speaks, or by a second GGUF that was trained for nothing else and is
better at it. Neither context sees anything of the other.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from characters.inference.errors import ModelCorrupt
from characters.inference.llama_native import Model, native
from characters.inference.llama_options import LoadOptions

_LONGEST = 256  # tokens; what is longer is read up to there
_DIGITS = 6
_BY_THE_TOKEN = (native.LLAMA_POOLING_TYPE_NONE, native.LLAMA_POOLING_TYPE_RANK)  # no vector of the whole text


class Embedding:
    """Makes vectors; a model and its context are made when they are first asked for.

    Args:
        speaking: the model that speaks; its weights are shared.
    """

    def __init__(self, speaking: Model, options: LoadOptions) -> None:
        self._speaking, self._options = speaking, options
        self._readers: dict[str, _Reader] = {}

    def of(self, texts: Sequence[str], path: str = "") -> list[list[float]]:
        """One vector a text, of length 1.

        Args:
            path: a GGUF that makes them; "" for the model that speaks.

        Raises:
            ModelCorrupt: the file makes none.
        """
        if path not in self._readers:
            self._readers[path] = _Reader(self._load(path) if path else self._speaking.model, self._options)
        return [self._readers[path].read(text) for text in texts]

    def _load(self, path: str) -> ctypes.c_void_p:
        params = native.llama_model_default_params()
        params.n_gpu_layers = 0
        params.use_extra_bufts = self._options.extra_buffers
        model = native.llama_model_load_from_file(path.encode(), params)
        if not model:
            raise ModelCorrupt(f"{Path(path).name} is not a model llama.cpp can load; check memory.embedding_model.")
        loaded: ctypes.c_void_p = model
        return loaded


class _Reader:
    """One text at a time through one model, to one vector."""

    def __init__(self, model: ctypes.c_void_p, options: LoadOptions) -> None:
        self._model, self._options = model, options
        self._vocab = native.llama_model_get_vocab(model)
        trained = native.llama_model_n_ctx_train(model)
        self._most = min(_LONGEST, trained) if trained > 0 else _LONGEST
        self._context = self._make(native.LLAMA_POOLING_TYPE_UNSPECIFIED)
        if native.llama_pooling_type(self._context) in _BY_THE_TOKEN:  # a model that was not made for this
            native.llama_free(self._context)
            self._context = self._make(native.LLAMA_POOLING_TYPE_MEAN)
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self._most, 0, 1)

    def _make(self, pooling: int) -> Any:
        params = native.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self._most
        params.n_seq_max = 1
        params.embeddings = True
        params.pooling_type = pooling
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.n_threads = params.n_threads_batch = self._options.threads
        context = native.llama_init_from_model(self._model, params)
        if not context:
            raise ModelCorrupt("The model makes no vectors of texts; name another one in memory.embedding_model.")
        return context

    def read(self, text: str) -> list[float]:
        """The vector of a text."""
        tokens = self._tokenize(text)
        if self._memory:
            native.llama_memory_clear(self._memory, True)
        batch = self._batch
        batch.n_tokens = len(tokens)
        for at, token in enumerate(tokens):
            batch.token[at], batch.pos[at], batch.logits[at] = token, at, True
            batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
        found = None if native.llama_decode(self._context, batch) else native.llama_get_embeddings_seq(self._context, 0)
        if not found:
            raise ModelCorrupt("The model makes no vectors of texts; name another one in memory.embedding_model.")
        vector = np.ctypeslib.as_array(found, shape=(native.llama_model_n_embd(self._model),)).astype(np.float64)
        length = float(np.linalg.norm(vector))
        return [round(float(value), _DIGITS) for value in vector / (length or 1.0)]

    def _tokenize(self, text: str) -> list[int]:
        """Token ids with what the model wants around a text; what people write is never a control token."""
        raw = text.encode() or b" "
        capacity = len(raw) + 8
        ids = (native.llama_token * capacity)()
        size = native.llama_tokenize(self._vocab, raw, len(raw), ids, capacity, True, False)
        return list(ids[: max(0, min(size, self._most))]) or [0]
