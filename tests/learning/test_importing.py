"""Dialogues in the forms other programs write them, cleaned, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from learning.datasets.importing import (
    licences,
    load_imports,
    manifests,
    npcs_imported,
    read_file,
    read_import,
    store_import,
)
from learning.datasets.turns import ImportRefused

PLATO = Path(__file__).resolve().parents[3] / "shared" / "data" / "plato" / "turns.jsonl"
ASKED, SAID = "What does the ale cost?", "Four copper."


def write(path: Path, content: str | list[Any]) -> Path:
    text = content if isinstance(content, str) else "".join(json.dumps(entry) + "\n" for entry in content)
    path.write_text(text, "utf-8")
    return path


def turns(path: Path, npc: str = "Mira Dunmore") -> list[list[tuple[str, str]]]:
    return [[(turn.speaker, turn.text) for turn in dialogue.turns] for dialogue in read_file(path, npc)]


WANTED = [[("Interlocutor", ASKED), ("Mira Dunmore", SAID)]]
MESSAGES = [{"role": "system", "content": "You are Mira."}, {"role": "user", "content": ASKED}, {"role": "assistant", "content": SAID}]
SHAREGPT = [{"from": "system", "value": "You are Mira."}, {"from": "human", "value": ASKED}, {"from": "gpt", "value": SAID}]


@pytest.mark.parametrize(
    "content",
    [
        [{"messages": MESSAGES}],
        [{"messages": [*MESSAGES[:1], {"role": "user", "content": [{"type": "text", "text": ASKED}]}, MESSAGES[2]]}],
        [{"conversations": SHAREGPT}],
        json.dumps([{"id": "a", "conversations": SHAREGPT}], indent=2),
        json.dumps({"data": [{"conversations": SHAREGPT}]}),
        json.dumps([MESSAGES]),
        [{"prompt": ASKED, "completion": SAID}],
        [{"prompt": MESSAGES[:2], "completion": MESSAGES[2:]}],
        MESSAGES,
    ],
    ids=["messages", "parts", "sharegpt lines", "sharegpt", "data", "lists", "prompt", "prompt messages", "one message a line"],
)  # fmt: skip
def test_every_form_of_chat_data_is_the_same_dialogue(tmp_path: Path, content: str | list[Any]) -> None:
    assert turns(write(tmp_path / "chat.data", content)) == WANTED


def test_a_sillytavern_chat_gives_the_take_that_counts_and_leaves_hidden_messages_out(tmp_path: Path) -> None:
    chat = [
        {"user_name": "Ana", "character_name": "Mira", "create_date": "2026-05-01", "chat_metadata": {}},
        {"name": "Mira", "is_user": False, "mes": "Boots off, {{user}}.", "swipes": ["Boots off, {{user}}.", "Go away."]},
        {"name": "Ana", "is_user": True, "mes": ASKED},
        {"name": "System", "is_user": False, "is_system": True, "mes": "The chat was saved."},
        {"name": "Mira", "is_user": False, "mes": "*wipes a mug* Four copper, <b>{{user}}</b>.", "extra": {}},
    ]
    found = read_import(write(tmp_path / "Mira - 2026.jsonl", chat), "Mira Dunmore")
    assert found.format == "SillyTavern chat"
    assert [(t.speaker, t.text, t.npc) for t in found.dialogues[0].turns] == [
        ("Mira Dunmore", "Boots off, Ana.", True), ("Ana", ASKED, False), ("Mira Dunmore", "*wipes a mug* Four copper, Ana .", True),
    ]  # fmt: skip
    assert found.left_out == {"system or hidden text": 1}


def test_one_turn_a_line_is_grouped_by_dialogue_and_a_namesake_is_somebody_else(tmp_path: Path) -> None:
    lines = [
        {"dialogue": "a", "turn": 0, "speaker": "Young Socrates", "text": "What is a statesman?"},
        {"dialogue": "b", "turn": 0, "speaker": "Ion", "text": "I sing Homer."},
        {"dialogue": "a", "turn": 1, "speaker": "Socrates", "text": "Let us ask the Stranger."},
        {"dialogue": "b", "turn": 1, "speaker": "Socrates", "text": "And who taught you?"},
    ]
    assert turns(write(tmp_path / "turns.jsonl", lines), "Socrates") == [
        [("Young Socrates", "What is a statesman?"), ("Socrates", "Let us ask the Stranger.")],
        [("Ion", "I sing Homer."), ("Socrates", "And who taught you?")],
    ]  # fmt: skip


TRANSCRIPT = """\
# At the inn

Ana: What does the ale cost?
Mira: Four copper.
And you pay first.
(She wipes a mug.)

