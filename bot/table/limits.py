"""Lines and veils: what is not at this table, and what is not shown. They go into the prompt, and each line is checked.

The check is a plain one: every word of a line or veil, by its stem, within one sentence. It errs on
the side of silence, and says nothing about who asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from characters.words import terms

_SENTENCE = re.compile(r"[^.!?…\n]+")


@dataclass(frozen=True)
class Limits:
    """What a table agreed on.

    Attributes:
        lines: never, in no way.
        veils: it may happen, and is not described.
    """

    lines: tuple[str, ...] = ()
    veils: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines or self.veils)

    def boundaries(self) -> tuple[str, ...]:
        """As a sheet's boundaries, for the prompt."""
        return (*(f"speak of {line}" for line in self.lines), *(f"describe {veil}" for veil in self.veils))

    def crossed_by(self, text: str) -> str | None:
        """The first limit a text crosses."""
        return next((limit for limit in (*self.lines, *self.veils) if _within(limit, _SENTENCE.findall(text))), None)


def _within(limit: str, sentences: Iterable[str]) -> bool:
    wanted = set(terms(limit))
    return bool(wanted) and any(wanted <= set(terms(sentence)) for sentence in sentences)
