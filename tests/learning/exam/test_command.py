"""`understudy exam`, as a person or a script would start it."""

from pathlib import Path

from learning.exam.tables import BEGINS, ENDS
from tests.fakes.exams import exam_of
from tests.fakes.program import understudy
from tests.fakes.tiny_model import write_tiny_model

# The tiny tokenizer knows few words, so its prompts are long: a short sheet leaves room for six turns.
SETTINGS = {"UNDERSTUDY_SAMPLING_MAX_TOKENS": "8", "UNDERSTUDY_ENGINE_SYSTEM_BUDGET": "100"}


def test_the_command_holds_a_whole_exam_with_report_and_picture(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "exam.md"
    done = understudy("exam", "mira", "--model", tiny_model, "--judge", "offline", "--json", "--out", out, **SETTINGS)
    assert done.status == 0, done.err
    judge = done.value["judge"]
    assert (judge["n"] >= 30, judge["decides"], set(judge["means"]) >= {"in character", "grounded"}) == (True, False, True)
    assert "## What a judge thinks" in out.read_text("utf-8")
    assert done.value["items"] == len(exam_of("mira", whole=True))
    assert {"off-distribution", "multi-turn", "secrets", "open secrets", "says it once"} <= set(done.value["scores"])
    assert out.read_text("utf-8").startswith("# Mira Dunmore: the exam")
    assert (tmp_path / "exam.svg").read_text("utf-8").startswith("<svg")


def test_two_adapters_or_two_files_are_compared(tiny_model: Path, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other.gguf", seed=7)
    kinds = ("--kinds", "identity,form-only")
    same = understudy("exam", "mira", "--model", tiny_model, "--compare", "base", "base", *kinds, "--json", **SETTINGS)
    assert same.value["differences"]["form"]["gain"] == 0.0
    two = understudy("exam", "mira", "--compare", tiny_model, other, *kinds, "--json", **SETTINGS)
    assert two.status == 0, two.err
    assert two.value["a"]["base"] != two.value["b"]["base"]
    assert set(two.value["differences"]) >= {"identity", "form"}
    assert two.value["differences"]["form"]["n"] == two.value["a"]["items"]


def test_the_table_of_everybody_is_written_into_a_document(tiny_model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{BEGINS}\n{ENDS}\n", "utf-8")
    done = understudy("exam", "--all", "--model", tiny_model, "--kinds", "secrets", "--table", page, **SETTINGS)
    assert done.status == 0, done.err
    assert page.read_text("utf-8").count("\n| ") == 15  # the head, twelve NPCs, all and its interval


def test_the_command_says_what_it_cannot_find_and_what_does_not_go_together() -> None:
    done = understudy("exam", "mira", "--adapter", "nobody")
    assert done.status == 1
    assert "There is no adapter 'nobody' of mira" in done.err
    assert understudy("exam", "mira", "--model", "no.gguf").status == 1
    for wrong in (("exam", "mira", "--all"), ("exam", "mira", "--kinds", "cooking")):
        assert understudy(*wrong).status == 2
