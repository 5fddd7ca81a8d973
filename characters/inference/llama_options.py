"""How a local model is loaded; plain values, so that the client need not import llama.cpp."""

import os
from dataclasses import dataclass
from pathlib import Path

_ALONE_BELOW = 64 << 20  # bytes of model file
_AT_MOST = 8  # decoding waits for memory, and more threads wait with it


@dataclass(frozen=True)
class LoadOptions:
    """Load options of the worker.

    Attributes:
        context: tokens a prompt and its reply may take; never more than the model was trained on.
        cells: the KV budget in tokens over all conversations together.
        threads: compute threads; 0 for as many as suit the model.
        copy_bonus: what a word that goes on with a fact at hand gains (nats; characters.inference.copying); None for as
            much as suits the model: nothing for large ones.
        extra_buffers: llama.cpp's repacked weights; off where the native build crashes with them.
        streams: lines spoken at the same time; each has room for a whole context in memory.
    """

    context: int = 2048
    cells: int = 6144
    threads: int = 0
    copy_bonus: float | None = None
    extra_buffers: bool = True
    streams: int = 1

    def threads_for(self, model: Path) -> int:
        """How many threads compute with this model file.

        llama.cpp's threads meet after every layer, spinning. A small model gains next to nothing from a second
        one, and loses nearly everything where another program holds that core.
        """
        small = model.stat().st_size < _ALONE_BELOW
        return self.threads or (1 if small else min(_AT_MOST, os.cpu_count() or 1))
