"""What the processor can do that decides how one trains on it. Imports torch."""

import torch


def multiplies_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; elsewhere torch emulates it, ten times slower."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)
