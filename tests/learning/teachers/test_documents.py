"""What a document says becomes rows and lore: read, drawn, cleaned, checked against its chunk."""

import json
import random
from pathlib import Path

import pytest

from characters.library import Library
from characters.prompt import Part
from db.provenance import Policy
from db.queries import teaching, told
from db.store import Store
from learning.documents.checking import check_against, check_names, clean_pair, known_names, without_source
from learning.documents.entries import entries_of
from learning.documents.prompts import Counts
from learning.documents.reading import DocumentUnreadable, read_documents
from learning.documents.running import Reading, tell_lore
from learning.taught import lesson_candidates
from learning.teachers.errors import Rejected
from learning.teachers.offline.teacher import OfflineTeacher
from tests.fakes.desks import ListTeacher, desk_of
from tests.fakes.program import understudy

GUIDE = Path(__file__).resolve().parents[3] / "learning" / "guides" / "crafting.md"
LIBRARY = Library(None)
SHEET = LIBRARY.get("sorrel")
SORREL = Part("sorrel", SHEET, LIBRARY.world(SHEET.world))
TABLE = """# Wares
| Ware | Needs | Price |
|---|---|---|
| Fire oil | 2 cups of resin, 1 pinch of ash | 4 silver |

- silk rope: 3 gold. Fifty feet.

The market opens at dawn.
"""
HTML = "<html><head><title>x</title></head><body><h1>Glue</h1><p>Needs: 3 bones, 1 pot</p><ul><li>old &amp; new</li></ul><script>no()</script></body></html>"


def test_markdown_html_text_and_folders_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TABLE)
    (tmp_path / "b.html").write_text(HTML)
    (tmp_path / "c.txt").write_text("THE FERRY\n\nIt leaves at noon.\n")
    chunks = read_documents([tmp_path])
    assert [(chunk.file, chunk.title) for chunk in chunks] == [("a.md", "Wares"), ("b.html", "Glue"), ("c.txt", "THE FERRY")]
    assert "no()" not in chunks[1].text
    assert "old & new" in chunks[1].text


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xff\xfe\x00bad")
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    for name, said in (("x.md", "UTF-8"), ("x.pdf", "neither Markdown"), ("gone.md", "no file")):
        with pytest.raises(DocumentUnreadable, match=said):
            read_documents([tmp_path / name])


def test_tables_lists_and_fields_are_entries(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TABLE)
    [chunk] = read_documents([tmp_path / "a.md"])
    assert [entry.fact for entry in entries_of(chunk)] == [
        "fire oil needs: 2 cups of resin and 1 pinch of ash.", "fire oil: 4 silver.", "silk rope: 3 gold. Fifty feet.",
        "On wares: The market opens at dawn.",
    ]  # fmt: skip
    recipes = [entry for chunk in read_documents([GUIDE]) for entry in entries_of(chunk) if entry.form == "recipe"]
    assert len(recipes) == 12
    assert all(len(recipe.items) == 3 for recipe in recipes)


def test_counts_are_a_clipped_gaussian() -> None:
    rng = random.Random(1)
    drawn = [Counts().draw(rng) for _ in range(4000)]
    assert (min(drawn), max(drawn) <= 50) == (2, True)
    assert 3.5 < sum(drawn) / len(drawn) < 4.5  # clipped at 2, the mean of 3 moves up
    dense = [Counts(45, 3, 35, 60).draw(rng) for _ in range(2000)]
    assert 44.5 < sum(dense) / len(dense) < 45.5
    assert min(dense) >= 35


@pytest.mark.parametrize(("said", "left"), [
    ("According to the guide, use oak.", "Use oak."), ("The guide says that oak is best.", "Oak is best."),
    ("Use oak, as described in the text.", "Use oak."), ("My guide dog likes oak.", "My guide dog likes oak."),
])  # fmt: skip
def test_mentions_of_the_source_are_rewritten(said: str, left: str) -> None:
    assert without_source(said) == left


