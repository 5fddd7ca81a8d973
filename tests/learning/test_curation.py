"""Curating in the terminal: what is kept or corrected is an example on the next line and a row in the next night."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from characters.library import Library
from characters.prompt import Part
from db.home import Home
from db.queries import play, reactions, teaching
from db.store import Store
from learning.curation import Curated, Drawn, questions, record
from tests.fakes.desks import now

LIBRARY = Library(None)
MIRA = Part("mira", LIBRARY.get("mira"), LIBRARY.world("saltmere"))
ROPE = Drawn("Ana", "How much is the rope?")


async def curated(store: Store, done: Curated) -> tuple[list[str], list[teaching.TaughtRow], tuple[Any, ...]]:
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", now())
    made = await record(store, campaign, MIRA, done, now())
    async with store.session() as session:
        rows = await teaching.taught_rows(session, campaign, "mira", "curate")
        return made, rows, await reactions.style_examples(session, campaign, "mira")


async def test_a_corrected_answer_is_an_example_a_row_and_a_pair(store: Store) -> None:
    made, rows, style = await curated(store, Curated(ROPE, "No idea.", "correct", "Four copper, and it holds."))
    assert made == ["style example", "row", "pair"]
    assert [(row.kind, row.source, row.payload["completion"], row.payload["weight"]) for row in rows] == [
        ("sft", "gm", "Four copper, and it holds.", 3), ("pair", "gm", "Four copper, and it holds.", 1),
    ]  # fmt: skip
    assert rows[1].payload["rejected"] == "No idea."
    assert [(one.asked, one.line) for one in style] == [("How much is the rope?", "Four copper, and it holds.")]


async def test_a_kept_answer_is_an_example_and_a_row_and_a_rejected_one_a_label(store: Store) -> None:
    made, rows, style = await curated(store, Curated(ROPE, "Four copper.", "keep"))
    assert (made, len(style)) == (["style example", "row"], 1)
    assert rows[0].source == "npc"
    bell = Curated(Drawn("Ana", "Who stole the bell?"), "I did.", "reject")
    made, rows, style = await curated(store, bell)
    assert (made, len(style)) == (["label"], 1)
    assert (rows[-1].kind, rows[-1].payload["label"]) == ("label", False)


async def test_what_was_curated_is_not_drawn_again_and_the_grid_goes_on_for_ever(store: Store) -> None:
    _, rows, _ = await curated(store, Curated(ROPE, "Four copper.", "keep"))
    drawn = [one for one, _ in zip(questions(MIRA, rows, 1), range(30), strict=False)]
    assert ROPE.text not in {one.text for one in drawn}
    assert len({one.name for one in drawn}) == 30


def test_a_person_curates_at_the_terminal(home: Path, tiny_model: Path) -> None:
    from learning.commands.teach import teach

    home.mkdir(parents=True, exist_ok=True)
    Home(home).settings_file.write_text(f'[engine]\nmodel = "{tiny_model}"\n', "utf-8")
    said = "k\nc Four copper, and it holds.\nx\nr\ns\nq\n"
    done = CliRunner().invoke(teach, ["curate", "mira", "--json"], input=said)
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["choice"] for event in events if event["event"] == "ack"] == ["keep", "correct", "reject"]
    assert events[-1] == {"event": "end", "counts": {"kept": 1, "corrected": 1, "rejected": 1}}
    assert [event["event"] for event in events].count("question") == 5
    assert "Answer k, c, r, s or q" in next(event["message"] for event in events if event["event"] == "error")
