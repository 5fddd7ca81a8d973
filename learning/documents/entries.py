"""What a chunk says in so many words: recipes, prices, and sentences on a subject.

Read by rules from headings, lists, tables and `Needs:` lines; what fits none of them is prose. Entries
become lore, and what answers are checked against.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from learning.documents.reading import Chunk

Form = Literal["recipe", "price", "prose"]
_MOST_WORDS = 45  # of one fact of prose
_NEEDS = r"needs?|ingredients?|materials?|requires?|components?|you need|take"
_STEPS = r"steps?|method|making|how to|instructions?|preparation"
_PRICES = r"price|cost|sells? for|worth"
_FIELD = re.compile(
    rf"^\W*\**(?P<name>{_NEEDS}|{_STEPS}|{_PRICES}|makes|yields?)\**\s*[:–-]\s*\**\s*(?P<text>.*)$", re.IGNORECASE
)
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_COINS = re.compile(r"\b\d[\d,]*\s*(?:pieces? of )?(?:copper|silver|gold|platinum|[csgp]p)\b", re.IGNORECASE)
_AMOUNT = r"(?:\d[\d./]*|half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a|an)"
_PRICED = re.compile(
    rf"^(?P<name>[^:|]{{2,60}}?)\s*[:–-]\s*(?P<price>{_COINS.pattern})\.?\s*(?P<about>.*)$", re.IGNORECASE
)


@dataclass(frozen=True)
class Entry:
    """One thing a chunk says.

    Attributes:
        items: of a recipe, its ingredients as written.
        price: of a thing for sale.
        text: steps, or the sentences of prose.
    """

    form: Form
    subject: str
    text: str = ""
    items: tuple[str, ...] = ()
    price: str = ""

    @property
    def fact(self) -> str:
        """As a fact at hand, in the words sheets use."""
        if self.form == "recipe":
            return f"{self.subject} needs: {joined(self.items)}. {_sentence(self.text)}".strip()
        if self.form == "price":
            return f"{self.subject}: {self.price}. {_sentence(self.text)}".strip()
        return f"On {self.subject}: {_sentence(self.text)}"


def entries_of(chunk: Chunk) -> list[Entry]:
    """Everything a chunk says, in its order."""
    subject, found = _named(chunk.title), list(_tables(chunk.text))
    lines = [line for line in chunk.text.split("\n") if not line.lstrip().startswith("|")]
    fields, prose = _fields(lines)
    items = tuple(_split(fields.get("needs", "")))
    if items:
        found.append(Entry("recipe", subject, plain(fields.get("steps", "")), items))
    if price := _COINS.search(fields.get("price", "")):
        found.append(Entry("price", subject, "", (), price.group()))
    rest: list[str] = []
    for line in prose:
        bullet = _BULLET.match(line)
        priced = _PRICED.match(plain(bullet[1])) if bullet else None
        if priced:
            found.append(Entry("price", _named(priced["name"]), plain(priced["about"]), (), priced["price"]))
        else:
            rest.append(plain(bullet[1] if bullet else line))
    if not items:
        found += [Entry("prose", subject, text) for text in _facts(" ".join(rest))]
    return found


def plain(text: str) -> str:
    """Text without Markdown's marks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text).split())


def joined(items: tuple[str, ...]) -> str:
    """Items as they are listed in a sentence: commas, and "and" before the last."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def _fields(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Named fields, a list below a name included, and the lines that are left."""
    fields: dict[str, str] = {}
    rest: list[str] = []
    name = ""
    for line in lines:
        found, bullet = _FIELD.match(line), _BULLET.match(line)
        if found and (name := _role(found["name"])):
            fields[name] = _more(fields.get(name, ""), found["text"], ", " if name == "needs" else " ")
        elif name and bullet:
            fields[name] = _more(fields.get(name, ""), bullet[1], ", " if name == "needs" else " ")
        elif name == "steps" and line.strip():
            fields[name] = _more(fields[name], line.strip(), " ")
        else:
            name = "" if not line.strip() and fields.get(name) else name
            if line.strip():
                name = ""
                rest.append(line)
    return fields, rest


def _role(name: str) -> str:
    for role, pattern in (("needs", _NEEDS), ("steps", _STEPS), ("price", _PRICES), ("makes", r"makes|yields?")):
        if re.fullmatch(pattern, name.strip(), re.IGNORECASE):
            return role
    return ""


def _more(text: str, more: str, between: str) -> str:
    return f"{text}{between}{more}".strip(" ,") if text else more.strip()


def _tables(text: str) -> Iterator[Entry]:
    """Rows of Markdown tables, by the names of their columns."""
    lines = [line.strip().strip("|") for line in text.split("\n") if line.lstrip().startswith("|")]
    rows = [[plain(cell) for cell in line.split("|")] for line in lines]
    if len(rows) < 2:
        return
    head, *body = rows
    roles = [_role(name.rstrip(":")) for name in head]
    for row in body:
        if len(row) != len(head) or all(re.fullmatch(r":?-+:?", cell) for cell in row):
            continue
        told = dict(zip(roles, row, strict=True))
        items, name = tuple(_split(told.get("needs", ""))), _named(row[0])
        if items:
            yield Entry("recipe", name, told.get("steps", ""), items)
        if price := _COINS.search(" ".join(row[1:])):
            yield Entry("price", name, "", (), price.group())
        if not items and not price and any(row[1:]):
            cells = [f"{key}: {cell}" for key, cell in zip(head[1:], row[1:], strict=True) if cell]
            yield Entry("prose", name, "; ".join(cells))


def _split(text: str) -> list[str]:
    text = plain(text).rstrip(".")
    parts = re.split(rf"[,;]\s*(?:and\s+)?|\s+and\s+(?={_AMOUNT}\b)", text)
    return [part.strip() for part in parts if any(ch.isalpha() for ch in part)]


def _facts(text: str) -> Iterator[str]:
    """Prose in pieces of a few sentences."""
    piece: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
        if piece and sum(len(one.split()) for one in piece) + len(sentence.split()) > _MOST_WORDS:
            yield " ".join(piece)
            piece = []
        if any(ch.isalnum() for ch in sentence):
            piece.append(sentence)
    if piece:
        yield " ".join(piece)


def _named(title: str) -> str:
    """A heading as people would say it in a sentence."""
    counted = r"^\s*(?:(?:recipe|chapter|section|no\.?)\b[\s.:)\d-]*|\d+[\s.:)-]+)"
    name = re.sub(counted, "", plain(title), flags=re.IGNORECASE).strip() or plain(title)
    first, _, rest = name.partition(" ")
    return f"{first.lower()} {rest}".strip() if first[1:].islower() and not rest[:1].isupper() else name


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?\"'" else text + "."
