"""Datasets on their way out: prompts taken apart, faults that a check finds, forms for other programs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from characters.chat_template import ChatTemplate
from characters.messages import Message
from learning.datasets.exporting import ExportRefused, export
from learning.datasets.linting import Rules, files_of, likely_stop, lint, read_rows
from learning.datasets.marks import marks_of, proven_marks
from learning.datasets.snapshot import Origin, write_snapshot
from learning.starter.tokens import TEMPLATE
from tests.fakes.candidates import built, evening, heard, row

# --- taking prompts apart ---------------------------------------------------------------------------

CHATML = ChatTemplate(
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}", eos="<|im_end|>",
)  # fmt: skip
GEMMA = ChatTemplate(
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}", bos="<bos>", eos="<end_of_turn>",
)  # fmt: skip
TALK = [Message("system", "You are Mira.\n\nYou sell ale."), Message("user", "Ana: Ale?"), Message("assistant", "Four copper."),
        Message("user", "Ana: And rope?\n[You know: rope: 1 gold]")]  # fmt: skip


@pytest.mark.parametrize("template", [TEMPLATE, CHATML], ids=["starter", "chatml"])
@pytest.mark.parametrize("length", [2, 4])
def test_a_prompt_comes_apart_into_the_messages_it_was_made_of(template: ChatTemplate, length: int) -> None:
    marks = marks_of(template)
    assert marks is not None
    assert marks.messages(template.render(TALK[:length])) == TALK[:length]


def test_where_a_template_folds_the_system_text_it_stays_in_the_first_message() -> None:
    marks = proven_marks(GEMMA, [GEMMA.render(TALK)])
    assert marks is not None
    assert [m.role for m in marks.messages(GEMMA.render(TALK))] == ["user", "assistant", "user"]
    assert marks.messages(GEMMA.render(TALK))[0].content == "You are Mira.\n\nYou sell ale.\n\nAna: Ale?"


def test_a_template_whose_messages_cannot_be_told_apart_has_no_marks() -> None:
    bare = ChatTemplate("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    assert marks_of(bare) is None
    assert proven_marks(CHATML, ["a prompt of another template"]) is None


# --- linting ----------------------------------------------------------------------------------------


def fault_of(changes: dict[str, Any]) -> list[str]:
    good = {"prompt": "<|user|>Ana: Hello?<|end|><|assistant|>", "completion": "Aye.<|end|>"}
    rules = Rules("<|end|>", TEMPLATE.special_tokens, ("Ana Petrova",), longest=100)
    return [str(fault) for fault in lint({"sft/train.jsonl": [good, {**good, "prompt": "<|user|>Bo: Hm?<|end|><|assistant|>", **changes}]}, rules)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"completion": "<|end|>"}, "the completion is empty"),
        ({"completion": "Aye."}, "does not end with '<|end|>'"),
        ({"completion": "Aye.<|end|><|end|>"}, "has the template token '<|end|>' inside"),
        ({"completion": "Aye.</s> <|end|>"}, "has the template token '</s>' inside"),
        ({"completion": "Aye, Ana Petrova.<|end|>"}, "it names 'Ana Petrova'"),
        ({"prompt": "<|user|>Ana: Hello?<|end|><|assistant|>"}, "it repeats sft/train.jsonl, row 1"),
        ({"completion": "Aye. " * 90 + "<|end|>"}, "tokens long, 100 fit"),
        ({"label": "yes"}, "neither true nor false"),
        ({"chosen": "Aye.<|end|>", "rejected": "Aye.<|end|>"}, "chosen and rejected are the same"),
    ],
)  # fmt: skip
def test_every_fault_is_a_sentence_with_the_number_of_its_row(changes: dict[str, Any], told: str) -> None:
    [fault] = fault_of(changes)
    assert fault.startswith("sft/train.jsonl, row 2: ")
    assert told in fault
    assert fault.endswith(".")


def test_a_sound_row_has_no_fault_and_a_name_inside_a_word_is_none() -> None:
    assert fault_of({}) == []
    assert fault_of({"completion": "The Ana Petrovanian hills.<|end|>"}) == []


def test_what_is_built_is_sound(tmp_path: Path) -> None:
    snapshot = built(tmp_path, evening(7)).snapshot
    assert lint(files_of(snapshot), Rules("<|end|>", TEMPLATE.special_tokens, ("Ana Petrova", "Petrova"))) == []


def test_rows_of_other_programs_are_checked_too(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "Ale?"}, {"role": "assistant", "content": "Four."}]
    lines = [json.dumps({"messages": talk}), "{half", json.dumps({"messages": talk[:1]}), json.dumps({"text": "Ale"}),
             json.dumps({"conversations": [{"from": "human", "value": "Ale?"}, {"from": "gpt", "value": "Four.<|im_end|>"}]})]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    rows = read_rows(tmp_path / "rows.jsonl")
    assert likely_stop(rows) == ""
    faults = lint({"rows.jsonl": rows}, Rules())
    assert [(fault.row, fault.message.split(";")[0].split(",")[0]) for fault in faults] == [
        (2, "it is no JSON object"), (3, "the completion is empty"), (4, "it has text"), (5, "the completion has the template token '<|im_end|>' inside"),
    ]  # fmt: skip


# --- exporting --------------------------------------------------------------------------------------


def exported(tmp_path: Path, form: Any) -> dict[str, list[dict[str, Any]]]:
    source = [heard(0, "the ferry"), heard(0, "the mill", kind="pair", rejected="No idea."), heard(0, "winter", kind="label", label=False)]
    export(built(tmp_path / "datasets", source).snapshot, form, tmp_path / "out")
    return {str(path.relative_to(tmp_path / "out")): read_rows(path) for path in (tmp_path / "out").rglob("*.jsonl")}


def test_an_export_for_trl_has_its_columns_and_no_persons_key(tmp_path: Path) -> None:
    found = exported(tmp_path, "trl")
    assert found.keys() == {"sft/train.jsonl", "pair/train.jsonl", "label/train.jsonl"}
    assert found["sft/train.jsonl"][0].keys() == {"prompt", "completion", "source", "signal", "weight"}
    assert found["pair/train.jsonl"][0]["rejected"] == "No idea.<|end|>"
    assert found["label/train.jsonl"][0]["label"] is False


def test_an_export_for_openai_has_messages_and_tells_which_rows_have_no_form(tmp_path: Path) -> None:
    found = exported(tmp_path, "openai")
    assert found.keys() == {"sft/train.jsonl", "pair/train.jsonl"}
    [target], [pair] = found["sft/train.jsonl"], found["pair/train.jsonl"]
    assert [message["role"] for message in target["messages"]] == ["system", "user", "assistant"]
    assert "what do you make of the ferry" in target["messages"][1]["content"]
    assert target["messages"][2]["content"].startswith("The ferry? ")
    assert "<|" not in json.dumps(target)
    assert pair["non_preferred_output"] == [{"role": "assistant", "content": "No idea."}]


def test_an_export_for_sharegpt_has_all_three_kinds(tmp_path: Path) -> None:
    found = exported(tmp_path, "sharegpt")
    assert [turn["from"] for turn in found["sft/train.jsonl"][0]["conversations"]] == ["system", "human", "gpt"]
    assert found["pair/train.jsonl"][0]["rejected"] == {"from": "gpt", "value": "No idea."}
    assert found["label/train.jsonl"][0]["label"] is False


def test_every_export_has_a_card_with_licence_and_counts(tmp_path: Path) -> None:
    exported(tmp_path, "sharegpt")
    _, header, body = (tmp_path / "out" / "README.md").read_text("utf-8").split("---\n", 2)
    told = yaml.safe_load(header)
    assert (told["license"], told["license_name"]) == ("other", "the table's own")
    assert {"config_name": "sft", "data_files": [{"split": "train", "path": "sft/train.jsonl"}]} in told["configs"]
    for counted in ("| gm | 3 |", "| edit | 3 |", "| typed at the own machine | 3 |", "| the table's own | 3 |"):
        assert counted in body


def test_an_export_never_writes_into_a_folder_in_use_nor_guesses_at_messages(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "datasets", {"train": [row("Aye")]}, {"npc": "mira"}, {row("Aye"): Origin("by leave", "CC0")})
    with pytest.raises(ExportRefused, match="--format trl"):
        export(snapshot, "openai", tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ExportRefused, match="not an empty folder"):
        export(snapshot, "trl", tmp_path / "out")
