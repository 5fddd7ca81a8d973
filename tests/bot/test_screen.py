"""The table for a person at a terminal: what is typed, what is shown, and how one leaves."""

import contextlib
import os
import pty
import re
import select
import time
from collections.abc import Awaitable, Callable, Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from bot.table.table import Seat, Table
from bot.terminal.screen import Screen
from characters.inference.errors import WorkerFailed
from db.models import TurnRow
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import rows
from tests.fakes.program import PROGRAM, QUICK

END = "\x04"
CTRL_C = b"\x03"
RED = "\x1b[31m"
Evening = Callable[..., Awaitable[str]]


@pytest.fixture
def evening(tmp_path: Path) -> Evening:
    """Type at a table and leave; what the screen showed."""

    async def play(table: Table, *inputs: str, end: str = END) -> str:
        shown = StringIO()
        console = Console(file=shown, force_terminal=True, color_system="standard", width=200, highlight=False)
        with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
            keyboard.send_text("".join(text + "\r" for text in inputs) + end)
            await Screen(table, tmp_path / "history", console).play()
        return shown.getvalue()

    return play


def plain(shown: str) -> str:
    """What is shown, without colours and the movements of a cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\r", "", shown)


async def test_a_line_is_shown_with_its_speaker_and_its_number(open_table: OpenTable, evening: Evening) -> None:
    table = await open_table("Boots off, or feet off.")
    shown = plain(await evening(table, "Good evening!"))
    line = (await rows(table, TurnRow))[-1].id
    assert "Mira Dunmore, innkeeper of the Lantern Rest, is here." in shown
    assert f"Mira Dunmore: Boots off, or feet off.  ({line})\n" in shown
    assert shown.endswith("Farewell.\n")


async def test_nothing_but_leaving_ends_the_evening(open_table: OpenTable, evening: Evening) -> None:
    table = await open_table("One.", "Two.")
    shown = plain(await evening(table, "First?", "", "   ", "Second?"))
    assert shown.index("One.") < shown.index("Two.") < shown.index("Farewell.")
    assert [row.text for row in await rows(table, TurnRow)] == ["First?", "One.", "Second?", "Two."]


@pytest.mark.parametrize("leave", ["/quit", "/exit"])
async def test_a_person_leaves_by_command(open_table: OpenTable, evening: Evening, leave: str) -> None:
    table = await open_table()
    shown = plain(await evening(table, leave, "Is anybody still there?"))
    assert shown.endswith("Farewell.\n")
    assert await rows(table, TurnRow) == []


@pytest.mark.parametrize("key", ["\x04", "\x03"], ids=["Ctrl-D", "Ctrl-C"])
async def test_a_person_leaves_by_key(open_table: OpenTable, evening: Evening, key: str) -> None:
    assert plain(await evening(await open_table(), end=key)).endswith("Farewell.\n")


async def test_a_fault_is_one_red_sentence_and_the_evening_goes_on(open_table: OpenTable, evening: Evening) -> None:
    table = await open_table(WorkerFailed("The model process failed 3 times in a row."), "Back again.")
    shown = await evening(table, "Hello?", "/dance", "Hello again?")
    assert f"{RED}The model process failed 3 times in a row.\x1b[0m\n" in shown
    assert f"{RED}There is no command /dance; /help lists them.\x1b[0m\n" in shown
    assert "Mira Dunmore: Back again." in plain(shown)


async def test_what_people_and_npcs_say_is_shown_as_it_is(open_table: OpenTable, evening: Evening) -> None:
    odd = ["[bold]x[/bold]", "[/]", "[red", "[link=file:///x]y[/link]", ":skull:", "\\", "[x]\\"]
    table = await open_table(*(f"You said {text} then" for text in odd))
    shown = plain(await evening(table, *(f"{said}{text}" for text in odd for said in ("/", "/say Hear ", "And "))))
    for text in odd:
        assert f"There is no command /{text};" in shown
        assert f"Mira Dunmore: Hear {text}  (" in shown
        assert f"Mira Dunmore: You said {text} then  (" in shown


async def test_takes_edits_and_cut_lines_are_told_apart(open_table: OpenTable, evening: Evening) -> None:
    table = await open_table("One.", "Two.")
    shown = plain(await evening(table, "Well?", "/regen", "/edit Three.", "/keep 1", "/react 👍", "/npc brug"))
    assert [line.split(": ")[1] for line in shown.splitlines() if line.startswith("Mira Dunmore: ")] == [
        "One.  (2)", "Two.  (2 take 2)", "Three.  (2 take 3)", "One.  (2)",
    ]  # fmt: skip
    assert "👍 on line 2." in shown
    assert "Brug Copperkettle is here: pedlar" in shown


async def test_an_empty_table_says_how_to_bring_somebody_in(open_table: OpenTable, evening: Evening) -> None:
    table = await open_table(npc=None)
    shown = plain(await evening(table, "Hello?", "/help"))
    assert "Nobody is here yet: /npc list, /npc summon NAME." in shown
    assert "summon someone with `/npc summon NAME`" in shown
    assert "/retcon [LINE]" in shown
    assert "stays on this machine" in shown


async def test_what_was_typed_is_remembered_for_the_next_evening(open_table: OpenTable, evening: Evening, tmp_path: Path) -> None:
    await evening(await open_table(seat=Seat("Ana")), "Remember me.")
    assert "Remember me." in (tmp_path / "history").read_text("utf-8")


# --- a real terminal -------------------------------------------------------------------------


class Terminal:
    """The program at a pseudo-terminal of its own, as a person sees it."""

    def __init__(self, *arguments: str | Path) -> None:
        self.shown = ""
        self.seen = 0
        environment = {**QUICK, **os.environ, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "200"}
        pid, self.keyboard = pty.fork()
        if pid == 0:
            os.execve(PROGRAM, [PROGRAM, "play", "--terminal", *map(str, arguments)], environment)
        self.process = psutil.Process(pid)

    def type(self, text: str) -> None:
        os.write(self.keyboard, (text + "\r").encode())

    def wait_for(self, pattern: str, seconds: float = 30) -> str:
        """Read the screen on until a pattern appears that was not there before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.compile(pattern).search(plain(self.shown), self.seen):
                self.seen = found.end()
                return found[0]
            if select.select([self.keyboard], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.keyboard, 65536).decode("utf-8", "replace")
                except OSError:  # the program has ended
                    break
        raise AssertionError(f"{pattern!r} never appeared in:\n{plain(self.shown)[self.seen:]}")

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.kill()
            self.process.wait()
        os.close(self.keyboard)


