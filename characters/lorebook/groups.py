"""Inclusion groups: of the entries of a group that are called at once, one is heard.

A group that is already heard lets nobody in. Else: what is sticky goes before what is not; where
scoring is on, only those with the most keys said stay; an entry with priority wins by order; the rest
is drawn by weight. Rules: SillyTavern's documentation, "Inclusion Group".
"""

import random
from collections.abc import Collection, Sequence

from characters.lorebook.entry import Entry

Rival = tuple[str, Entry, int]  # name, entry, points of its match


def losers(
    rivals: Sequence[Rival], sticky: Collection[str], taken: Collection[str], rng: random.Random, scoring: bool
) -> dict[str, str]:  # fmt: skip
    """Who stays out, by name, and why."""
    out: dict[str, str] = {}
    for group in dict.fromkeys(name for _, entry, _ in rivals for name in entry.groups):
        here = [rival for rival in rivals if group in rival[1].groups and rival[0] not in out]
        if group in taken:
            out |= {name: f"its group {group!r} was heard already" for name, _, _ in here}
        elif len(here) > 1:
            winner = _winner(here, sticky, rng, scoring)
            out |= {name: f"of its group {group!r}, {winner[1].title!r} was chosen"
                    for name, _, _ in here if name != winner[0]}  # fmt: skip
    return out


def _winner(here: list[Rival], sticky: Collection[str], rng: random.Random, scoring: bool) -> Rival:
    here = [rival for rival in here if rival[0] in sticky] or here
    best = max(points for _, _, points in here)
    here = [
        rival for rival in here
        if not (scoring if rival[1].group_scoring is None else rival[1].group_scoring) or rival[2] == best
    ] or here  # fmt: skip
    first = [rival for rival in here if rival[1].group_override]
    if first:
        return max(first, key=lambda rival: rival[1].order)
    weights = [rival[1].group_weight for rival in here]
    return rng.choices(here, weights)[0] if sum(weights) > 0 else here[0]