Bo: Any rooms?
Mira: One, up the stairs.
"""


def test_dialogues_of_a_transcript_are_parted_by_blank_lines_and_a_turn_may_go_on(tmp_path: Path) -> None:
    assert turns(write(tmp_path / "inn.txt", TRANSCRIPT)) == [
        [("Ana", ASKED), ("Mira Dunmore", "Four copper. And you pay first.")],
        [("Bo", "Any rooms?"), ("Mira Dunmore", "One, up the stairs.")],
    ]  # fmt: skip


def test_where_every_turn_stands_alone_headings_part_dialogues(tmp_path: Path) -> None:
    spaced = TRANSCRIPT.replace("\n", "\n\n").replace("\n\n\n\nBo", "\n\n## Later\n\nBo")
    assert [len(dialogue) for dialogue in turns(write(tmp_path / "inn.txt", spaced))] == [2, 2]


@pytest.mark.parametrize(
    "form",
    ["{}: {}", "**{}:** {}", "**{}**: {}", "[20:14] {}: {}", "20:14:07 {}: {}", "<{}> {}", "{} (aside): {}", "_{}:_ {}"],
)  # fmt: skip
def test_transcripts_name_their_speakers_in_many_ways(tmp_path: Path, form: str) -> None:
    text = "\n".join(form.format(*turn) for turn in (("Ana", ASKED), ("Mira", SAID)))
    assert turns(write(tmp_path / "log.txt", text)) == [[("Ana", ASKED), ("Mira Dunmore", SAID)]]


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Four copper. ((brb, dog))", "Four copper."),
        ("Four copper. [OOC: is that right?]", "Four copper."),
        ("OOC: one moment\nFour copper.", "Four copper."),
        ("<think>She wants ale.</think>Four copper.<|im_end|>", "Four copper."),
        ("[INST] Four copper. [/INST]</s>", "Four copper."),
        ("Four\u200b copper.\x07\r\n", "Four copper."),
        ("Four copper, see https://ale.example/list or <@123456789012345678>.", "Four copper, see or ."),
        ("[You know: brown ale: 4 copper.]\nFour copper.", "Four copper."),
    ],
)  # fmt: skip
def test_what_nobody_says_in_the_world_is_taken_out(tmp_path: Path, written: str, left: str) -> None:
    talk = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": written}]
    assert turns(write(tmp_path / "chat.jsonl", [{"messages": talk}])) == [[("Interlocutor", ASKED), ("Mira Dunmore", left)]]


def test_a_turn_out_of_character_is_no_turn_and_neighbours_of_one_speaker_are_one(tmp_path: Path) -> None:
    text = "Ana: Good evening.\nMira: Evening.\nAna: ((pizza is here))\nMira: What will it be?\nAna: Ale.\nMira: ((ok))\nAna: And bread.\nMira: Sit."
    found = read_import(write(tmp_path / "log.txt", text), "Mira")
    assert [(t.speaker, t.text) for t in found.dialogues[0].turns] == [
        ("Ana", "Good evening."), ("Mira", "Evening. What will it be?"), ("Ana", "Ale. And bread."), ("Mira", "Sit."),
    ]  # fmt: skip
    assert found.left_out == {"turn in which nothing is said in character": 2}


def test_our_own_messages_come_back_with_the_names_they_had(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "Anwen: Good evening.\nBress: What does the ale cost?\n[You know: brown ale: 4 copper.]"},
            {"role": "assistant", "content": SAID}]  # fmt: skip
    [dialogue] = turns(write(tmp_path / "ours.jsonl", [{"messages": talk}]))
    assert dialogue == [("Anwen", "Good evening."), ("Bress", ASKED), ("Mira Dunmore", SAID)]


def test_of_rows_with_a_preference_only_the_wanted_answer_is_learnt(tmp_path: Path) -> None:
    rows = [
        {"conversations": SHAREGPT[:2], "chosen": SHAREGPT[2], "rejected": {"from": "gpt", "value": "Beat it."}},
        {"prompt": ASKED, "chosen": SAID, "rejected": "Beat it."},
        {"messages": MESSAGES, "label": True},
        {"messages": [*MESSAGES[:2], {"role": "assistant", "content": "Beat it."}], "label": False},
    ]
    found = read_import(write(tmp_path / "rows.jsonl", rows), "Mira Dunmore")
    assert [[turn.text for turn in dialogue.turns] for dialogue in found.dialogues] == [[ASKED, SAID]] * 3
    assert found.left_out["dialogue whose answer is marked as bad"] == 1


def test_a_named_assistant_is_the_npc_only_under_its_name(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": ASKED}, {"role": "assistant", "name": "Tobin", "content": "Ask my sister."},
            {"role": "assistant", "name": "Mira", "content": SAID}]  # fmt: skip
    assert turns(write(tmp_path / "two.jsonl", [{"messages": talk}])) == [[("Interlocutor", ASKED), ("Tobin", "Ask my sister."), ("Mira Dunmore", SAID)]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "it is empty"),
        ("It was a dark night.\nThe rain fell: hard.\nNobody came.\n", "line 1: this is no dialogue; 0 of 3"),
        ('{"messages": []}\n{"messages": [}\n', "line 2: this is no JSON"),
        ('[{"conversations": [}]', "line 1: this is no JSON"),
        ('{"text": "Once upon a time"}', "entry 1: this is no dialogue \\(it has text\\)"),
        ('{"prompt": "<|user|>Hi<|end|><|assistant|>", "completion": "Aye."}', "the prompt was rendered by a chat template"),
        ('{"messages": [{"role": "user", "content": 4}]}', "what is said is no text"),
        ("[1, 2]", "entry 1: a JSON object was expected"),
        ("Ana: Hello?\nBo: Is nobody here?\nAna: No.", r"nobody called Mira Dunmore speaks in it, but Ana \(2\), Bo \(1\); .*--name"),
        ("Mira: Hello?\n\n---\n\nMira: Is nobody here?", "Mira Dunmore answers nobody in it"),
        ("Ana: Hi.\0\nMira: Hi.", "line 1: this is no text"),
        ("[" * 100_000, "this is no JSON"),
    ],
)  # fmt: skip
def test_what_is_no_dialogue_is_refused_in_a_sentence_with_file_and_line(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(ImportRefused, match=told) as refused:
        read_file(write(tmp_path / "file.any", content), "Mira Dunmore")
    assert str(refused.value).startswith("file.any")
    assert str(refused.value).endswith(".")


def test_text_in_another_encoding_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Ana: Grüße\nMira: Hm.\n".encode("latin-1"))
    with pytest.raises(ImportRefused, match=r"latin\.txt, line 1: this is no UTF-8"):
        read_file(tmp_path / "latin.txt", "Mira")
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_file(tmp_path / "none.txt", "Mira")


def kept(tmp_path: Path, text: str = TRANSCRIPT) -> tuple[Path, dict[str, Any]]:
    source, folder = write(tmp_path / "inn.txt", text), tmp_path / "imports"
    return folder, store_import(folder, "mira", read_import(source, "Mira"), source, "CC-BY-4.0")


def test_an_import_is_kept_with_its_licence_source_and_counts(tmp_path: Path) -> None:
    folder, manifest = kept(tmp_path)
    assert manifests(folder, "mira") == [manifest]
    assert (manifest["licence"], manifest["file"], manifest["format"]) == ("CC-BY-4.0", "inn.txt", "transcript")
    assert manifest["counts"] == {"dialogues": 2, "turns": 4, "npc_turns": 2, "answers": 2}
    assert npcs_imported(folder) == ["mira"]
    assert kept(tmp_path) == (folder, manifest)
    assert len(list((folder / "mira").iterdir())) == 2


def test_an_import_without_a_licence_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "inn.txt", TRANSCRIPT)
    with pytest.raises(ImportRefused, match="--licence"):
        store_import(tmp_path, "mira", read_import(source, "Mira"), source, " ")


def test_every_answer_is_a_row_whose_dialogue_is_its_conversation(tmp_path: Path) -> None:
    folder, manifest = kept(tmp_path)
    rows = load_imports(folder, "mira")
    assert [row.conversation for row in rows] == [f"import {manifest['import']}.{number}" for number in (0, 1)]
    assert licences(folder, "mira") == {row.conversation: "CC-BY-4.0" for row in rows}
    assert {(row.kind, row.source, row.signal, row.trainable, row.weight) for row in rows} == {("sft", "imported", "import", True, 1)}
    assert [(turn.speaker, turn.npc) for turn in rows[0].turns] == [("Ana", None)]
    assert load_imports(folder, "brug") == []


def test_a_long_dialogue_gives_a_row_an_answer_with_eight_turns_before_it(tmp_path: Path) -> None:
    folder, _ = kept(tmp_path, "\n".join(f"Ana: Question {n}?\nMira: Answer {n}." for n in range(20)))
    rows = load_imports(folder, "mira")
    assert len(rows) == 20
    assert [turn.text for turn in rows[0].turns] == ["Question 0?"]
    assert len(rows[-1].turns) == 8
    assert rows[-1].turns[-1].text == "Question 19?"
    assert {turn.npc for turn in rows[-1].turns} == {None, "mira"}


def test_an_import_that_was_changed_or_never_finished_teaches_nobody(tmp_path: Path) -> None:
    folder, manifest = kept(tmp_path)
    (folder / "mira" / "0123456789abcdef.jsonl").write_text("half of an import")
    assert len(load_imports(folder, "mira")) == 2
    (folder / "mira" / f"{manifest['import']}.jsonl").write_text("{}\n")
    with pytest.raises(ImportRefused, match=r"it is not what was imported from inn\.txt"):
        load_imports(folder, "mira")


@pytest.mark.skipif(not PLATO.is_file(), reason="the dialogues of Plato are not beside the project")
def test_the_dialogues_of_plato_give_socrates_two_thousand_answers() -> None:
    found = read_import(PLATO, "Socrates")
    assert len(found.dialogues) == 9
    assert sum(len(dialogue.answers) for dialogue in found.dialogues) > 2000
    assert found.left_out == {"dialogue in which the NPC says nothing": 1}
