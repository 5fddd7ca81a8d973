"""The table as JSON lines, in the real program with a real (tiny) model: what scripts rely on."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.bot.conftest import Command
from tests.fakes.program import Conversation, Done, understudy

LINE_KEYS = {"event", "id", "npc", "text", "line_id", "adapter", "ttft_ms", "tokens", "prompt_tokens", "reused_tokens"}
Play = Callable[..., Done]


@pytest.fixture
def play(tiny_model: Path) -> Play:
    """Play through a list of inputs and end."""

    def run(*inputs: str, options: tuple[str, ...] = (), **environment: str) -> Done:
        return understudy("play", "--terminal", "--json", "--model", tiny_model, *options, stdin="\n".join(inputs) + "\n", **environment)

    return run


def of(done: Done, *kinds: str) -> list[dict[str, Any]]:
    return [event for event in done.events if event["event"] in kinds]


def table_of(home: Path, query: str) -> list[Any]:
    with sqlite3.connect(home / "db.sqlite") as connection:
        return connection.execute(query).fetchall()


def worker(process: psutil.Process) -> psutil.Process:
    """The model's process: a direct child."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in process.children():
            if any("llama_worker" in part for part in child.cmdline()):
                return child
        time.sleep(0.02)
    raise AssertionError(f"no worker among {process.children()}")


