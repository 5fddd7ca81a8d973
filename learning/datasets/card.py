"""The dataset card: README.md with the YAML header hubs and `datasets.load_dataset` read.

It says where the rows come from, by whose leave, and under which licence; so it lies in every
snapshot and in every export.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_GROUPS = ("kind", "source", "signal", "consent", "licence")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(manifest: Mapping[str, Any], files: Iterable[str]) -> str:
    """Write the card of a dataset.

    Args:
        manifest: a snapshot's, or what is known of one so far.
        files: "kind/split.jsonl", relative to the folder the card lies in.
    """
    splits: Mapping[str, Any] = manifest["counts"]
    totals = {group: _total(splits, group) for group in _GROUPS}
    rows = sum(counts["rows"] for counts in splits.values())
    npc = manifest.get("npc", "an NPC")
    header = {
        "pretty_name": f"Lines of {npc}",
        "license": "other",
        "license_name": "; ".join(sorted(totals["licence"])) or "not stated",
        "size_categories": [next((size for most, size in _SIZES if rows < most), "n>1M")],
        "task_categories": ["text-generation"],
        "tags": ["role-play", "npc", "understudy"],
        "configs": _configs(files),
    }
    lines = [
        "---", yaml.safe_dump(header, sort_keys=False, allow_unicode=True).rstrip(), "---", "",
        f"# Lines of {npc}", "",
        f"{rows} rows, snapshot `{manifest['hash']}`. What the NPC is to say, made of what a table heard and "
        "corrected, of dialogues its operator imported, and of rows a teacher wrote.", "",
    ]  # fmt: skip
    lines += _table("split", {split: counts["rows"] for split, counts in splits.items()})
    for group in _GROUPS:
        lines += _table(group, totals[group])
    lines += _table("left out because", manifest.get("left_out", {}))
    told = [("Base model", "base"), ("Chat template", "template"), ("Parents", "parents")]
    lines += [f"- {title}: `{_listed(manifest[key])}`" for title, key in told if manifest.get(key)]
    return "\n".join(lines).rstrip() + "\n"


def _configs(files: Iterable[str]) -> list[dict[str, Any]]:
    """A configuration for each kind of row, with its splits."""
    found: dict[str, list[dict[str, str]]] = {}
    for file in files:
        kind, _, name = file.partition("/")
        found.setdefault(kind, []).append({"split": name.removesuffix(".jsonl"), "path": file})
    return [{"config_name": kind, "data_files": sorted(parts, key=_place)} for kind, parts in found.items()]


def _place(part: Mapping[str, str]) -> tuple[int, str]:
    order = ("train", "validation", "held_out")
    return order.index(part["split"]) if part["split"] in order else len(order), part["split"]


def _total(splits: Mapping[str, Any], group: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counts in splits.values():
        total.update(counts.get(f"by_{group}", {}))
    return dict(sorted(total.items()))


def _table(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    return [f"| {title} | rows |", "|---|---|", *(f"| {name} | {count} |" for name, count in counts.items()), ""]


def _listed(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
