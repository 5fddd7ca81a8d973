"""Validation perplexity over the nights: one number a night and NPC, and an alarm when it drifts up.

Each night validates on other rows, so one night informs and does not decide; the gate decides.
"""

import math
import statistics
from collections.abc import Sequence

_ALARM = 1.25  # times the median of the nights before
_NIGHTS = 5
_FEWEST = 3


def alarm(perplexities: Sequence[float | None]) -> str:
    """A sentence where tonight's perplexity is far above that of the nights before, else "".

    Args:
        perplexities: validation perplexity of one NPC's adapters, oldest first, tonight's last; None
            and infinity stand for nights that had none.
    """
    if not perplexities or (tonight := perplexities[-1]) is None:
        return ""
    before = [value for value in perplexities[:-1] if value is not None and math.isfinite(value)][-_NIGHTS:]
    if len(before) < _FEWEST:
        return ""
    usual = statistics.median(before)
    if tonight <= usual * _ALARM:
        return ""
    return (f"Validation perplexity is {tonight:.3g}, {tonight / usual:.1f} times that of the last {len(before)} "
            f"nights ({usual:.3g}): look at what was learnt tonight before promoting it.")  # fmt: skip
