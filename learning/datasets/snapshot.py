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
from pathlib import Path
from typing import Any

from learning.datasets.rows import Row

_KINDS = ("sft", "pair", "label")


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
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def content_hash(splits: Mapping[str, Sequence[Row]]) -> str:
    """A tagged hash of all rows in order."""
    body = json.dumps({split: [asdict(row) for row in rows] for split, rows in splits.items()}, sort_keys=True)
    return "dataset-" + hashlib.sha256(body.encode()).hexdigest()[:16]


def write_snapshot(root: Path, splits: Mapping[str, Sequence[Row]], about: Mapping[str, Any]) -> Snapshot:
    """Write a snapshot, or return the one of the same content that is there already.

    Args:
        splits: rows by split ("train", "validation", "held_out").
        about: what else the manifest tells (npc, base, template, seeds, versions, parents).
    """
    name = content_hash(splits)
    folder = root / name
    manifest_file = folder / "manifest.json"
    if manifest_file.is_file():
        return Snapshot(folder, json.loads(manifest_file.read_text("utf-8")))
    shutil.rmtree(folder, ignore_errors=True)
    files: dict[str, str] = {}
    for split, rows in splits.items():
        for kind in _KINDS:
            chosen = [_columns(row) for row in rows if row.kind == kind]
            if chosen:
                path = folder / kind / f"{split}.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
                path.write_text(text, "utf-8")
                files[f"{kind}/{split}.jsonl"] = "sha256-" + hashlib.sha256(text.encode()).hexdigest()
    manifest = {"hash": name, **about, "files": files, "counts": _counts(splits)}
    partial = folder / "manifest.partial"
    folder.mkdir(parents=True, exist_ok=True)
    partial.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True), "utf-8")
    partial.replace(manifest_file)
    return Snapshot(folder, manifest)


def _columns(row: Row) -> dict[str, Any]:
    """The columns a kind of row has; weight, source and signal travel along."""
    common = {"prompt": row.prompt, "source": row.source, "signal": row.signal, "conversation": row.conversation,
              "weight": row.weight}  # fmt: skip
    if row.kind == "pair":
        return {**common, "chosen": row.completion, "rejected": row.rejected}
    if row.kind == "label":
        return {**common, "completion": row.completion, "label": row.label}
    return {**common, "completion": row.completion}


def _counts(splits: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    return {
        split: {
            "rows": len(rows),
            "by_kind": dict(Counter(row.kind for row in rows)),
            "by_source": dict(Counter(row.source for row in rows)),
            "by_signal": dict(Counter(row.signal for row in rows)),
        }
        for split, rows in splits.items()
    }
