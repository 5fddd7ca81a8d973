"""Reads documents: Markdown, plain text, HTML, or a folder of such notes; and cuts them into chunks.

A chunk is what stands under one heading, cut at paragraphs where it is long. It knows its file and its
headings, so that an answer can name where it comes from.
"""

import hashlib
import html.parser
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learning.errors import LearningError

LONGEST = 220  # words of a chunk
_SUFFIXES = {
    ".md": "markdown", ".markdown": "markdown", ".txt": "text", ".text": "text", ".html": "html", ".htm": "html",
}  # fmt: skip
_LARGEST = 20_000_000  # bytes
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_BLOCKS = frozenset("p div li tr table ul ol section article header footer blockquote pre br dd dt".split())
_SKIPPED = frozenset({"script", "style", "nav", "head"})


class DocumentUnreadable(LearningError):
    """A document that cannot be read."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a document.

    Attributes:
        title: its nearest heading; the document's title where there is none.
        path: all its headings, outermost first.
        number: its place in the whole reading.
    """

    file: str
    title: str
    path: tuple[str, ...]
    text: str
    number: int

    @property
    def id(self) -> str:
        """Names the chunk by what it says."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode()).hexdigest()[:12]

    @property
    def where(self) -> str:
        """For people: file and headings."""
        return " › ".join((self.file, *self.path))


def read_documents(paths: Sequence[Path]) -> list[Chunk]:
    """Read files and folders, in order.

    Raises:
        DocumentUnreadable: one sentence naming the file.
    """
    chunks: list[Chunk] = []
    for path in paths:
        for file in _files(path):
            form, text = _SUFFIXES[file.suffix.lower()], _text(file)
            title = file.stem.replace("_", " ").replace("-", " ")
            sections = _sections(_from_html(text) if form == "html" else text, title, plain=form == "text")
            for headings, body in sections:
                for piece in _pieces(body):
                    chunks.append(Chunk(file.name, headings[-1], headings, piece, len(chunks)))
    if not chunks:
        raise DocumentUnreadable(f"Nothing to read in {', '.join(map(str, paths))}; give Markdown, text or HTML.")
    return chunks


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
        return [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not path.is_file():
        raise DocumentUnreadable(f"There is no file {path}; check the path.")
    if path.suffix.lower() not in _SUFFIXES:
        raise DocumentUnreadable(f"{path} is neither Markdown, text nor HTML; save it as one of these.")
    return [path]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise DocumentUnreadable(f"{file} is larger than {_LARGEST // 1_000_000} MB; cut it into several files.")
        return file.read_text("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(f"{file} is not UTF-8 text; save it as UTF-8.") from error
    except OSError as error:
        raise DocumentUnreadable(f"{file} cannot be read ({error.strerror}); check its permissions.") from error


def _sections(text: str, title: str, *, plain: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """What stands under each heading; in plain text a short line alone above a paragraph is one."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    lines = text.split("\n")
    fenced = False
    for at, line in enumerate(lines):
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.match(line)
        level, name = (len(found[1]), found[2]) if found else (0, "")
        if plain and not found and _looks_like_heading(lines, at):
            level, name = 1, line.strip().rstrip(":")
        if level and name:
            yield _under(path, title), "\n".join(body)
            body = []
            path = [(above, told) for above, told in path if above < level] + [(level, name)]
        else:
            body.append(line)
    yield _under(path, title), "\n".join(body)


def _under(path: list[tuple[int, str]], title: str) -> tuple[str, ...]:
    return tuple(re.sub(r"[*_`]", "", name) for _, name in path) or (title,)


def _looks_like_heading(lines: Sequence[str], at: int) -> bool:
    line = lines[at].strip()
    alone = (at == 0 or not lines[at - 1].strip()) and at + 1 < len(lines)
    if not alone or not 0 < len(line.split()) <= 8:
        return False
    return line.isupper() or (line[-1].isalnum() and bool(lines[at + 1].strip()))


def _pieces(body: str) -> Iterator[str]:
    """A section in pieces of at most so many words, cut between paragraphs."""
    piece: list[str] = []
    for paragraph in re.split(r"\n\s*\n", body):
        if not paragraph.strip():
            continue
        words = sum(len(one.split()) for one in piece)
        if piece and words + len(paragraph.split()) > LONGEST:
            yield "\n\n".join(piece)
            piece = []
        piece.append(paragraph.strip("\n"))
    if any(ch.isalnum() for ch in "".join(piece)):
        yield "\n\n".join(piece)


class _Html(html.parser.HTMLParser):
    """HTML to Markdown, as far as headings, lists and tables go."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._skip = 0
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _SKIPPED:
            self._skip += 1
        if re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag == "tr":
            self.out.append("\n|")
            self._cells = 0
        elif tag in _BLOCKS:
            self.out.append("\n- " if tag == "li" else "\n\n" if tag in {"p", "table", "div"} else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
        if re.fullmatch(r"h[1-6]", tag):
            self.out.append("\n\n")
        elif tag in {"td", "th"}:
            self.out.append(" |")
            self._cells += 1
        elif tag in {"p", "table", "div"}:
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.out.append(re.sub(r"\s+", " ", data))


def _from_html(text: str) -> str:
    parser = _Html()
    parser.feed(text)
    parser.close()
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.out).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
