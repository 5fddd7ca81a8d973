"""What models have read of the sheets, kept in files from one start to the next.

Reading a sheet takes a large model seconds, and it reads the same ones every evening. So the state after a sheet's own
text is written when the worker ends, the last used first, and found again by its tokens: whichever conversation begins
with the same ones, under the same model and adapter. Files are whole or not there; one that is damaged, or of another
model, is passed over.

A sheet's text may carry what a campaign remembers of people. Whoever forgets a person empties the folder
(db.forgetting), and with it a mark; a program that began before that finds its mark gone, and writes nothing any more.
"""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from characters.files import write_whole
from characters.inference.kv_cache import common_prefix

MOST = 64_000_000  # bytes of all files together
_SHORT = 32  # tokens that are read as quickly as a file
_MARK = "kept.mark"
_KIND = "understudy sheet 1"


@dataclass(frozen=True)
class State:
    """What was read of a sheet.

    Attributes:
        adapter: identifies the adapter's file; "" for the bare base.
        bytes: the state, as the model gave it.
    """

    adapter: str
    tokens: tuple[int, ...]
    bytes: bytes


@dataclass(frozen=True)
class _File:
    path: Path
    adapter: str
    tokens: tuple[int, ...]
    begins: int
    digest: str


class Kept:
    """The states in a folder.

    Args:
        base: identifies the model's file, and the program that read it.
        most: bytes of all files together.
    """

    def __init__(self, folder: Path, base: str, most: int = MOST) -> None:
        self._folder = folder
        self._base = base
        self._most = most
        self._files: list[_File] | None = None
        self._mark = self._marked() or secrets.token_hex(8)
        with contextlib.suppress(OSError):
            if not self._marked():
                write_whole(folder / _MARK, self._mark)

    def find(self, adapter: str, tokens: Sequence[int]) -> State | None:
        """The state that spares most of reading these tokens, if one is whole and spares anything."""
        files = [file for file in self._known() if file.adapter == adapter]
        best = max(files, key=lambda file: common_prefix(file.tokens, tokens), default=None)
        if best is None or common_prefix(best.tokens, tokens) < _SHORT:
            return None
        with contextlib.suppress(OSError):
            with best.path.open("rb") as file:
                file.seek(best.begins)
                state = file.read()
            if hashlib.sha256(state).hexdigest() == best.digest:
                return State(adapter, best.tokens, state)
        self._known().remove(best)
        return None

    def keep(self, states: Iterable[State]) -> None:
        """Write states, the most wanted first; the oldest files make room for them, and a full disk stops it."""
        wanted: set[str] = set()
        room = self._most
        with contextlib.suppress(OSError):
            if self._marked() != self._mark:
                return
            for state in states:
                path = self._folder / f"{_name(self._base, state)}.kv"
                if len(state.tokens) < _SHORT or path.name in wanted:
                    continue
                content = b"" if path.is_file() else self._file(state)
                room -= len(content) or path.stat().st_size
                if room < 0:
                    break
                wanted.add(path.name)
                self._make_room(wanted, room)
                if content:
                    write_whole(path, content)
                os.utime(path)

    def _file(self, state: State) -> bytes:
        head = {"kind": _KIND, "base": self._base, "adapter": state.adapter, "tokens": state.tokens,
                "sha256": hashlib.sha256(state.bytes).hexdigest()}  # fmt: skip
        return json.dumps(head).encode() + b"\n" + state.bytes

    def _make_room(self, wanted: set[str], room: int) -> None:
        """Remove the oldest of what is not wanted until the rest fits in."""
        others = [path for path in self._folder.glob("*.kv") if path.name not in wanted]
        sizes = {path: path.stat() for path in others}
        for path in sorted(others, key=lambda path: -sizes[path].st_mtime):
            room -= sizes[path].st_size
            if room < 0:
                path.unlink(missing_ok=True)

    def _known(self) -> list[_File]:
        """The files of this model, looked through once."""
        if self._files is None:
            found = (_head(path) for path in sorted(self._folder.glob("*.kv")))
            self._files = [file for file, base in filter(None, found) if base == self._base]
        return self._files

    def _marked(self) -> str:
        try:
            return (self._folder / _MARK).read_text("utf-8")
        except (OSError, ValueError):
            return ""


def _name(base: str, state: State) -> str:
    told = json.dumps([base, state.adapter, list(state.tokens)])
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def _head(path: Path) -> tuple[_File, str] | None:
    """What a file says of itself; None where it says nothing of use."""
    try:
        with path.open("rb") as file:
            line = file.readline(4 << 20)
        head: dict[str, Any] = json.loads(line)
        if head["kind"] != _KIND:
            return None
        tokens = tuple(int(token) for token in head["tokens"])
        return _File(path, str(head["adapter"]), tokens, len(line), str(head["sha256"])), str(head["base"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