def test_an_evening_of_scripts_is_answered_input_by_input(play: Play, home: Path) -> None:
    done = play(
        "Good evening!", "/npc summon brug", "What do you sell?", "/react 👍", "/regen", "/keep 1", "/edit Forty ladles.",
        "/why", "/scene set mood=late", "// pizza?", "/npc list", "/help", "/session stop", "Mira, are you there?",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    by_input = defaultdict(list)
    for event in done.events:
        by_input[event["id"]].append(event["event"] if event["event"] != "ack" else event["command"])
    assert sorted(by_input) == list(range(1, 15))
    ends = {number: kinds[-1] for number, kinds in by_input.items()}
    assert ends == {
        1: "line", 2: "npc summon", 3: "line", 4: "react", 5: "line", 6: "line", 7: "line",
        8: "why", 9: "scene", 10: "heard", 11: "npc list", 12: "help", 13: "session stop", 14: "line",
    }  # fmt: skip
    lines = {event["id"]: event for event in of(done, "line")}
    for line in lines.values():
        assert set(line) >= LINE_KEYS
    for number in (1, 3, 5, 14):
        assert "".join(e["text"] for e in of(done, "delta") if e["id"] == number) == lines[number]["text"]
        assert lines[number]["tokens"] > 0
        assert lines[number]["prompt_tokens"] >= lines[number]["reused_tokens"] >= 0
        assert lines[number]["ttft_ms"] > 0
    assert [lines[number]["npc"] for number in (1, 3, 14)] == ["mira", "brug", "mira"]
    assert [lines[number]["take"] for number in (3, 5, 6, 7)] == [1, 2, 1, 3]
    assert lines[6]["text"] == lines[3]["text"]
    assert len({lines[number]["line_id"] for number in (3, 5, 6, 7)}) == 1
    assert lines[7]["text"] == "Forty ladles."
    acknowledged = {event["command"]: event for event in of(done, "ack")}
    assert acknowledged["why"]["origin"] == "gm"
    assert {npc["slug"] for npc in acknowledged["npc list"]["npcs"] if npc["here"]} == {"mira", "brug"}
    assert table_of(home, "select text from turns where id = 1") == [("Good evening!",)]


def test_what_goes_wrong_is_an_event_and_the_evening_goes_on(play: Play, home: Path) -> None:
    wrong = ("/dance", "/npc summon nobody", "/react 🍕", "x" * 5000, "/keep 9", "/", "/edit It was me.", "/say I am the NPC now.")
    done = play(*wrong, "Still there?", options=("--as", "Ben"))
    assert (done.status, done.err) == (0, "")
    errors = {event["id"]: event["message"] for event in of(done, "error")}
    assert sorted(errors) == list(range(1, len(wrong) + 1))
    assert errors[1] == "There is no command /dance; /help lists them."
    assert errors[8] == "Only the GM speaks as an NPC; play without `--as`."
    assert all(message.endswith(".") and "\n" not in message for message in errors.values())
    assert [event["id"] for event in of(done, "line")] == [9]
    assert table_of(home, "select name, role from participants") == [("Ben", "player")]
    assert table_of(home, "select speaker from turns where npc is null") == [("Ben",)]


def test_bytes_that_are_no_text_do_not_stop_the_evening(tiny_model: Path) -> None:
    done = understudy("play", "--terminal", "--json", "--model", tiny_model, stdin=b"caf\xe9 \xff\x00!\n\nAnd now?\n")
    assert (done.status, done.err) == (0, "")
    assert [event["id"] for event in of(done, "line")] == [1, 2]


def test_no_input_at_all_ends_at_once(tiny_model: Path) -> None:
    done = understudy("play", "--terminal", "--json", "--model", tiny_model)
    assert (done.status, done.out, done.err) == (0, "", "")


def test_leaving_ends_early_even_if_the_input_stays_open(tiny_model: Path) -> None:
    with Conversation("--model", tiny_model) as talk:
        talk.say("Good evening!\n/quit\nNobody hears this.")
        events = talk.hear("ack")  # the turn is heard
        while events[-1].get("command") != "quit":
            events += talk.hear("ack")
        assert talk.process.wait(timeout=20) == 0
        assert {event["id"] for event in events} == {1, 2}
        assert [event["event"] for event in events if event["event"] == "line"] == ["line"]
        assert talk.process.stdout is not None
        assert talk.process.stdout.read() == ""
        assert talk.process.stderr is not None
        assert talk.process.stderr.read() == ""


def test_a_hush_cuts_the_line_that_is_being_spoken(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_MAX_TOKENS", "1000")
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_TEMPERATURE", "1.8")  # a long line that does not go in circles
    with Conversation("--model", small_model) as talk:
        for _ in range(20):  # a random model often ends a line by itself before it is hushed
            talk.say("Tell me a very long story.")
            talk.hear("delta")
            talk.say("/hush")
            line = talk.hear("line")[-1]
            assert talk.hear("ack")[-1]["command"] == "hush"
            if line["cut"]:
                break
        assert line["cut"]
        assert line["text"]
        assert talk.end().status == 0


def test_killing_the_model_between_two_lines_costs_no_line(tiny_model: Path, home: Path) -> None:
    with Conversation("--model", tiny_model) as talk:
        talk.say("Good evening!")
        talk.hear("line")
        killed = worker(psutil.Process(talk.process.pid))
        killed.kill()
        talk.say("Are you well?")
        talk.hear("line")
        assert worker(psutil.Process(talk.process.pid)).pid != killed.pid
        assert talk.end().status == 0
    assert table_of(home, "select state, count(*) from takes group by state") == [("complete", 2)]


def test_killing_the_model_in_mid_line_begins_the_line_anew(tiny_model: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_MAX_TOKENS", "1000")
    monkeypatch.setenv("UNDERSTUDY_SAMPLING_TEMPERATURE", "1.8")  # a long line that does not go in circles
    with Conversation("--model", tiny_model) as talk:
        kinds: list[str] = []
        while "restart" not in kinds:  # a random model may end a line by itself before it is killed
            talk.say("Tell me a very long story.")
            before = talk.hear("delta")[-1:]
            worker(psutil.Process(talk.process.pid)).kill()
            events = before + talk.hear("line")
            kinds = [event["event"] for event in events]
        talk.say("And now?")
        talk.hear("line")
        assert talk.end().status == 0
    again = events[kinds.index("restart") + 1 :]
    void = events[: kinds.index("restart")]
    assert "".join(event["text"] for event in again if event["event"] == "delta") == events[-1]["text"]
    assert events[-1]["text"].startswith("".join(event["text"] for event in void))
    assert {event["id"] for event in events} == {events[-1]["id"]}
    assert table_of(home, "select distinct state from takes") == [("complete",)]


def test_killing_the_whole_program_in_mid_line_loses_nothing_and_the_next_start_goes_on(tiny_model: Path, play: Play, home: Path) -> None:
    with Conversation("--model", tiny_model) as talk:
        talk.say('/npc summon brug\n/scene set place="the Long Bridge"\nGood evening!')
        talk.hear("line")
        talk.say("Remember this: the key is under the third plank.")
        talk.hear("delta")
        child = worker(psutil.Process(talk.process.pid))
        talk.process.kill()
        talk.process.wait()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running(), "the model outlives the table"
    done = play("/scene show", "Where is the key?")
    assert of(done, "ack")[0]["scene"]["place"] == "the Long Bridge"
    assert [(event["id"], event["npc"]) for event in of(done, "line")] == [(2, "brug")]
    said = [text for (text,) in table_of(home, "select text from turns where npc is null order by id")]
    assert said == ["Good evening!", "Remember this: the key is under the third plank.", "Where is the key?"]
    assert "streaming" not in {state for (state,) in table_of(home, "select state from takes")}
    assert table_of(home, "select count(*) from sessions") == [(1,)]


# --- what keeps a table from opening ---------------------------------------------------------


def _broken_sheet(home: Path) -> tuple[str, ...]:
    (home / "sheets").mkdir()
    (home / "sheets" / "ana.yaml").write_text("name: Ana\nkind: [", "utf-8")
    return ("--npc", "ana")


def _missing_model(home: Path) -> tuple[str, ...]:
    return ("--model", str(home / "none.gguf"))


def _no_gguf(home: Path) -> tuple[str, ...]:
    (home / "text.gguf").write_text("This is no model at all.", "utf-8")
    return ("--model", str(home / "text.gguf"))


def _corrupt_gguf(home: Path) -> tuple[str, ...]:
    (home / "half.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(range(256)) * 40)
    return ("--model", str(home / "half.gguf"))


def _file_as_home(home: Path) -> tuple[str, ...]:
    home.rmdir()
    home.write_text("in the way", "utf-8")
    return ()


def _wrong_toml(home: Path) -> tuple[str, ...]:
    (home / "understudy.toml").write_text("[engine\nmodel = 3", "utf-8")
    return ()


def _wrong_database_url(home: Path) -> tuple[str, ...]:
    (home / "understudy.toml").write_text('[database]\nurl = "nonsense"', "utf-8")
    return ()


def _no_database(home: Path) -> tuple[str, ...]:
    (home / "db.sqlite").write_bytes(b"SQLite format 4\x00 or something like it" * 200)
    return ()


def _nobody(home: Path) -> tuple[str, ...]:
    return ("--npc", "socratse")


BREAKAGES = {
    _broken_sheet: "ana.yaml: line 2: ",
    _missing_model: "There is no model at ",
    _no_gguf: "text.gguf is not a GGUF file",
    _corrupt_gguf: "half.gguf",
    _file_as_home: "set UNDERSTUDY_HOME to a folder of yours",
    _wrong_toml: "understudy.toml is not valid TOML",
    _wrong_database_url: "database.url is no address",
    _no_database: "db.sqlite is not a database",
    _nobody: "did you mean 'socrates'",
}


def is_one_sentence_with(part: str, done: Done) -> None:
    sentence = done.err.removesuffix("\n")
    assert part in sentence
    assert "\n" not in sentence, done.err
    assert sentence.endswith((".", "?"))
    assert done.events == [{"event": "error", "message": sentence}]
    assert done.status == 1


@pytest.mark.parametrize("break_it", BREAKAGES, ids=lambda function: function.__name__.strip("_"))
def test_what_keeps_a_table_from_opening_is_told_in_one_sentence(
    break_it: Callable[[Path], tuple[str, ...]], command: Command, tiny_model: Path, home: Path
) -> None:
    home.mkdir()
    options = break_it(home)
    is_one_sentence_with(BREAKAGES[break_it], command("play", "--terminal", "--json", "--model", tiny_model, *options))


def test_a_table_that_cannot_open_ends_the_real_program_too(play: Play, home: Path) -> None:
    home.mkdir()
    is_one_sentence_with("half.gguf", play("Hello?", options=_corrupt_gguf(home)))


def test_a_database_that_somebody_else_holds_is_told_in_one_sentence(play: Play, home: Path) -> None:
    home.mkdir()
    holder = sqlite3.connect(home / "db.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        is_one_sentence_with("is held by another program; close it and try again", play("Hello?"))
    finally:
        holder.close()
