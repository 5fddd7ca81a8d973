"""What one person said, and whether a text repeats it: how forgetting finds words that travelled.

Words travel into NPCs' lines, reports, logs and caches, where no key says whose they are; there
they are known by themselves. Eight words in a row are a quotation (`db.provenance`); a saying
shorter than that is one when it stands there whole.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from db.provenance import QUOTATION, runs, words

_SHORTEST = 4  # words; what is shorter is everybody's
_ALONE = 2
# Datasets and reports hold texts without addresses, links and numbers; what stands between them is found by itself.
_IDENTIFIER = re.compile(r"\S*(?:[@<>]|://|www\.)\S*|\+?\d[\d ()-]{7,}\d")
_INSIDE = re.compile(r"“([^”]+)”")
_MARKS = " \t-*+>•|"
_INDENT = re.compile(r"[ \t]*")

Touches = Callable[[str], bool]


class Sayings:
    """The sayings of one person, ready to be looked for.

    Args:
        texts: what the person said and wrote, one saying each.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole: set[tuple[str, ...]] = set()
        self._long: set[tuple[str, ...]] = set()
        self._short: dict[int, set[tuple[str, ...]]] = {}
        for text in texts:
            self._whole.add(tuple(words(text)))
            for piece in {text, *_IDENTIFIER.split(text)}:
                self._add(tuple(words(piece)))

    def _add(self, said: tuple[str, ...]) -> None:
        if len(said) >= QUOTATION:
            self._long |= runs(said, QUOTATION)
        elif len(said) >= _SHORTEST:
            self._short.setdefault(len(said), set()).add(said)

    def quoted_in(self, text: str, *, short: bool = True) -> bool:
        """Whether a text repeats eight words in a row of a saying.

        Args:
            short: also whether it holds the whole of a saying of four to seven words; where many
                people talk of the same things, that finds too much.
        """
        said = tuple(words(text))
        if not self._long.isdisjoint(runs(said, QUOTATION)):
            return True
        return short and any(not whole.isdisjoint(runs(said, length)) for length, whole in self._short.items())

    def is_one(self, text: str, *, least: int = 1) -> bool:
        """Whether a text is a saying, from its first word to its last, and has so many words at least."""
        said = tuple(words(text))
        return len(said) >= least and said in self._whole

    def touch(self, line: str) -> bool:
        """Whether a line of a derived text repeats a saying, be it a short one between quotation marks."""
        if self.quoted_in(line) or self.is_one(line.strip(_MARKS), least=_ALONE):
            return True
        return any(self.is_one(inside, least=_ALONE) for inside in _INSIDE.findall(line))


def without_lines(text: str, touches: Touches) -> str:
    """A text without the lines that are touched, and without what hangs below them, further in."""
    kept: list[str] = []
    below: int | None = None
    for line in text.splitlines(keepends=True):
        indent = len(_INDENT.match(line)[0].expandtabs())  # type: ignore[index]  # it matches anything
        if below is not None and line.strip() and indent > below:
            continue
        below = indent if touches(line) else None
        if below is None:
            kept.append(line)
    return "".join(kept)


def without_values(value: Any, touches: Touches) -> Any:
    """A JSON value without what is touched: a record goes as a whole, a longer text loses lines.

    Returns:
        None where nothing is left.
    """
    if isinstance(value, str):
        left = without_lines(value, touches)
        return left if left.strip() or not value.strip() else None
    if isinstance(value, dict):
        cleaned = {key: without_values(item, touches) for key, item in value.items() if not touches(str(key))}
        return {key: item for key, item in cleaned.items() if item is not None or value[key] is None}
    if isinstance(value, list):
        return [
            left for item in value if not _lost(item, touches)
            for left in [without_values(item, touches)] if left is not None or item is None
        ]  # fmt: skip
    return value


def _lost(item: Any, touches: Touches) -> bool:
    """Whether an item of a list is one record (a sample, a row) with a touched text of one line in it."""
    parts = item.values() if isinstance(item, dict) else item if isinstance(item, list) else [item]
    return any(isinstance(part, str) and "\n" not in part.strip() and touches(part) for part in parts)
