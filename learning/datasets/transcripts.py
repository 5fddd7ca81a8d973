"""Reads transcripts: `Name: text` a line, as people write them down and as chats are exported.

A turn may go on over several lines. Dialogues are separated by headings, rules (`---`), two blank
lines, or one blank line where the blocks between blank lines are conversations; where every turn
stands in a block of its own, one blank line separates turns.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from learning.datasets.turns import ImportRefused, RawDialogue, RawTurn

_SPOKEN = re.compile(
    r"^\s*(?:[\[(]?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[AaPp][Mm])?[\])]?\s*[-–]?\s*)?"  # a time of day
    r"(?:<(?P<irc>[^<>:\n]{1,40})>|[*_]{0,2}(?P<name>[^\W\d_][^:*<>\[\]()#\n]{0,39}?)"
    r"(?:\s*\([^()\n]{0,60}\))?[*_]{0,2}\s*:[*_]{0,2})\s+(?P<text>\S.*)$"
)
_PARTICLES = frozenset("of the a an and de du von van der la le al el bin ibn to".split())
_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s.*|(?:[-*=_~]\s*){3,}|=+\s[^=]+\s=+"
    r"|(?:chapter|scene|act|dialogue|book|session|part|episode)\s+[\dIVXLC]+\b.{0,80})\s*$",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"^\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")
_MOST_WORDS = 4
_LEAST_SPOKEN = 0.1  # of the lines with text; wrapped transcripts have some lines a turn, prose has a few colons


def is_spoken(line: str) -> bool:
    """Whether a line says who says it."""
    return _spoken(line) is not None


def split_spoken(text: str) -> list[RawTurn]:
    """The turns of a message in which every line is `Name: text`, as our own prompts write them; else none.

    Lines in square brackets are directions to the model and no speech.
    """
    lines = [line for line in text.splitlines() if line.strip() and not _ASIDE.match(line)]
    turns = [_spoken(line) for line in lines]
    found = [turn for turn in turns if turn is not None]
    return [RawTurn(turn.speaker, turn.text, "other") for turn in found] if len(found) == len(lines) else []


def read_transcript(text: str, file: str) -> tuple[RawDialogue, ...]:
    """Read all dialogues of a transcript.

    Raises:
        ImportRefused: too few of its lines say who says them.
    """
    lines = [_Line(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    written = [line for line in lines if line.text]
    spoken = [line for line in written if is_spoken(line.text)]
    if len(spoken) < max(2, _LEAST_SPOKEN * len(written)):
        first = next(line for line in written if not is_spoken(line.text)) if len(spoken) < len(written) else written[0]
        raise ImportRefused(
            f"{file}, line {first.number}: this is no dialogue; {len(spoken)} of {len(written)} lines say who speaks, "
            "write every turn as `Name: text`."
        )
    reader = _Reader(_blank_lines_separate(lines))
    for line in lines:
        reader.read(line)
    reader.end()
    return tuple(reader.found)


@dataclass(frozen=True)
class _Line:
    number: int
    text: str


@dataclass
class _Reader:
    """Goes through the lines; `blank` says whether one blank line ends a dialogue."""

    blank: bool
    found: list[RawDialogue] = field(default_factory=list)
    turns: list[RawTurn] = field(default_factory=list)
    start: int = 0
    blanks: int = 0

    def read(self, line: _Line) -> None:
        if not line.text:
            self.blanks += 1
            if self.blanks >= (1 if self.blank else 2):
                self.end()
            return
        self.blanks = 0
        if _HEADING.match(line.text):
            self.end()
            return
        turn = _spoken(line.text)
        if turn is not None:
            self.start = self.start or line.number
            self.turns.append(turn)
        elif self.turns and not _ASIDE.match(line.text):
            last = self.turns.pop()
            self.turns.append(RawTurn(last.speaker, f"{last.text}\n{line.text}"))

    def end(self) -> None:
        if self.turns:
            self.found.append(RawDialogue(f"line {self.start}", tuple(self.turns)))
        self.turns, self.start = [], 0


def _spoken(line: str) -> RawTurn | None:
    found = _SPOKEN.match(line)
    if found is None or _HEADING.match(line):
        return None
    name = (found.group("irc") or found.group("name")).strip(" *_")
    words = name.split()
    if not words or len(words) > _MOST_WORDS:
        return None
    if len(words) > 1 and any(word[0].islower() and word not in _PARTICLES for word in words):
        return None
    return RawTurn(name, found.group("text"))


def _blank_lines_separate(lines: Sequence[_Line]) -> bool:
    """Whether at least half of the blocks between blank lines are conversations of two turns or more."""
    sizes = [size for size in _block_sizes(lines) if size]
    return 2 * sum(size > 1 for size in sizes) >= len(sizes)


def _block_sizes(lines: Sequence[_Line]) -> Iterator[int]:
    size = 0
    for line in lines:
        if not line.text:
            yield size
            size = 0
        elif is_spoken(line.text):
            size += 1
    yield size
