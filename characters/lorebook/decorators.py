"""The `@@decorators` that V3 lets an entry's content begin with.

    @@depth 4
    @@unknown_thing 1
    @@@role user        (a fallback: counts where the one above it is not known)

    The text itself.

Those in `KNOWN` are obeyed; the others are left out of the prompt and stay in the file.
Source: character-card-spec-v3, section Decorators.
"""

import re

KNOWN = frozenset({"activate", "dont_activate", "depth", "role", "scan_depth", "position"})
_LINE = re.compile(r"\s*(@@@?)([A-Za-z_]+)(?:[ \t]+(.*))?\s*")
_MOST = 50
POSITIONS = frozenset({"before_desc", "after_desc", "personality", "scenario"})
ROLES = frozenset({"system", "user", "assistant"})


def split(content: str) -> tuple[dict[str, str], str]:
    """The decorators that are obeyed, by name, and the text without any of them; the first of a name counts."""
    lines = content.replace("\r\n", "\n").split("\n")
    obeyed: dict[str, str] = {}
    begin, settled = 0, True
    for line in lines[:_MOST]:
        found = _LINE.fullmatch(line)
        if found is None and line.strip():
            break
        begin += 1
        if found is None:
            continue
        marks, name, value = found[1], found[2].casefold(), (found[3] or "").strip()
        if marks == "@@@" and settled:
            continue  # what it would stand in for is obeyed
        settled = _valid(name, value)
        if settled:
            obeyed.setdefault(name, value)
    if not any(line.lstrip().startswith("@@") for line in lines[:begin]):
        return {}, content
    return obeyed, "\n".join(lines[begin:]).strip("\n")


def without_decorators(content: str) -> str:
    """The text alone, for programs that know no decorators."""
    return split(content)[1]


def _valid(name: str, value: str) -> bool:
    if name not in KNOWN:
        return False
    if name in {"depth", "scan_depth"}:
        return re.fullmatch(r"\d{1,6}", value) is not None
    if name == "role":
        return value in ROLES
    return name != "position" or value in POSITIONS
