"""Dialogues from elsewhere, as rows an NPC learns from: read, cleaned, kept with their licence.

    file → what it holds (formats) → clean dialogues (here) → imports/<npc>/<hash>.jsonl and .json → candidates

What an NPC says becomes completions; everybody else is a user with a name. A dialogue is kept whole
and goes to one split. The manifest is written last: rows without one are the rest of an interrupted
import and are not read.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from characters.messages import Scene, Turn
from characters.prompt import clean_name
from db.provenance import Policy, verdict
from learning.datasets.cleaning import plain_speech
from learning.datasets.formats import read_contents
from learning.datasets.turns import ImportedDialogue, ImportedTurn, ImportRefused, RawDialogue, RawTurn
from learning.harvest import Candidate

_CONTEXT = 8  # turns before an answer
_SHOWN = 6  # speakers in an error
# Called by what they are to the program, or by a word that stands in every text, people get a name
# that stands in none: rendering puts a name of the world in its place wherever it stands.
_NAMELESS = frozenset({"", "you", "user", "human", "me", "i", "anon", "player", "unused", "somebody"})
_SOMEBODY = "Interlocutor"


@dataclass(frozen=True)
class Reading:
    """What was read from a file.

    Attributes:
        format: of the file, for people.
        left_out: turns and dialogues left out, by reason.
    """

    format: str
    dialogues: tuple[ImportedDialogue, ...]
    left_out: Mapping[str, int]


def read_file(path: Path, npc_name: str) -> list[ImportedDialogue]:
    """Read the dialogues of a file in which an NPC answers somebody; see `read_import`."""
    return list(read_import(path, npc_name).dialogues)


def read_import(path: Path, npc_name: str) -> Reading:
    """Read a file of dialogues and clean them.

    Args:
        path: JSON lines, ShareGPT, a SillyTavern chat or a transcript; told apart by what is inside.
        npc_name: what the file calls the NPC; its first name will do.

    Raises:
        ImportRefused: it cannot be read, is no dialogue, or the NPC answers nobody in it.
    """
    contents = read_contents(path)
    left_out: Counter[str] = Counter()
    dialogues = []
    for raw in contents.dialogues:
        dialogue = _cleaned(raw, npc_name, left_out)
        if not raw.wanted:
            left_out["dialogue whose answer is marked as bad"] += 1
        elif not any(turn.npc for turn in dialogue.turns):
            left_out["dialogue in which the NPC says nothing"] += 1
        elif not dialogue.answers:
            left_out["dialogue in which nobody speaks to the NPC"] += 1
        else:
            dialogues.append(dialogue)
    if not dialogues:
        raise ImportRefused(_nobody(path.name, npc_name, contents.dialogues))
    return Reading(contents.format, tuple(dialogues), dict(left_out))


def store_import(folder: Path, npc: str, reading: Reading, source: Path, licence: str) -> dict[str, Any]:
    """Keep what was read; the same dialogues again replace their manifest and nothing else.

    Args:
        folder: the home's folder of imports.
        npc: the NPC's slug.
        source: the file they came from; only its name and hash are kept.
        licence: under which they may be used.

    Returns:
        The manifest.

    Raises:
        ImportRefused: no licence is named, or the files cannot be written.
    """
    if not licence.strip():
        raise ImportRefused("No licence is named; say with --licence under which the dialogues may be used.")
    rows = "".join(json.dumps(asdict(dialogue), ensure_ascii=False) + "\n" for dialogue in reading.dialogues)
    digest = _digest(rows.encode())
    name = digest[:16]
    turns = [turn for dialogue in reading.dialogues for turn in dialogue.turns]
    counts = {
        "dialogues": len(reading.dialogues), "turns": len(turns), "npc_turns": sum(turn.npc for turn in turns),
        "answers": sum(len(dialogue.answers) for dialogue in reading.dialogues),
    }  # fmt: skip
    manifest = {
        "import": name, "npc": npc, "licence": licence.strip(), "file": source.name, "format": reading.format,
        "sha256": _digest(source.read_bytes()), "rows_sha256": digest, "counts": counts,
        "left_out": dict(reading.left_out),
    }  # fmt: skip
    try:
        (folder / npc).mkdir(parents=True, exist_ok=True)
        _write(folder / npc / f"{name}.jsonl", rows)
        _write(folder / npc / f"{name}.json", json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True))
    except OSError as error:
        raise ImportRefused(f"{folder / npc}: cannot be written ({error.strerror}); make room or rights.") from error
    return manifest


def load_imports(folder: Path, npc: str) -> list[Candidate]:
    """All imported rows of an NPC: one for each of its answers, with up to eight turns before it.

    Raises:
        ImportRefused: an imported file was changed or is gone.
    """
    judged = verdict("imported", "unasked", Policy())
    found = []
    for manifest in manifests(folder, npc):
        for number, dialogue in enumerate(_stored(folder / npc, manifest)):
            turns = [Turn(turn.speaker, turn.text, npc if turn.npc else None) for turn in dialogue.turns]
            conversation = _conversation(manifest, number)
            for at in dialogue.answers:
                found.append(Candidate(
                    "sft", "import", "imported", _seed(f"{conversation} {at}"), conversation, Scene(),
                    tuple(turns[max(0, at - _CONTEXT) : at]), (), turns[at].text,
                    trainable=judged.trainable, reason=judged.reason,
                ))  # fmt: skip
    return found


def licences(folder: Path, npc: str) -> dict[str, str]:
    """The licence of every imported conversation of an NPC, by the conversation's name."""
    return {
        _conversation(manifest, number): str(manifest["licence"])
        for manifest in manifests(folder, npc)
        for number in range(manifest["counts"]["dialogues"])
    }


