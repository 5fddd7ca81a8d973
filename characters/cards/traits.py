"""What a card says of its character, taken apart: labelled traits and single sentences.

Authors write descriptions as prose, as ``likes: fish, birds``, as ``Likes("fish" + "birds")`` or as
``persona: witty, likes(fish, birds); clothes: …`` between square brackets. All of these end up as
(label, values) or as plain sentences here.
"""

import re
from dataclasses import dataclass, field

from characters.cards.speech import sentences
from characters.loose import plain

_MOST_PIECES = 600
_LABEL = re.compile(r"\W{0,4}([^\W\d][\w '’/&-]{0,38}?)\W?\s*[:=]\s*(\S.*)", re.DOTALL)
_CALL = re.compile(r"\W{0,4}([^\W\d][\w '’/&-]{0,38})\((.*)\)\W{0,3}", re.DOTALL)
_OPENED = re.compile(r"([^\W\d][\w ]{0,20})\(([^()]+)")
_PLUS = re.compile(r"[\"”]\s*\+\s*[\"“]")
_CALLS = re.compile(r"([^\W\d][\w '’/-]{0,38})\(\s*([\"“][^()]{0,2000}[\"”])\s*\)")


@dataclass
class Traits:
    """What was found: values by label in lower case, and sentences, both in their order."""

    labelled: list[tuple[str, list[str]]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def take(self, *labels: str) -> list[str]:
        """Take the values out whose label has one of these words (`eyes` finds `blue eyes`)."""
        wanted, values, rest = set(labels), list[str](), []
        for label, found in self.labelled:
            if wanted & set(re.findall(r"\w+", label)):
                values += found
            else:
                rest.append((label, found))
        self.labelled = rest
        return list(dict.fromkeys(values))


def traits_of(text: str, called: str) -> Traits:
    """Take a description apart.

    Args:
        called: the character's name as the text has it; labels lose it ("Mira's clothes").
    """
    found = Traits()
    for block in _blocks(text):
        for piece in _pieces(block):
            _piece(piece.strip(), called, found)
            if len(found.labelled) + len(found.sentences) > _MOST_PIECES:
                return found
    return found


def _blocks(text: str) -> list[str]:
    """Lines, and what stands in square brackets as one block however many lines it has."""
    blocks, depth, current = list[str](), 0, ""
    for line in text.split("\n"):
        opened = line.lstrip().startswith("[")
        if opened or depth:
            current += " " + line
            depth = 1
            if line.rstrip().endswith("]"):
                blocks.append(current.strip(" []"))
                depth, current = 0, ""
        elif line.strip():
            blocks.append(line.strip())
    return [*blocks, current.strip(" []")] if current.strip() else blocks


def _pieces(block: str) -> list[str]:
    """The parts of a block that semicolons divide, where they divide traits and not the clauses of a sentence."""
    parts = split_outside(block, ";")
    traits = sum(1 for part in parts if _LABEL.fullmatch(part.strip()) or _CALL.fullmatch(part.strip()))
    return parts if len(parts) > 2 and traits >= 2 else [block]


def _piece(piece: str, called: str, found: Traits) -> None:
    calls = _CALLS.findall(piece)
    if calls:  # Likes("fish" + "birds") Age("23")
        for label, values in calls:
            _add(found, label, [plain(v.strip('"“” ')) for v in _PLUS.split(values)], called)
        return
    labelled = _LABEL.fullmatch(piece)
    if labelled and _is_label(labelled[1], called) and not labelled[2].startswith("//"):
        label, values = labelled[1], labelled[2]
        if len(values.split()) > 8 * (1 + values.count(",")) or (len(values) > 200 and len(sentences(values)) > 1):
            found.sentences += sentences(values)
        else:
            _values(found, label, values, called)
        return
    called_with = _CALL.fullmatch(piece)
    if called_with and _is_label(called_with[1], called):
        _values(found, called_with[1], called_with[2], called)
        return
    found.sentences += sentences(piece)


def _values(found: Traits, label: str, text: str, called: str) -> None:
    values: list[str] = []
    looks = bool(LOOKS & set(re.findall(r"\w+", label.casefold())))
    for part in split_outside(text, ","):
        inner, opened = _CALL.fullmatch(part.strip()), _OPENED.fullmatch(part.strip())
        if inner and looks:
            values.append(f"{inner[2].replace(',', ' ')} {inner[1]}")
        elif inner and ("," in inner[2] or inner[1].casefold() in _OWN_LABELS) and len(inner[1].split()) <= 2:
            _add(found, inner[1], split_outside(inner[2], ","), called)
        elif opened and inner is None:  # a bracket that is never closed: what follows belongs to it
            _add(found, label, values, called)
            label, values = opened[1], [opened[2]]
        else:
            values.append(part.strip(" )"))
    _add(found, label, values, called)


LOOKS = frozenset(
    """appearance body looks hair eyes eye height build clothes clothing outfit attire skin face features chest
    boots jacket shorts gloves belt bodysuit""".split()
)
_OWN_LABELS = frozenset({"likes", "dislikes", "loves", "hates", "nicknames", "last name", "surname", "age", "species"})


def _add(found: Traits, label: str, values: list[str], called: str) -> None:
    name = re.sub(rf"^{re.escape(called.casefold())}(?:['’]s)?\s*|^(?:his|her|their|its|the)\s+", "", label.casefold())
    name = re.sub(r"\s+(?:is|are|include|includes)$", "", name)
    cleaned = [value for raw in values if (value := plain(raw).strip(' ."“”[]+'))]
    if cleaned:
        found.labelled.append((name.strip() or "self", cleaned))


def _is_label(label: str, called: str) -> bool:
    words = label.casefold().replace(called.casefold(), "x").split()
    return 0 < len(words) <= 4 and not {"is", "are", "was", "will", "has", "the", "and", "says"} & set(words[1:-1])


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a character that is not within brackets; a bracket without its partner counts as none."""
    within, opened = bytearray(len(text)), list[int]()
    spans: list[tuple[int, int]] = []
    for place, char in enumerate(text):
        if char in "([{":
            opened.append(place)
        elif char in ")]}" and opened:
            spans.append((opened.pop(), place))
    end = -1
    for first, last in sorted(spans):
        if first > end:
            within[first:last] = b"\1" * (last - first)
            end = last
    parts, begin = list[str](), 0
    for place, char in enumerate(text):
        if char == separator and not within[place]:
            parts.append(text[begin:place])
            begin = place + 1
    return [part for part in (*parts, text[begin:]) if part.strip()]
