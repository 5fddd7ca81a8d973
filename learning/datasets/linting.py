"""Looks for faults in rows that are about to be trained on, each a sentence with the row's number."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from characters.prompt import estimate_tokens
from learning.datasets.snapshot import DatasetMissing, Snapshot

_TOKEN = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<</?SYS>>|<(?:eos|bos|pad|unk)>")
_ENDING = re.compile(r"(<[^<>\s]{1,40}>)\s*$")
_ANSWERS = ("completion", "chosen", "rejected")
_REPLIES = frozenset({"assistant", "gpt", "model"})


@dataclass(frozen=True)
class Fault:
    """Something wrong with one row; rows are counted from 1 within their file."""

    file: str
    row: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.message}"


@dataclass(frozen=True)
class Rules:
    """What rows are held to.

    Attributes:
        stop: what a completion ends with; "" where that is not known.
        tokens: special tokens of the base model; common ones are looked for in any case.
        names: names of real people.
        longest: tokens of prompt and completion together.
        count: counts the tokens of a text.
    """

    stop: str = ""
    tokens: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    longest: int = 2048
    count: Callable[[str], int] = estimate_tokens


@dataclass(frozen=True)
class _Content:
    """What a row asks and answers; `rendered` where a template made the text."""

    prompt: str
    answers: Mapping[str, str]
    rendered: bool


def lint(files: Mapping[str, Sequence[Any]], rules: Rules) -> list[Fault]:
    """Check all rows of a dataset, in order; duplicates are found across files.

    Args:
        files: rows by the name of their file; a row that was no JSON is a string.
    """
    found: list[Fault] = []
    seen: dict[tuple[str, str], str] = {}
    for file, rows in files.items():
        for number, row in enumerate(rows, 1):
            found += [Fault(file, number, message) for message in _faults(row, rules)]
            content = _content(row)
            if content is None:
                continue
            # A line may be a target, a label and half a pair, and two people may judge it differently.
            same = [content.prompt, content.answers, row.get("label")]
            key = (file.partition("/")[0], json.dumps(same, sort_keys=True))
            if key in seen:
                found.append(Fault(file, number, f"it repeats {seen[key]}; remove one of them."))
            seen.setdefault(key, f"{file}, row {number}")
    return found


def files_of(snapshot: Snapshot) -> dict[str, list[Any]]:
    """All rows of a snapshot by file."""
    return {name: read_rows(snapshot.folder / name) for name in sorted(snapshot.manifest["files"])}


def read_rows(path: Path) -> list[Any]:
    """The rows of a file of JSON lines; a line that is no JSON stays the text it is.

    Raises:
        DatasetMissing: there is no such file, or it is no text.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetMissing(f"{path}: cannot be read as JSON lines; check the path.") from error
    found: list[Any] = []
    for line in lines[:-1] if lines[-1] == "" else lines:
        try:
            found.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError):
            found.append(line)
    return found


def likely_stop(rows: Sequence[Any]) -> str:
    """The token that ends most completions of rendered rows; "" where none does."""
    contents = [content for row in rows if (content := _content(row)) is not None and content.rendered]
    answers = [text for content in contents for text in content.answers.values()]
    endings = Counter(found.group(1) for text in answers if (found := _ENDING.search(text)))
    token, count = endings.most_common(1)[0] if endings else ("", 0)
    return token if 2 * count > len(answers) else ""


def _faults(row: Any, rules: Rules) -> Iterator[str]:
    content = _content(row)
    if content is None:
        yield _unreadable(row)
        return
    if not content.prompt.strip():
        yield "the prompt is empty; remove the row."
    for name, text in content.answers.items():
        yield from _answer_faults(name, text, content.rendered, rules)
    if len(content.answers) > 1 and len(set(content.answers.values())) == 1:
        yield "chosen and rejected are the same; remove the row."
    if "label" in row and not isinstance(row["label"], bool):
        yield "the label is neither true nor false; write one of them."
    whole = "\n".join([content.prompt, *content.answers.values()])
    for name in rules.names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", whole):
            yield f"it names {name!r}, who is a real person at the table; build the dataset anew."
    tokens = rules.count(content.prompt) + max(map(rules.count, content.answers.values()), default=0)
    if tokens > rules.longest:
        yield f"it is about {tokens} tokens long, {rules.longest} fit; shorten it, or it is left out of training."


def _answer_faults(name: str, text: str, rendered: bool, rules: Rules) -> Iterator[str]:
    body = text
    if rendered and rules.stop:
        body = text.removesuffix(rules.stop)
        if body == text:
            yield f"the {name} does not end with {rules.stop!r}, so a model would not learn to stop; add it."
    if not body.strip():
        yield f"the {name} is empty; remove the row."
    inside = next((token for token in rules.tokens if token.strip() and token in body), None)
    if inside is None and (found := _TOKEN.search(body)):
        inside = found.group()
    if inside is not None:
        yield f"the {name} has the template token {inside!r} inside; remove it."


def _content(row: Any) -> _Content | None:
    """Question and answers of a row in any form; None where it has none."""
    if not isinstance(row, dict):
        return None
    answers = {name: row[name] for name in _ANSWERS if name in row}
    if answers and isinstance(row.get("prompt"), str) and all(isinstance(text, str) for text in answers.values()):
        return _Content(row["prompt"], answers, rendered=True)
    if answers and isinstance(row.get("prompt"), list):
        told = {name: _joined(value) for name, value in answers.items()}
        return _Content(_joined(row["prompt"]), told, rendered=False)
    talk = row.get("messages", row.get("conversations"))
    if not isinstance(talk, list) or not talk or not all(isinstance(message, dict) for message in talk):
        return None
    if "chosen" in row and "rejected" in row:
        return _Content(_joined(talk), {name: _joined([row[name]]) for name in ("chosen", "rejected")}, rendered=False)
    replies = str(talk[-1].get("role", talk[-1].get("from"))) in _REPLIES
    answer = {"completion": _joined(talk[-1:]) if replies else ""}
    return _Content(_joined(talk[:-1] if replies else talk), answer, rendered=False)


def _joined(messages: Any) -> str:
    """What messages say, without system text."""
    if not isinstance(messages, list):
        return str(messages)
    said = [message for message in messages if isinstance(message, dict)]
    return "\n".join(
        str(message.get("content", message.get("value", "")))
        for message in said
        if message.get("role", message.get("from")) != "system"
    )


def _unreadable(row: Any) -> str:
    if not isinstance(row, dict):
        return "it is no JSON object; correct or remove the line."
    has = ", ".join(sorted(str(key) for key in row)[:8]) or "nothing"
    return f"it has {has}, but neither prompt and completion (or chosen and rejected) nor messages; remove the row."
