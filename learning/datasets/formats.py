"""Reads dialogues out of the files other programs write; the format is found by what is inside.

| format | told by |
|---|---|
| SillyTavern chat | JSON lines with `mes` and `is_user`, after a header line |
| messages | JSON lines or a list with `messages` (role, content, name) |
| ShareGPT | JSON lines or a list with `conversations` (from, value) |
| prompt and completion | JSON lines or a list with both, as text or as messages; `chosen` will do |
| turns | JSON lines, one turn a line, with `speaker` and `text`, and `dialogue` where there are several |
| transcript | anything else: `Name: text` (learning.datasets.transcripts) |
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from learning.datasets.cleaning import is_rendered
from learning.datasets.transcripts import is_spoken, read_transcript, split_spoken
from learning.datasets.turns import ImportRefused, RawDialogue, RawTurn

_MOST_BYTES = 256 * 1024 * 1024
_ROLES: Mapping[str, Literal["npc", "other", "nobody"]] = {
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model", "char", "character", "npc", "ai"), "npc"),
    **dict.fromkeys(("user", "human", "player", "prompter"), "other"),
    **dict.fromkeys(("system", "developer", "tool", "function", "observation"), "nobody"),
}
_LISTS = ("messages", "conversations", "conversation", "dialogue", "turns")
_SPEAKER = ("speaker", "name", "from", "role", "character")
_TEXT = ("text", "content", "value", "utterance", "message")
_GROUP = ("dialogue", "dialogue_id", "conversation", "conversation_id", "chat", "session", "scene")


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        format: its name, for people.
    """

    format: str
    dialogues: tuple[RawDialogue, ...]


@dataclass(frozen=True)
class _Record:
    """One JSON object and where it stands."""

    value: Any
    where: str
    line: int = field(default=0)


def read_contents(path: Path) -> Contents:
    """Read all dialogues of a file as they stand.

    Raises:
        ImportRefused: one sentence naming the file and the line.
    """
    text = _read(path)
    begin = text.lstrip()
    if begin.startswith("{") or (begin.startswith("[") and not is_spoken(begin.splitlines()[0])):
        records = _records(text, path.name)
        if not records:
            raise ImportRefused(f"{path.name}: it holds no entry; choose a file with dialogues.")
        return _of_records(records, path.name)
    return Contents("transcript", read_transcript(text, path.name))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ImportRefused(f"{path.name}: larger than {_MOST_BYTES // 2**20} MiB; split it and import the parts.")
        content = path.read_bytes()
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read ({error.strerror}); check the path.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportRefused(f"{path.name}, line {line}: this is no UTF-8 text; save the file as UTF-8.") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefused(f"{path.name}, line {line}: this is no text; export the dialogue as text or JSON lines.")
    if not text.strip():
        raise ImportRefused(f"{path.name}: it is empty; choose a file with dialogues.")
    return text


def _records(text: str, file: str) -> list[_Record]:
    """The objects of a JSON file or of JSON lines."""
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        if text.lstrip().startswith("["):
            line = getattr(error, "lineno", 1)
            raise ImportRefused(f"{file}, line {line}: this is no JSON ({_brief(error)}); correct it there.") from error
        return list(_json_lines(text, file))
    if isinstance(whole, dict):
        inside = next((whole[key] for key in ("data", "dialogues", "rows") if isinstance(whole.get(key), list)), None)
        if inside is None:
            return [_Record(whole, "entry 1", 1)]
        whole = inside
    if not isinstance(whole, list):
        raise ImportRefused(f"{file}: a list of dialogues was expected; it holds one value.")
    return [_Record({"messages": entry} if isinstance(entry, list) else entry, f"entry {number}", 1)
            for number, entry in enumerate(whole, 1)]  # fmt: skip


def _json_lines(text: str, file: str) -> Iterator[_Record]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _Record(json.loads(line), f"line {number}", number)
        except (json.JSONDecodeError, RecursionError) as error:
            message = f"{file}, line {number}: this is no JSON ({_brief(error)}); correct or remove the line."
            raise ImportRefused(message) from error


def _brief(error: Exception) -> str:
    return error.msg.lower() if isinstance(error, json.JSONDecodeError) else "it is nested too deep"


def _of_records(records: Sequence[_Record], file: str) -> Contents:
    for record in records:
        if not isinstance(record.value, dict):
            raise ImportRefused(f"{file}, {record.where}: a JSON object was expected; correct or remove it.")
    keys = {key for record in records[:2] for key in record.value}
    if {"mes", "is_user"} <= keys or {"user_name", "character_name"} <= keys or "chat_metadata" in keys:
        return Contents("SillyTavern chat", tuple(_sillytavern(records, file)))
    first = records[0].value
    if _is_turn(first):
        return Contents("turns", tuple(_turns(records, file)))
    kind = next((key for key in _LISTS if isinstance(first.get(key), list)), "prompt and completion")
    kind = {"conversations": "ShareGPT"}.get(kind, kind)
    return Contents(kind, tuple(_of_record(record, file) for record in records))


