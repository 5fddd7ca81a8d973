"""The table for a person at a terminal: colours, completion, history, a spinner while reading."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.text import Text

from bot.table.commands import COMMANDS, Leave, Output, run_input
from bot.table.events import Again, Line, Piece
from bot.table.outputs import Ack
from bot.table.table import Table
from characters.errors import UnderstudyError

_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")


class Screen:
    """Shows a table and reads what is typed."""

    def __init__(self, table: Table, history: Path, console: Console | None = None) -> None:
        self.table = table
        self.console = console or Console(highlight=False)
        self.history = history

    async def play(self) -> None:
        """Until the person leaves."""
        self._welcome()
        slugs = self.table.state.library.slugs()
        completer = WordCompleter([*COMMANDS, "summon", "switch", "dismiss", *slugs], sentence=False)
        session: PromptSession[str] = PromptSession(history=FileHistory(str(self.history)), completer=completer,
                                                    complete_while_typing=False)  # fmt: skip
        while True:
            try:
                with patch_stdout():
                    text = (await session.prompt_async(f"{self.table.state.person.name}: ")).strip()
            except (EOFError, KeyboardInterrupt):
                break
            if text and not await self._show(text):
                break
        self.console.print("[dim]Farewell.[/]")

    def _welcome(self) -> None:
        speaker = self.table.state.speaker
        who = self.table.sheet(speaker) if speaker else None
        here = f"{who.name}, {who.description}, is here." if who else "Nobody is here yet: /npc list, /npc summon NAME."
        hint = Text("/help lists the commands; Ctrl-D leaves.", "dim")
        self.console.print(Text.assemble(("Understudy", "bold"), "  ", here, "  ", hint))
        if who and who.greeting:
            self.console.print(Text(f"{who.first_name} looks up.", "dim"))

    async def _show(self, text: str) -> bool:
        """Show what an input brings; False when the person leaves. Ctrl-C hushes."""
        with _interrupted(self.table.hush), _typing_unseen():
            return await self._brought(text)

    async def _brought(self, text: str) -> bool:
        status = self.console.status("[dim]reading …[/]", spinner="dots")
        status.start()
        speaking = False
        try:
            async for output in run_input(self.table, text):
                status.stop()
                if isinstance(output, Leave):
                    return False
                speaking = self._print(output, speaking)
        except UnderstudyError as error:
            status.stop()
            self.console.print(Text(str(error), "red"))
        finally:
            status.stop()
        return True

    def _print(self, output: Output, speaking: bool) -> bool:
        """Print one output; returns whether a line is being streamed."""
        if isinstance(output, Piece):
            if not speaking:
                self.console.print(self._name(output), end=" ")
            self.console.print(Text(output.text), end="", soft_wrap=True)
            return True
        if isinstance(output, Again):
            self.console.print("[dim] (once more)[/]")
            return False
        if isinstance(output, Line):
            if not speaking:
                self.console.print(self._name(output), Text(output.text), end="")
            take = f" take {output.take}" if output.take > 1 else ""
            self.console.print(f"  [dim]({output.line_id}{take}{', cut' if output.cut else ''})[/]")
            return False
        if isinstance(output, Ack):
            self.console.print(Text(output.text, "dim"))
        return speaking

    def _name(self, said: Piece | Line) -> Text:
        slugs = self.table.state.library.slugs()
        colour = _COLOURS[slugs.index(said.npc) % len(_COLOURS)] if said.npc in slugs else "white"
        return Text(f"{said.name}:", f"bold {colour}")


@contextlib.contextmanager
def _interrupted(act: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C do this while something is shown, instead of ending the program."""
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _typing_unseen() -> Iterator[None]:
    """Keep what is typed ahead out of the line that is being shown; it stands at the next prompt."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = list(before)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
