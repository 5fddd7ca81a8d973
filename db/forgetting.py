"""Forgets a person everywhere: rows, files of the home, and the pages the database set free.

    hold off nights → block the adapters → clear the files → forget the rows → write the database anew

A night or a teaching that runs would go on writing what it read before, so it makes way first
(`db.night_lock`).
In this order a run that was interrupted can be run again: the rows that say whose words are whose
go after the files. Files are replaced or unlinked, not written over before: what an unlinked file
leaves on a disk is the disk's (solid state drives and copying file systems would not write over
the same place anyway), and its encryption the operator's.

| in the home | what becomes of it |
|---|---|
| datasets/ | a snapshot with rows of the person is emptied; its manifest and hashes stay and say so |
| runs/ | work on such datasets, and work nobody can tell the dataset of, is removed |
| adapters/ | files of blocked adapters are removed |
| cache/, kv/ | emptied, for they hold answers to prompts that cannot be told apart |
| logs/history | entries that are the person's are taken out |
| reports/, logs/, all else | lines and records that repeat the person are taken out |
| backups/, imports/, sheets/, worlds/, lore/, avatars/, models/ | left as they are |
"""

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.errors import StoreLocked
from db.home import Home
from db.night_lock import night_lock, teach_lock
from db.queries import forget as rows
from db.queries import privacy
from db.queries.privacy import Known, Traces
from db.sayings import Sayings, without_lines, without_values
from db.store import Store

_UNTOUCHED = frozenset({"backups", "imports", "sheets", "worlds", "lore", "avatars", "models", "understudy.toml"})
_CLEARED = frozenset({"adapters", "cache", "kv"})  # as wholes, before texts are looked at
_TEXTS = frozenset({".log", ".md", ".json", ".jsonl", ".txt"})  # even if a power cut left zeros in them
_BUILD_NOTE = "native.json"  # in kv/: about the program, not about anybody
_PATIENCE = 20.0  # seconds that a night has to make way
_HEAD = 1 << 20  # bytes; adapters carry their lineage in their first ones
_DATASET = re.compile(rb"dataset-[0-9a-f]{16}")
_RUN = re.compile(r"-[0-9a-f]{12}(\.|$)")
_COMMAND = re.compile(r"^/\w+\s+(?:\d+\s+)?")
_LETTER = re.compile(r"^(?!\s*#).*\w", re.MULTILINE)


@dataclass(frozen=True)
class Snapshots:
    """The home's datasets: those that hold rows of the person, and those known to hold none."""

    touched: frozenset[str]
    sound: frozenset[str]


@dataclass
class Cleared:
    """What was done to files, paths relative to the home."""

    emptied: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What was forgotten.

    Attributes:
        blocked: adapters that do not speak any more; nights that train anew are asked for.
        pages: "clean", "busy" where another program kept the database from being written anew, or
            "server" where that is the operator's.
    """

    key: str
    rows: rows.Forgotten
    files: Cleared
    blocked: tuple[str, ...]
    pages: str

    def as_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"key": self.key, "rows": asdict(self.rows), "files": asdict(self.files),
                "blocked": list(self.blocked), "pages": self.pages}  # fmt: skip


async def export(store: Store, home: Home, person: Known) -> dict[str, Any]:
    """Everything kept about a person, rows and snapshots, as JSON."""
    async with store.session() as session:
        traces = await privacy.trace(session, person)
        snapshots = await asyncio.to_thread(find_snapshots, home, traces)
        return await privacy.export_person(session, traces, snapshots.touched)


async def forget(store: Store, home: Home, person: Known, now: datetime) -> Report:
    """Forget a person, found by `db.queries.privacy.find_person`.

    Raises:
        NightHeld: a night of this home does not make way; nothing was done.
        StoreError: the database refuses; what was done stays done, and running again does the rest.
    """
    with contextlib.ExitStack() as alone:
        for lock_of in (night_lock, teach_lock):
            lock = lock_of(home, lambda: datetime.now(UTC), "The forgetting of a person")
            await asyncio.to_thread(alone.enter_context, lock.claimed(_PATIENCE))
        return await _forget(store, home, person, now)


async def _forget(store: Store, home: Home, person: Known, now: datetime) -> Report:
    async with store.session() as session:
        traces = await privacy.trace(session, person)
    snapshots = await asyncio.to_thread(find_snapshots, home, traces)
    async with store.session() as session:
        blocked = await rows.block_adapters(session, traces, snapshots.touched, snapshots.sound, now)
    files = await asyncio.to_thread(clear_files, home, traces, snapshots, blocked)
    async with store.session() as session:
        forgotten = await rows.forget_person(session, traces, now)
    key = f"{privacy.FORGOTTEN}{person.ids[0]}"
    return Report(key, forgotten, files, tuple(blocked), await _compact(store))


async def _compact(store: Store) -> str:
    try:
        return "clean" if await store.compact() else "server"
    except StoreLocked:
        return "busy"


# --- datasets --------------------------------------------------------------------------------------


def find_snapshots(home: Home, traces: Traces) -> Snapshots:
    """Look into every snapshot for rows of a person; an emptied one is neither touched nor sound."""
    touched, sound = set(), set()
    for manifest in home.root.glob("datasets/*/manifest.json"):
        folder = manifest.parent
        if any(row_touched(row, traces) for file in _row_files(folder) for row in _rows(file)):
            touched.add(folder.name)
        elif "emptied" not in _manifest(folder):
            sound.add(folder.name)
    return Snapshots(frozenset(touched), frozenset(sound))


def row_touched(row: Any, traces: Traces) -> bool:
    """Whether a row of a dataset involves a person: by key or line, else by conversation, or by words."""
    sayings = traces.sayings
    if not isinstance(row, dict):
        return sayings.touch(str(row))
    conversation = row.get("conversation")
    scene = str(conversation).partition("/")[0]
    elsewhere = scene.isdigit() and int(scene) not in traces.scenes
    precise = "people" in row and "line" in row
    derived = row["line"] in traces.lines if precise else conversation in traces.conversations
    if not elsewhere and (derived or traces.person.key in row.get("people", ())):
        return True
    # In a row that says whose it is, a short question of the person's is anybody's.
    texts = [value for value in row.values() if isinstance(value, str)]
    return any(sayings.quoted_in(text, short=conversation is None) for text in texts)


def _manifest(folder: Path) -> dict[str, Any]:
    """A snapshot's manifest; {} where it cannot be read."""
    try:
        about = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return about if isinstance(about, dict) else {}