@pytest.mark.parametrize(("question", "answer", "reason"), [
    ("What is it?", "As an AI, I cannot know.", "refusal"), ("What is it?", "See chapter 4 for the rest.", "source"),
    ("What is it?", "Two silver and then", "breaks off"), ("What is it?", "Die Brücke ist alt und nicht für dich.", "wrong language"),
])  # fmt: skip
def test_answers_that_are_no_use_are_left_out(question: str, answer: str, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        clean_pair(question, answer, "Sorrel", "The bridge is old and it is not for you, so you go with the others.")


def test_a_second_question_does_not_bleed_in() -> None:
    assert clean_pair("What is glue?", "Bones and resin.\nQ: And rope?\nA: Fibre.", "Sorrel", "Bones and resin.")[1] == "Bones and resin."


@pytest.mark.parametrize(("answer", "reason"), [
    ("You need 3 fish bones, 2 cups of pine resin and 1 pinch of soot.", ""), ("Five copper.", ""), ("It costs 7 copper.", "number"),
    ("You need 3 fish bones and 2 cups of pine resin.", "missing"), ("You need 2 fish bones, 3 cups of pine resin and 1 pinch of soot.", ""),
    ("You need fish bones, pine resin and soot.", "amounts"),
])  # fmt: skip
def test_recipes_prices_and_numbers_are_checked_against_the_chunk(answer: str, reason: str) -> None:
    chunk = next(chunk for chunk in read_documents([GUIDE]) if chunk.title == "Bridge glue")
    check = (answer, f"{chunk.title}\n{chunk.text}", "How is bridge glue made?", entries_of(chunk))
    if reason:
        with pytest.raises(Rejected, match=reason):
            check_against(*check)
    else:
        check_against(*check)


def test_names_of_nobody_are_left_out() -> None:
    known = known_names(SORREL, ["Ask Old Marta for resin."])
    check_names("You can ask Old Marta, or Queen Ismere.", known)
    with pytest.raises(Rejected, match="stands nowhere"):
        check_names("You can ask Gandalf for that.", known)


async def test_the_shipped_guide_becomes_rows_and_lore_and_a_second_run_adds_nothing(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    chunks = read_documents([GUIDE])
    desk = await desk_of(store, OfflineTeacher(), run="document-sorrel-x")
    for _ in range(2):
        await Reading(desk, SORREL, chunks, Counts(6, 1, 4, 8), 1, "ours").run()
    assert [await tell_lore(desk, "sorrel", chunks) for _ in range(2)] == [25, 0]
    async with store.session() as session:
        rows = await teaching.taught_rows(session, desk.campaign, "sorrel")
        lore = await told.known(session, desk.campaign, "sorrel")
    await store.close()
    assert 12 * 3 <= len(rows) == len({row.origin for row in rows})
    assert {row.payload["made_by"] for row in rows} == {"table reader"}
    assert "bridge glue needs: 3 fish bones, 2 cups of pine resin and 1 pinch of soot. Boil it until it stops spitting, and use it hot." in {fact.text for fact in lore}
    candidates = lesson_candidates(rows, SORREL, Policy())
    assert {candidate.at_hand == () for candidate in candidates} == {True, False}
    assert all(row.payload["where"].startswith("crafting.md › ") for row in rows)


async def test_pairs_of_a_model_are_checked_and_counted(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    chunks = [chunk for chunk in read_documents([GUIDE]) if chunk.title == "Bridge glue"]
    pairs = [
        ("What goes into bridge glue?", "The guide says 3 fish bones, 2 cups of pine resin and 1 pinch of soot."),
        ("What does it cost?", "It is 9 gold."), ("Who sells it?", "You may ask Gandalf."), ("Price?", "Five copper, friend."),
    ]  # fmt: skip
    answer = json.dumps({"pairs": [{"question": question, "answer": text} for question, text in pairs]})
    desk = await desk_of(store, ListTeacher("no json", f"Here:\n```json\n{answer}\n```"), run="document-sorrel-y")
    await Reading(desk, SORREL, chunks, Counts(), 1, "ours").run()
    async with store.session() as session:
        rows = await teaching.taught_rows(session, desk.campaign, "sorrel")
    await store.close()
    assert [row.payload["completion"] for row in rows] == ["3 fish bones, 2 cups of pine resin and 1 pinch of soot.", "Five copper, friend."]
    assert desk.progress.rejected == {
        "broken JSON (asked again)": 1, "a number that the chunk does not have": 1, "a name that stands nowhere": 1,
    }  # fmt: skip


def test_the_estimate_counts_the_model_that_looks_pairs_over_at_its_own_prices(home: Path) -> None:
    def told() -> dict[str, float]:
        return understudy("teach", "document", "sorrel", "crafting", "--dry-run", "--json").value

    settings = '[teacher]\nurl = "http://127.0.0.1:1/v1"\nmodel = "m"\nprompt_price = 2.0\ncompletion_price = 8.0\n'
    home.mkdir()
    (home / "understudy.toml").write_text(settings)
    rules = told()
    (home / "understudy.toml").write_text(settings + 'clean = "openai"\n')
    model = told()
    assert (rules["requests"], rules["cost"]) == (rules["chunks"], 0)
    assert model["requests"] == model["chunks"] + model["pairs"]
    assert model["prompt_tokens"] > rules["prompt_tokens"]
    assert 0 < model["cost"] < model["cost_at_most"]