def manifests(folder: Path, npc: str) -> list[dict[str, Any]]:
    """The manifests of everything imported for an NPC, in order of their hashes."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((folder / npc).glob("*.json"))]


def npcs_imported(folder: Path) -> list[str]:
    """The NPCs something was imported for, in order of name."""
    return sorted({path.parent.name for path in folder.glob("*/*.json")})


def _conversation(manifest: Mapping[str, Any], number: int) -> str:
    return f"import {manifest['import']}.{number}"


def _seed(name: str) -> int:
    """In place of a line's id: what seeds a row's stand-in names; negative, for it is no line of the table."""
    return -int(_digest(name.encode())[:8], 16)


def _stored(folder: Path, manifest: Mapping[str, Any]) -> Iterator[ImportedDialogue]:
    path = folder / f"{manifest['import']}.jsonl"
    rows = path.read_bytes() if path.is_file() else b""
    if _digest(rows) != manifest["rows_sha256"]:
        raise ImportRefused(
            f"{path}: it is not what was imported from {manifest['file']}; import that file again, "
            f"or remove {path.with_suffix('.json').name} to do without it."
        )
    for line in filter(None, rows.decode().split("\n")):
        kept = json.loads(line)
        yield ImportedDialogue(kept["where"], tuple(ImportedTurn(**turn) for turn in kept["turns"]))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(text, "utf-8", newline="\n")
    partial.replace(path)


def _cleaned(raw: RawDialogue, npc_name: str, left_out: Counter[str]) -> ImportedDialogue:
    """A dialogue without what nobody said; neighbouring turns of one speaker are one turn."""
    turns: list[ImportedTurn] = []
    names = {"user": raw.user or _SOMEBODY, "char": npc_name}
    for turn in raw.turns:
        if turn.role == "nobody":
            left_out["system or hidden text"] += 1
            continue
        text = "" if turn.speaker.casefold() == "ooc" else plain_speech(turn.text, names)
        if not text:
            left_out["turn in which nothing is said in character"] += 1
            continue
        npc = _is_npc(turn, npc_name)
        speaker = npc_name if npc else _called(turn.speaker)
        if turns and turns[-1].speaker == speaker and turns[-1].npc == npc:
            text = f"{turns.pop().text} {text}"
        turns.append(ImportedTurn(speaker, text, npc))
    return ImportedDialogue(raw.where, tuple(turns))


def _is_npc(turn: RawTurn, npc_name: str) -> bool:
    """A model's role speaks for the NPC unless it bears another name; a user's never does."""
    if turn.role == "npc" and not turn.speaker:
        return True
    called, wanted = turn.speaker.casefold().split(), npc_name.casefold().split()
    return turn.role != "other" and bool(called) and called in (wanted, wanted[:1])


def _called(speaker: str) -> str:
    name = clean_name(speaker)
    return _SOMEBODY if name.casefold() in _NAMELESS or not speaker.strip() else name


def _nobody(file: str, npc_name: str, dialogues: Sequence[RawDialogue]) -> str:
    """Why no dialogue of a file can be used."""
    speakers = Counter(turn.speaker for dialogue in dialogues for turn in dialogue.turns if turn.speaker)
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    if any(_is_npc(turn, npc_name) for turn in turns):
        return f"{file}: {npc_name} answers nobody in it; choose a file in which others speak too."
    if not speakers:
        return f"{file}: nobody answers in it; it needs turns with the role assistant, or with names."
    told = ", ".join(f"{name} ({count})" for name, count in speakers.most_common(_SHOWN))
    return f"{file}: nobody called {npc_name} speaks in it, but {told}; name the right one with --name."