def _row_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


def _rows(file: Path) -> Iterator[Any]:
    for line in filter(None, file.read_text("utf-8", errors="surrogateescape").split("\n")):
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            yield line


def _empty_snapshot(folder: Path) -> None:
    """Empty all row files; the manifest says so first, so that a half emptied snapshot is never read as whole."""
    about = {**_manifest(folder), "emptied": rows.REASON}
    _replace(folder / "manifest.json", json.dumps(about, indent=2, ensure_ascii=False, sort_keys=True))
    for file in _row_files(folder):
        _replace(file, "")


# --- all other files -------------------------------------------------------------------------------


def clear_files(home: Home, traces: Traces, snapshots: Snapshots, blocked: Collection[str]) -> Cleared:
    """Reach into every file of the home.

    Args:
        blocked: names of adapters that may not speak any more.
    """
    done, root = Cleared(), home.root
    for name in sorted(snapshots.touched):
        _empty_snapshot(root / "datasets" / name)
        done.emptied.append(f"datasets/{name}")
    if not (traces.texts or snapshots.touched or blocked):
        return done
    adapters = [path for path in sorted(root.glob("adapters/**/*")) if path.is_file()]
    gone = [path for path in adapters if path.stem in blocked]
    speaking = [_head(path) for path in adapters if path not in gone]
    unfinished = [path for path in root.glob("datasets/*") if path.is_dir() and not (path / "manifest.json").is_file()]
    caches = [path for name in ("cache", "kv") for path in root.glob(f"{name}/*") if path.name != _BUILD_NOTE]
    for path in [*gone, *unfinished, *_orphaned_runs(root, snapshots, speaking), *sorted(caches)]:
        _remove(path, root, done)
    _sweep(root, traces.sayings, done)
    return done


def _orphaned_runs(root: Path, snapshots: Snapshots, speaking: Sequence[bytes]) -> list[Path]:
    """Work on the person's rows, and work that tells no dataset and left no adapter that may still speak.

    Args:
        speaking: the lineage of adapters that are not blocked; it names the run each came from.
    """
    found = []
    for entry in sorted(path for path in root.glob("runs/*") if _RUN.search(path.name)):
        files = [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]
        told = {name.decode() for path in files for name in _DATASET.findall(_head(path))}
        run = entry.name.partition(".")[0].encode()
        if told - snapshots.sound or not (told or any(run in lineage for lineage in speaking)):
            found.append(entry)
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _sweep(root: Path, sayings: Sayings, done: Cleared) -> None:
    """Take out what repeats the person, in every text file that is the program's own."""
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        ours = path.is_file() and not path.is_symlink() and _swept(place, root)
        text = _text(path) if ours else None
        left = _without(place, text, sayings) if text else text
        if text is None or left is None or left == text:
            continue
        if _LETTER.search(left):
            _replace(path, left)
            done.rewritten.append(str(place))
        else:
            _remove(path, root, done)


def _swept(place: Path, root: Path) -> bool:
    """Whether a file is looked at for words; the rows of a snapshot go, or stay, as a whole."""
    first = place.parts[0]
    snapshot = first == "datasets" and root.joinpath(*place.parts[:2], "manifest.json").is_file()
    row = snapshot and place.suffix == ".jsonl"
    return not (first in _UNTOUCHED | _CLEARED or first.startswith("db.sqlite") or row)


def _text(path: Path) -> str | None:
    """A file's text, None where it is none."""
    if path.suffix not in _TEXTS and b"\0" in _head(path):
        return None
    return path.read_text("utf-8", errors="surrogateescape")


def _without(place: Path, text: str, sayings: Sayings) -> str:
    """A file's text without what repeats the person; the same text where nothing does."""
    if place == Path("logs/history"):
        return _without_entries(text, sayings)
    if place.suffix == ".json":
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(text)
            left = without_values(value, sayings.touch)
            return text if left == value else json.dumps(left, indent=2, ensure_ascii=False) if left else ""
    if place.suffix == ".jsonl":
        return "\n".join(line for line in text.split("\n") if not _line_touched(line, sayings))
    return without_lines(text, sayings.touch)


def _line_touched(line: str, sayings: Sayings) -> bool:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return sayings.touch(line)
    return bool(without_values(value, sayings.touch) != value)


def _without_entries(text: str, sayings: Sayings) -> str:
    """The terminal's history without what the person typed: an entry is a date and lines that begin with +."""

    def theirs(entry: str) -> bool:
        typed = "\n".join(line[1:] for line in entry.splitlines() if line.startswith("+"))
        return sayings.is_one(typed) or sayings.is_one(_COMMAND.sub("", typed)) or sayings.quoted_in(typed)

    entries = re.split(r"(?m)^(?=\n# )", text)
    return "".join(entry for entry in entries if not theirs(entry))


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, "utf-8", errors="surrogateescape")
    partial.replace(path)


def _remove(path: Path, root: Path, done: Cleared) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    done.removed.append(str(path.relative_to(root)))
