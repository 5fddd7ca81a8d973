"""Which conversations train, which choose the best checkpoint, and which are held out to judge.

A conversation is assigned once and stays where it is for good: a line that was ever trained on
proves nothing later, and one that was held out last night is no news tonight. Conversations are
never divided, for neighbouring lines give each other away.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, cast

Split = Literal["train", "validation", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "validation", "held_out")

_BY_HASH_FROM = 30  # conversations; below, quotas replace the hash
_HELD_OUT_FROM = 6  # conversations; below, validation leaves one out and nothing is held out
_SHARE = 10  # percent, of validation and of held-out each


def assign(conversations: Iterable[str], known: Mapping[str, str]) -> dict[str, Split]:
    """Assign every conversation to a split, in order of their names.

    From thirty conversations on the hash of the name decides, 80/10/10. Below, the two small splits
    are filled up to a tenth of the conversations each, one at least, with those that come nearest to a
    tenth of the rows; below six there is one conversation for validation and none held out, and a single
    conversation trains. No small split stays empty for want of luck: where the hash gives one nothing,
    it gets the first in order.

    Args:
        conversations: the conversation of every row; the order does not matter.
        known: the splits of earlier builds, which stand; names that are not asked for do not count.

    Raises:
        ValueError: `known` names a split that does not exist.
    """
    sizes = Counter(conversations)
    names = sorted(sizes)
    wrong = sorted({known[name] for name in names if name in known} - set(SPLITS))
    if wrong:
        raise ValueError(f"there is no split called {wrong[0]!r}; splits are {', '.join(SPLITS)}")
    given: dict[str, Split] = {name: cast("Split", known[name]) for name in names if name in known}
    by_hash = len(names) >= _BY_HASH_FROM
    wanted = 1 if by_hash else max(1, round(len(names) * _SHARE / 100))
    near = sizes.total() * _SHARE / 100 / wanted
    fresh = [name for name in names if name not in given]
    fresh.sort(key=lambda name: (0.0 if by_hash else abs(sizes[name] - near), _hash(name)))
    given |= {name: _by_hash(name) if by_hash else "train" for name in fresh}
    room = _room(len(names), wanted, Counter(given.values()))
    for name in fresh:
        if room and given[name] == "train":
            given[name] = room.pop()
    if fresh and "train" not in given.values():
        given[fresh[-1]] = "train"
    return {name: given[name] for name in names}


def _room(count: int, wanted: int, filled: Mapping[Split, int]) -> list[Split]:
    """The places still free in the small splits, last first."""
    validation = wanted if count > 2 else 0  # of two evenings both are learnt from
    held_out = wanted if count >= _HELD_OUT_FROM else 0
    free: list[Split] = ["validation"] * max(0, validation - filled.get("validation", 0))
    free += ["held_out"] * max(0, held_out - filled.get("held_out", 0))
    return free


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _by_hash(name: str) -> Split:
    bucket = int(_hash(name), 16) % 100
    if bucket < 100 - 2 * _SHARE:
        return "train"
    return "validation" if bucket < 100 - _SHARE else "held_out"