@pytest.fixture
def terminal(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name, value in {"MAX_TOKENS": "1000", "TEMPERATURE": "2", "REPETITION_PENALTY": "2", "TOP_K": "0", "TOP_P": "1", "MIN_P": "0"}.items():
        monkeypatch.setenv(f"UNDERSTUDY_SAMPLING_{name}", value)  # long lines, which do not go round in circles
    monkeypatch.setenv("UNDERSTUDY_ENGINE_COPY_BONUS", "0")  # a random model that is kept from its last lines soon says nothing
    opened = Terminal("--model", small_model, "--npc", "brug")
    yield opened
    opened.close()


def test_an_evening_at_a_real_terminal(terminal: Terminal) -> None:
    terminal.wait_for("Brug Copperkettle, pedlar of nearly honest goods at the Long Bridge, is here")
    terminal.wait_for("You:")
    terminal.type("Good evening!")
    terminal.wait_for(r"Brug Copperkettle: (?s:.*?)  \(2\)")
    terminal.type("/edit Ah, a purse with legs!")
    terminal.wait_for(r"Brug Copperkettle: Ah, a purse with legs!  \(2 take 2\)")
    terminal.type("/dance")
    terminal.wait_for("There is no command /dance; /help lists them.")
    terminal.type("What do you sell?")
    terminal.wait_for(r"Brug Copperkettle: (?s:.*?)  \(4\)")
    terminal.type("/quit")
    terminal.wait_for("Farewell")
    assert terminal.process.wait(timeout=20) == 0
    assert "Traceback" not in terminal.shown


def test_an_interrupt_in_mid_line_cuts_the_line_and_nothing_else(terminal: Terminal) -> None:
    terminal.wait_for("You:")
    for _ in range(2):
        ended = ""
        for _ in range(8):  # a random model may end a line by itself before it is interrupted
            terminal.type("Tell me a very long story.")
            terminal.wait_for("Brug Copperkettle: .")
            os.write(terminal.keyboard, CTRL_C)
            ended = terminal.wait_for(r"  \(\d+(, cut)?\)")
            if "cut" in ended:
                break
        assert "cut" in ended
    terminal.type("/quit")
    terminal.wait_for("Farewell")
    assert terminal.process.wait(timeout=20) == 0
    assert "Traceback" not in terminal.shown
