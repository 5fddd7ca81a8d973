"""Writes a snapshot for other programs, with its card.

| format | targets | pairs | labels |
|---|---|---|---|
| trl | prompt, completion | prompt, chosen, rejected | prompt, completion, label |
| openai | messages | input, preferred_output, non_preferred_output | none of that kind there |
| sharegpt | conversations | conversations, chosen, rejected | conversations, label |

The text of TRL rows is rendered, as training here reads it; the others carry messages, and the
template of the model they are used with makes its own text of them. Keys of people stay at home.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from characters.messages import Message
from learning.datasets.card import card
from learning.datasets.marks import Marks
from learning.datasets.snapshot import KINDS, DatasetMissing, Snapshot
from learning.datasets.splits import SPLITS
from learning.errors import LearningError

Format = Literal["trl", "openai", "sharegpt"]
_OURS = ("people", "line", "conversation", "asked")  # whose words they are is private; the prompt has what was asked
_FROM = {"system": "system", "user": "human", "assistant": "gpt"}


class ExportRefused(LearningError):
    """A dataset that cannot be written in the format, or to the folder, that was asked for."""


@dataclass(frozen=True)
class Exported:
    """What was written: rows by file, and how many the format has no form for."""

    folder: Path
    files: Mapping[str, int]
    left_out: int


def export(snapshot: Snapshot, form: Format, out: Path) -> Exported:
    """Write all rows of a snapshot to a new or empty folder.

    Raises:
        DatasetMissing: the snapshot was emptied.
        ExportRefused: the folder is in use, or the rows cannot be taken apart into messages.
    """
    if "emptied" in snapshot.manifest:
        raise DatasetMissing(f"{snapshot.hash} was emptied ({snapshot.manifest['emptied']}); build a new one.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportRefused(f"{out} is there already and not an empty folder; name another one.")
    write = _writer(snapshot, form)
    texts: dict[str, list[str]] = {}
    left_out = 0
    for kind in KINDS:
        for split in SPLITS:
            for number, row in enumerate(snapshot.rows(kind, split), 1):
                try:
                    written = write(kind, row)
                except ValueError as error:
                    message = f"{kind}/{split}.jsonl, row {number}: {error}; export it with --format trl."
                    raise ExportRefused(message) from error
                if written is None:
                    left_out += 1
                else:
                    texts.setdefault(f"{kind}/{split}.jsonl", []).append(json.dumps(written, ensure_ascii=False))
    for name, lines in texts.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.md").write_text(card(snapshot.manifest, texts), "utf-8")
    return Exported(out, {name: len(lines) for name, lines in texts.items()}, left_out)


def _writer(snapshot: Snapshot, form: Format) -> Callable[[str, dict[str, Any]], dict[str, Any] | None]:
    """The function that writes a row of a kind, or None for a kind the format does not have."""
    if form == "trl":
        return lambda kind, row: {name: value for name, value in row.items() if name not in _OURS}
    marks = snapshot.manifest.get("marks")
    if not marks:
        raise ExportRefused(
            f"The rows of {snapshot.hash} cannot be taken apart into messages (its base model's template, or an older "
            "build); build it anew, or export it with --format trl."
        )
    taken, stop = Marks(**marks), str(snapshot.manifest.get("stop", ""))
    write = _openai if form == "openai" else _sharegpt
    return lambda kind, row: write(kind, row, taken.messages(row["prompt"]), stop)


def _openai(kind: str, row: Mapping[str, Any], prompt: list[Message], stop: str) -> dict[str, Any] | None:
    asked = [{"role": message.role, "content": message.content} for message in prompt]

    def reply(name: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": str(row[name]).removesuffix(stop)}]

    if kind == "pair":
        better, worse = reply("chosen"), reply("rejected")
        return {"input": {"messages": asked}, "preferred_output": better, "non_preferred_output": worse}
    return {"messages": [*asked, *reply("completion")]} if kind == "sft" else None


def _sharegpt(kind: str, row: Mapping[str, Any], prompt: list[Message], stop: str) -> dict[str, Any]:
    asked = [{"from": _FROM[message.role], "value": message.content} for message in prompt]

    def reply(name: str) -> dict[str, str]:
        return {"from": "gpt", "value": str(row[name]).removesuffix(stop)}

    if kind == "pair":
        return {"conversations": asked, "chosen": reply("chosen"), "rejected": reply("rejected")}
    whole = {"conversations": [*asked, reply("completion")]}
    return {**whole, "label": row["label"]} if kind == "label" else whole
