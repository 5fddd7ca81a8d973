"""Snapshots: a dataset as files that `datasets.load_dataset` reads, complete or absent.

A snapshot is a folder named after the hash of its rows. The manifest is written last; a folder
without one is the rest of an interrupted build, and is made anew.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from characters.files import write_whole
from learning.datasets.card import card
from learning.datasets.rows import Row
from learning.errors import LearningError

KINDS = ("sft", "pair", "label")
# Stands where no person's words are in a row: a column of empty lists has no type, and a split with such
# a column could not be loaded beside one without.
NOBODY = "nobody"
_AHEAD = timedelta(hours=1)  # a snapshot made further in the future was made while a clock was wrong
_LIBRARIES = (
    "understudy", "datasets", "datasketch", "torch", "transformers", "peft", "trl", "llama-cpp-python", "gguf",
)  # fmt: skip


class DatasetMissing(LearningError):
    """A dataset that was asked for and is not there."""


@dataclass(frozen=True)
class Origin:
    """By whose leave a row is used.

    Attributes:
        consent: the verdict's reason.
        licence: under which its text may be used.
    """

    consent: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A dataset on disk."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """The content's hash, tagged."""
        return str(self.manifest["hash"])

    def rows(self, kind: str, split: str) -> list[dict[str, Any]]:
        """The rows of one kind and split, as trainers read them; empty where there are none."""
        path = self.folder / kind / f"{split}.jsonl"
        if not path.is_file():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def content_hash(splits: Mapping[str, Sequence[Row]]) -> str:
    """A tagged hash of all rows in order."""
    body = json.dumps({split: [asdict(row) for row in rows] for split, rows in splits.items()}, sort_keys=True)
    return "dataset-" + hashlib.sha256(body.encode()).hexdigest()[:16]


def write_snapshot(
    root: Path,
    splits: Mapping[str, Sequence[Row]],
    about: Mapping[str, Any],
    origins: Mapping[Row, Origin] | None = None,
) -> Snapshot:
    """Write a snapshot, or return the one of the same content that is there already.

    Args:
        splits: rows by split ("train", "validation", "held_out").
        about: what else the manifest tells (npc, campaign, base, template, seeds, made_at). Parents are
            the newest snapshot of the same NPC, unless it says otherwise.
        origins: consent and licence of the rows, for the counts.
    """
    name = content_hash(splits)
    folder = root / name
    known = _read(folder)
    if known is not None and "emptied" not in known.manifest and _is_whole(known):
        return known
    parent = latest(root, str(about["npc"]), about.get("campaign")) if "npc" in about else None
    (folder / "manifest.json").unlink(missing_ok=True)  # first: what is being taken away is no snapshot any more
    shutil.rmtree(folder, ignore_errors=True)
    manifest = {
        "hash": name, "parents": [parent.hash] if parent else [], "versions": versions(), **about,
        "files": _write_rows(folder, splits), "counts": _counts(splits, origins or {}),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(card(manifest, manifest["files"]), "utf-8")
    write_whole(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True))
    return Snapshot(folder, manifest)


def latest(root: Path, npc: str | None = None, campaign: Any = None) -> Snapshot | None:
    """The newest snapshot of an NPC, or of all; None where there is none.

    Args:
        campaign: only this campaign's, where a snapshot says whose it is.
    """
    found = snapshots(root, npc, campaign)
    return found[-1] if found else None


def snapshots(root: Path, npc: str | None = None, campaign: Any = None) -> list[Snapshot]:
    """All snapshots of an NPC, or of all NPCs, the oldest first.

    Those that a clock far ahead dated count as the oldest: else the newest would be one of them for years.

    Args:
        campaign: only this campaign's, where a snapshot says whose it is.
    """
    believed, found = (datetime.now(UTC) + _AHEAD).isoformat(), []
    for path in root.glob("*/manifest.json"):
        snapshot = _read(path.parent)
        if snapshot is None or npc not in {None, snapshot.manifest.get("npc")}:
            continue
        if campaign is None or snapshot.manifest.get("campaign", campaign) == campaign:
            made = str(snapshot.manifest.get("made_at", ""))
            found.append(((made <= believed, made, path.stat().st_mtime_ns, snapshot.hash), snapshot))
    return [snapshot for _, snapshot in sorted(found, key=lambda entry: entry[0])]


def open_snapshot(root: Path, name: str, npc: str | None = None) -> Snapshot:
    """The snapshot somebody names: by its hash, by the beginning of it, or as "latest".

    Raises:
        DatasetMissing: there is none, or more than one.
    """
    if name == "latest":
        newest = latest(root, npc)
        if newest is None:
            whose = f" of {npc}" if npc else ""
            raise DatasetMissing(f"There is no dataset{whose} yet; `understudy dataset build` makes one.")
        return newest
    wanted = name if name.startswith("dataset-") else f"dataset-{name}"
    folders = sorted(path.parent for path in root.glob("dataset-*/manifest.json"))
    found = [folder for folder in folders if folder.name.startswith(wanted)]
    snapshot = _read(found[0]) if len(found) == 1 else None
    if snapshot is None:
        which = f"{len(found)} datasets begin" if found else "No dataset begins"
        raise DatasetMissing(f"{which} with {wanted!r}; `understudy dataset show latest` shows the newest.")
    return snapshot


def versions() -> dict[str, str]:
    """The versions of the libraries that made the rows and will train on them, of those installed."""
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def _read(folder: Path) -> Snapshot | None:
    """A snapshot that is complete; None where there is none, or its manifest is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Snapshot(folder, manifest) if isinstance(manifest, dict) else None


def _is_whole(snapshot: Snapshot) -> bool:
    """Whether every file is what was written."""
    for name, wanted in snapshot.manifest.get("files", {}).items():
        path = snapshot.folder / name
        if not path.is_file() or "sha256-" + hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            return False
    return True


def _write_rows(folder: Path, splits: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Write all rows; returns the hash of every file."""
    files: dict[str, str] = {}
    for split, rows in splits.items():
        for kind in KINDS:
            chosen = [_columns(row) for row in rows if row.kind == kind]
            if chosen:
                path = folder / kind / f"{split}.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
                path.write_text(text, "utf-8", newline="\n")
                files[f"{kind}/{split}.jsonl"] = "sha256-" + hashlib.sha256(text.encode()).hexdigest()
    return files


def _columns(row: Row) -> dict[str, Any]:
    """The columns a kind of row has; what it came from and whose words are in it travel along."""
    common = {"prompt": row.prompt, "source": row.source, "signal": row.signal, "conversation": row.conversation,
              "weight": row.weight, "line": row.line, "people": list(row.people) or [NOBODY],
              "asked": row.asked}  # fmt: skip
    if row.kind == "pair":
        return {**common, "chosen": row.completion, "rejected": row.rejected}
    if row.kind == "label":
        return {**common, "completion": row.completion, "label": row.label}
    return {**common, "completion": row.completion}


def _counts(splits: Mapping[str, Sequence[Row]], origins: Mapping[Row, Origin]) -> dict[str, Any]:
    unknown = Origin()
    return {
        split: {
            "rows": len(rows),
            "by_kind": dict(Counter(row.kind for row in rows)),
            "by_source": dict(Counter(row.source for row in rows)),
            "by_signal": dict(Counter(row.signal for row in rows)),
            "by_consent": dict(Counter(origins.get(row, unknown).consent or "not stated" for row in rows)),
            "by_licence": dict(Counter(origins.get(row, unknown).licence or "not stated" for row in rows)),
        }
        for split, rows in splits.items()
    }
