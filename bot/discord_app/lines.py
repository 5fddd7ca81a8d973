"""How a line looks on Discord: cut at sentences into messages, the question quoted above, nothing pinging."""

import re

MOST = 2000
_ROOM = 1900  # leaves room for a bold name
_QUOTE = 160
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’»)*_]*\s+|\n+")


def split(text: str, most: int = _ROOM) -> list[str]:
    """Cut a text into messages: at sentences, else at words, else anywhere."""
    parts: list[str] = []
    text = text.strip()
    while len(text) > most:
        cuts = [found.end() for found in _SENTENCE.finditer(text) if found.end() <= most]
        cut = cuts[-1] if cuts else text.rfind(" ", 0, most) + 1
        cut = cut or most
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text] if text or not parts else parts


def first_sentence(text: str) -> bool:
    """Whether a text holds a whole sentence already."""
    return _SENTENCE.search(text) is not None or text.rstrip().endswith((".", "!", "?", "…"))


def quoted(name: str, text: str) -> str:
    """What was asked, as the line above an answer."""
    short = " ".join(text.split())
    short = short if len(short) <= _QUOTE else short[: _QUOTE - 1] + "…"
    return f"> **{plain(name)}** {plain(short)}\n"


def plain(text: str) -> str:
    """A person's text without markup that could break out of a quotation."""
    return re.sub(r"([*_`~|\\])", r"\\\1", text)
