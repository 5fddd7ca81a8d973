"""What the processor can do that decides how one trains on it, and what memory costs there. Imports torch."""

import ctypes
import sys

import torch


def multiplies_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere torch emulates it, ten times slower."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # mallopt(3)
_KEPT = 1 << 30  # bytes at the top of the heap


def keep_memory() -> bool:
    """Let this process keep what it frees; returns whether its C library can be told so.

    Every step of a training makes and frees the same large tensors. glibc gives such pieces back to the kernel and
    asks for them again, and the kernel clears each page anew: on two cores up to half of a step.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(library.mallopt(_MMAP_MAX, 0)) and bool(library.mallopt(_TRIM_THRESHOLD, _KEPT))
