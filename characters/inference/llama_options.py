"""How a local model is loaded; plain values, so that the client need not import llama.cpp."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadOptions:
    """Load options of the worker.

    Attributes:
        context: tokens a prompt and its reply may take; never more than the model was trained on.
        cells: the KV budget in tokens over all conversations together.
        threads: compute threads.
        extra_buffers: llama.cpp's repacked weights; off where the native build crashes with them.
    """

    context: int = 2048
    cells: int = 6144
    threads: int = 2
    extra_buffers: bool = True
