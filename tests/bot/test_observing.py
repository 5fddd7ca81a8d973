"""What operators watch: counters, a health endpoint, and a log that follows an interaction to its line without its words."""

import json
import logging
from pathlib import Path

import pytest

from bot.table import observing
from bot.table.commands import run_input
from bot.table.json_log import kept_log
from bot.table.observing import Counters
from characters.inference.errors import WorkerFailed
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import heard, said

SECRETIVE = "My grandmother hides silver spoons in Vellmark."


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Counters:
    fresh = Counters()
    monkeypatch.setattr(observing, "COUNTERS", fresh)
    return fresh


async def test_what_happens_at_a_table_is_counted(open_table: OpenTable, counters: Counters) -> None:
    table = await open_table("Four copper.", "Five.", WorkerFailed("It failed."))
    await said(table, "An ale?")
    await heard(table.another_take())
    await table.react("👍")
    with pytest.raises(WorkerFailed):
        await said(table, "Bread?")
    told = counters.text().splitlines()
    for line in (
        'understudy_turns_total{source="local"} 2', 'understudy_lines_total{ended="whole",npc="mira"} 2',
        'understudy_lines_total{ended="broken",npc="mira"} 1', "understudy_takes_total 1", "understudy_lines_speaking 0",
        'understudy_first_token_seconds_bucket{le="0.1"} 2', "understudy_first_token_seconds_count 2",
    ):  # fmt: skip
        assert line in told
    assert 'understudy_tokens_total{kind="said"} 3' in told
    assert sum(line.startswith("# TYPE") for line in told) >= 12


def test_labels_are_quoted_as_prometheus_reads_them() -> None:
    counters = Counters()
    counters.add("understudy_lines_total", npc='a"b\\c\nd', ended="whole")
    assert 'npc="a\\"b\\\\c\\nd"' in counters.text()


async def test_the_log_follows_an_interaction_from_its_question_to_its_line_and_holds_no_word_of_it(
    open_table: OpenTable, home: Path
) -> None:
    table = await open_table(f"So {SECRETIVE}", "Aye.")
    with kept_log(home) as file:
        for text in (SECRETIVE, "And now?"):
            await heard(run_input(table, text))
    events = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [event["event"] for event in events] == ["heard", "begins", "line"] * 2
    assert len({event["interaction"] for event in events}) == 2
    assert events[0]["interaction"] == events[2]["interaction"] != ""
    assert (events[2]["npc"], events[2]["line"], events[2]["tokens"]) == ("mira", 2, 8)
    assert "Vellmark" not in file.read_text("utf-8")


def test_of_an_error_the_log_keeps_where_it_arose_and_not_what_it_said(home: Path) -> None:
    home.mkdir()
    with kept_log(home) as file:
        try:
            raise ValueError(SECRETIVE)
        except ValueError:
            logging.getLogger("bot.somewhere").exception("It failed.")
        try:
            raise WorkerFailed("The model process failed.")
        except WorkerFailed:
            logging.getLogger("bot.somewhere").exception("It failed.")
    ours, sentence = [json.loads(line)["error"] for line in file.read_text("utf-8").splitlines()]
    assert (ours["kind"], "message" in ours) == ("ValueError", False)
    assert ours["where"][0].startswith("test_observing.py:")
    assert sentence["message"] == "The model process failed."
    assert "Vellmark" not in file.read_text("utf-8")


def test_an_interaction_may_be_given_its_id() -> None:
    assert observing.begin("discord-17") == observing.interaction() == "discord-17"
    assert len(observing.begin()) == 12
