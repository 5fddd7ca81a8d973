"""A sheet as text under somebody's hands: every fault and weakness with the line it stands on."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from characters.library import Library, parse, read_yaml
from characters.sheet import Sheet

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Remark:
    """Something its author should know; `line` counts from 1."""

    level: Literal["fault", "warning"]
    line: int
    field: str
    message: str


def read_sheet_text(text: str, name: str) -> Sheet:
    """A sheet as it stands in an editor.

    Raises:
        SheetError: one sentence; its `faults` hold one for every fault.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, "utf-8", errors="replace")
        return parse(Sheet, read_yaml(path), path.name)


def remarks(text: str, name: str, library: Library) -> list[Remark]:
    """Everything `understudy sheet check` would say, with lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, "utf-8", errors="replace")
        found = library.check(path)
    places = _lines(text)
    return [Remark(one.level, _line(one.field, one.message, places), one.field, one.message) for one in found]


def _line(field: str, message: str, places: dict[str, int]) -> int:
    """The line of a field, of the nearest part above it that stands in the text, or the one a message names."""
    named = re.search(r"\bline (\d+)", f"{field} {message}")
    if named and field not in places:
        return int(named[1])
    steps = [key or int(number) for key, number in _STEP.findall(field)]
    while steps:
        line = places.get(_path(steps))
        if line is not None:
            return line
        steps.pop()
    return 1


def _path(steps: list[str | int]) -> str:
    return "/".join(str(step) for step in steps)


def _lines(text: str) -> dict[str, int]:
    """The line of every key and item, by its path; {} where the text is no YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return {}
    found: dict[str, int] = {}
    _walk(root, [], found)
    return found


def _walk(node: Any, path: list[str | int], found: dict[str, int], depth: int = 0) -> None:
    if depth > 20:  # aliases may point upwards; they are refused elsewhere
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            step = [*path, str(key.value)]
            found.setdefault(_path(step), key.start_mark.line + 1)
            _walk(value, step, found, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found.setdefault(_path([*path, index]), value.start_mark.line + 1)
            _walk(value, [*path, index], found, depth + 1)
