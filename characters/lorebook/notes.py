"""A folder of Markdown notes, such as an Obsidian vault, as one lorebook.

Every note, and every heading in it, becomes entries that its title, aliases or heading call. What only
the game master may read stays out: ``%% comments %%``, notes with ``lore: false`` in their front matter,
hidden folders. `known_by` in the front matter gives a note owners. Links are never followed, neither out
of the folder nor to the network.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from characters.errors import CardError
from characters.loose import dict_of, flag_of, plain, text_of, texts_of, whole_of
from characters.lorebook.reading import SPACE

_MOST_NOTES = 2000
_MAX_NOTE = 256 * 1024
_MAX_ALL = 8 * 1024 * 1024
_PART = 600  # characters of an entry: what a small model can use at once
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$")
_SKIPPED = frozenset({"templates", "template", "attachments", "assets"})
# Headings that say nothing without their note's title.
_GENERAL = frozenset(
    """history description overview background appearance summary introduction notes details info information location
    geography people npcs rumours rumors hooks quests goals personality relationships relations secrets inhabitants
    government economy culture religion events timeline misc other about general""".split()
)
_CLEANED = (
    (re.compile(r"%%.*?(?:%%|\Z)|<!--.*?(?:-->|\Z)|```.*?(?:```|\Z)", re.DOTALL), " "),
    (re.compile(r"!\[\[[^\]\n]*\]\]|!\[[^\]\n]*\]\([^)\n]*\)"), " "),
    (re.compile(r"\[\[(?:[^\]|\n]*\|)([^\]\n]*)\]\]"), r"\1"),
    (re.compile(r"\[\[([^\]#^\n]*)[^\]\n]*\]\]"), r"\1"),
    (re.compile(r"\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"\[![\w-]+\][+-]?|(?<!\S)\^[\w-]+[ \t]*$|(?<!\S)#[A-Za-z][\w/-]*", re.MULTILINE), " "),
    (re.compile(r"^[ \t]*(?:>|[-*+]|\d+[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|^[ \t]*>[ \t]?", re.MULTILINE), ""),
    (re.compile(r"\*\*|__|==|~~|`|(?<!\w)[*_]|[*_](?!\w)"), ""),
    (re.compile(r"^[ \t]*\|?[ \t:|-]+\|[ \t:|-]*$", re.MULTILINE), ""),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"<[A-Za-z/][^<>\n]{0,200}>"), " "),
)


@dataclass
class Notes:
    """What became of a folder.

    Attributes:
        raw: the lorebook, as a `lorebook_v3` object.
        read: how many notes are in it; `skipped` says which are not, and why.
    """

    raw: dict[str, Any]
    read: int = 0
    skipped: list[str] = field(default_factory=list)


def read_notes(folder: Path, name: str) -> Notes:
    """Make a lorebook of a folder of Markdown notes.

    Raises:
        CardError: there is no note in it, or more than a lorebook holds.
    """
    root, out = folder.resolve(), Notes({})
    entries: list[dict[str, Any]] = []
    paths = sorted(path for path in folder.rglob("*") if path.suffix.casefold() in {".md", ".markdown"})
    if len(paths) > _MOST_NOTES:
        raise CardError(f"{folder.name}: more than {_MOST_NOTES} notes; choose a folder inside it.")
    size = 0
    for path in paths:
        inside = path.relative_to(folder)
        if any(part.startswith(".") or part.casefold() in _SKIPPED for part in inside.parts):
            continue
        text = _text(path, root)
        size += len(text or "")
        if size > _MAX_ALL:
            raise CardError(f"{folder.name}: more than {_MAX_ALL >> 20} MB of notes; choose a folder inside it.")
        made = note_entries(path.stem, text, len(entries)) if text is not None else []
        if made:
            entries += made
            out.read += 1
        else:
            out.skipped.append(f"{inside}: {'cannot be read' if text is None else 'nothing for the players in it'}")
    if not entries:
        raise CardError(f"{folder.name}: no Markdown note with text in it; choose the folder your notes are in.")
    out.raw = {"spec": "lorebook_v3", "data": {"name": name, "extensions": {}, "entries": entries}}
    return out


def _text(path: Path, root: Path) -> str | None:
    """A note's text; None where it is no readable file inside the folder."""
    try:
        if not path.resolve().is_relative_to(root) or not path.is_file() or path.stat().st_size > _MAX_NOTE:
            return None
        return path.read_text("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError, ValueError, RuntimeError):
        return None


def note_entries(title: str, text: str, first: int = 0) -> list[dict[str, Any]]:
    """The entries of one note."""
    front: dict[str, Any] = {}
    found = _FRONT.match(text)
    if found:
        front, text = _front(found[1]), text[found.end() :]
    if not flag_of(front.get("lore"), True):
        return []
    title = plain(text_of(front.get("title"))) or plain(title)
    names = list(dict.fromkeys([title, *_listed(front.get("aliases")), *_listed(front.get("keys"))]))
    made: list[dict[str, Any]] = []
    for heading, body in _sections(text):
        for part in _parts(_clean(body)):
            keys, second = (names, list[str]()) if not heading else _heading_keys(heading, names)
            label = title if not heading or heading == title else f"{title}, {heading}"
            told = part if names[0].casefold() in part.casefold() else f"{label}: {part}"
            made.append(_entry(first + len(made), label, keys, second, told, front))
    return made


def _front(text: str) -> dict[str, Any]:
    if len(text) > 16_000 or re.search(r"(?m)[:\-]\s*[*&]\w", text):
        return {}
    try:
        return dict_of(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError, ArithmeticError, AttributeError, LookupError, TypeError):
        return {}


def _listed(value: Any) -> list[str]:
    return [plain(text) for text in texts_of(value)]


def _sections(text: str) -> list[tuple[str, str]]:
    """(heading or "", text below it) in order; text in code fences has no headings."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading:
            sections.append((plain(_clean(heading[2])), []))
        else:
            sections[-1][1].append(line)
    return [(heading, "\n".join(lines)) for heading, lines in sections]


def _heading_keys(heading: str, names: list[str]) -> tuple[list[str], list[str]]:
    """What calls a section: its heading, together with the note's name where it says little alone."""
    own = [heading] if heading not in names else names
    general = set(re.findall(r"\w+", heading.casefold())) <= _GENERAL
    return (names, own) if general else (own, [])


def _clean(text: str) -> str:
    for pattern, instead in _CLEANED:
        text = pattern.sub(instead, text)
    return text


def _parts(text: str) -> list[str]:
    """Paragraphs joined up to the length of an entry."""
    parts: list[str] = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [plain(line).strip(" ,") for line in paragraph.split("\n")]
        told = " ".join(line if line.endswith((".", "!", "?", ":", ",", ";", "”", '"')) else f"{line}."
                        for line in lines if line) if _is_list(paragraph) else plain(" ".join(lines))  # fmt: skip
        if not re.search(r"\w", told):
            continue
        if parts and len(parts[-1]) + len(told) < _PART:
            parts[-1] += f" {told}"
        else:
            parts.append(told)
    return [part[: 4 * _PART] for part in parts]


def _is_list(paragraph: str) -> bool:
    """Whether the lines of a paragraph are items and not one running text."""
    lines = [line for line in paragraph.split("\n") if line.strip()]
    return len(lines) > 1 and max(map(len, lines)) < 70


def _entry(
    number: int, label: str, keys: list[str], second: list[str], text: str, front: dict[str, Any]
) -> dict[str, Any]:
    numbers = [name for name in ("sticky", "cooldown", "delay", "probability", "depth") if name in front]
    options: dict[str, Any] = {name: whole_of(front[name], 0) for name in numbers}
    if "depth" in options:
        options["position"] = 4
    owners = {"known_by": _listed(front.get("known_by")), "known_since": plain(text_of(front.get("known_since")))}
    if any(owners.values()):
        options[SPACE] = {name: value for name, value in owners.items() if value}
    return {
        "id": number, "comment": label[:120], "name": label[:120], "keys": keys, "secondary_keys": second,
        "selective": bool(second), "content": text, "extensions": options, "enabled": True, "use_regex": False,
        "insertion_order": whole_of(front.get("order"), 100), "constant": flag_of(front.get("constant"), False),
        "case_sensitive": False, "position": "after_char",
    }  # fmt: skip