def _is_turn(value: Mapping[str, Any]) -> bool:
    spoken = any(isinstance(value.get(key), str) for key in _TEXT)
    return spoken and any(isinstance(value.get(key), str) for key in _SPEAKER)


def _of_record(record: _Record, file: str) -> RawDialogue:
    value, where = record.value, f"{file}, {record.where}"
    listed = _listed(value, where)
    if listed is None:
        has = ", ".join(sorted(str(key) for key in value)[:8]) or "nothing"
        raise ImportRefused(
            f"{where}: this is no dialogue (it has {has}); it needs messages, conversations, or prompt and completion."
        )
    turns = [turn for message in listed for turn in _of_message(message, where)]
    wanted = value.get("label", value.get("kto_tag")) is not False
    return RawDialogue(record.where, tuple(turns), wanted=wanted)


def _listed(value: Mapping[str, Any], where: str) -> list[Any] | None:
    """A record's messages; of rows with a preference those with the answer that was preferred."""
    listed = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None)
    answer = value.get("completion", value.get("chosen"))
    if listed is None and "prompt" in value and answer is not None:
        return [*_as_messages(value["prompt"], "user", where), *_as_messages(answer, "assistant", where)]
    return [*listed, answer] if listed is not None and isinstance(answer, dict) else listed


def _as_messages(value: Any, role: str, where: str) -> list[Any]:
    """A prompt or completion as messages."""
    if isinstance(value, list):
        return value
    if isinstance(value, str) and is_rendered(value):
        raise ImportRefused(
            f"{where}: the {'prompt' if role == 'user' else 'completion'} was rendered by a chat template already; "
            "import the same data as messages."
        )
    return [{"role": role, "content": value}]


def _of_message(message: Any, where: str) -> list[RawTurn]:
    if not isinstance(message, dict):
        raise ImportRefused(f"{where}: a message is no object; write role and content.")
    called = next((str(message[key]) for key in ("role", "from", "speaker") if isinstance(message.get(key), str)), "")
    text = _text_of(next((message[key] for key in _TEXT if message.get(key) is not None), ""), where)
    role = _ROLES.get(called.casefold().strip())
    name = message.get("name") if isinstance(message.get("name"), str) else "" if role else called
    if role == "other" and not name:
        return split_spoken(text) or [RawTurn("", text, "other")]
    return [RawTurn(str(name or ""), text, role or "named")]


def _text_of(content: Any, where: str) -> str:
    """A message's text; of content in parts the parts that are text."""
    if isinstance(content, list):
        parts = [part.get("text", "") if isinstance(part, dict) else part for part in content]
        content = "\n".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        raise ImportRefused(f"{where}: what is said is no text; write it in quotes.")
    return content


def _turns(records: Sequence[_Record], file: str) -> Iterator[RawDialogue]:
    """One turn a record, in the order of the file; dialogues by the field that names them."""
    grouped: dict[str, list[RawTurn]] = {}
    for record in records:
        value = record.value
        if not _is_turn(value):
            raise ImportRefused(f"{file}, {record.where}: speaker or text is missing; add them or remove the line.")
        group = next((str(value[key]) for key in _GROUP if isinstance(value.get(key), str | int)), "")
        called = next(str(value[key]) for key in _SPEAKER if isinstance(value.get(key), str))
        text = next(str(value[key]) for key in _TEXT if isinstance(value.get(key), str))
        role = _ROLES.get(called.casefold().strip())
        grouped.setdefault(group, []).append(RawTurn("" if role else called, text, role or "named"))
    for group, turns in grouped.items():
        yield RawDialogue(f"dialogue {group!r}" if group else "the only dialogue", tuple(turns))


def _sillytavern(records: Sequence[_Record], file: str) -> Iterator[RawDialogue]:
    """A chat after each header line; other takes (swipes) of a message are ignored, hidden ones left out."""
    turns: list[RawTurn] = []
    where, user = records[0].where, ""
    for record in records:
        value = record.value
        if "mes" not in value and ("chat_metadata" in value or "user_name" in value):
            if turns:
                yield RawDialogue(where, tuple(turns), user)
            turns, where, user = [], record.where, str(value.get("user_name") or "")
            continue
        if not isinstance(value.get("mes"), str):
            raise ImportRefused(f"{file}, {record.where}: a message without text in `mes`; correct or remove it.")
        name = str(value.get("name") or "")
        role: Any = "nobody" if value.get("is_system") else "other" if value.get("is_user") else "named"
        user = name if role == "other" and name else user
        turns.append(RawTurn(name, value["mes"], role))
    if turns:
        yield RawDialogue(where, tuple(turns), user)
