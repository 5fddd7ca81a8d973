"""Whether a text may be trained on: one pure function, asked whenever a dataset is built.

Discord's Developer Policy forbids training on message content obtained through its API without
express permission; so ordinary channel text answers, and never teaches. Consent is judged as it
stands now, so that opting out withdraws earlier rows from the next build.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Source = Literal["npc", "gm", "teacher", "offline_teacher", "local", "interaction", "imported", "channel", "api"]
Consent = Literal["given", "refused", "unasked"]
QUOTATION = 8  # words in a row that make a text derived from another
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # Thai to Chinese
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’][^\W{_UNSPACED}]+)*")


@dataclass(frozen=True)
class Policy:
    """The operator's settings that bear on training."""

    channel_text: Literal["never", "express_permission"] = "never"


@dataclass(frozen=True)
class Verdict:
    """May it be trained on, and why or why not."""

    trainable: bool
    reason: str


@functools.lru_cache(maxsize=256)  # a harvest asks for every turn of years
def verdict(source: str, consent: str, policy: Policy, *, accepted: bool = False) -> Verdict:
    """Judge one text.

    Args:
        source: where it came from (`Source`).
        consent: the author's consent as it stands now (`Consent`).
        accepted: for NPC lines, whether a human accepted or edited them.

    Raises:
        ValueError: an unknown source; a text of unknown origin is nobody's to train on.
    """
    if source in {"gm", "teacher", "offline_teacher"}:
        return Verdict(True, f"written by {source.replace('_', ' ')}")
    if source == "imported":
        return Verdict(True, "imported by the operator, licence recorded")
    if source == "npc":
        return Verdict(accepted, "accepted by a human" if accepted else "no human accepted this line")
    if consent == "refused":
        return Verdict(False, "its author opted out")
    if source == "local":
        return Verdict(True, "typed at the own machine")
    if source in {"interaction", "api"}:
        given, whose = consent == "given", "its author" if source == "interaction" else "its API key"
        return Verdict(given, f"{whose} opted in" if given else f"{whose} has not opted in")
    if source == "channel":
        allowed = policy.channel_text == "express_permission" and consent == "given"
        return Verdict(allowed, "express permission and opt-in" if allowed else "channel text is not trained on")
    raise ValueError(f"unknown source {source!r}")


def words(text: str) -> list[str]:
    """The words of a text as they are compared: folded, without punctuation.

    A script that puts no spaces between words counts by its letters.
    """
    return [word.replace("’", "'") for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())]


def runs(said: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """Every run of so many words in a row."""
    return {tuple(said[start : start + length]) for start in range(len(said) - length + 1)}


def shares_words(text: str, other: str) -> bool:
    """Whether two texts share eight words in a row; then either is derived from the other."""
    return not runs(words(text), QUOTATION).isdisjoint(runs(words(other), QUOTATION))
