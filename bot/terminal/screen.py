"""The table for a person at a terminal: colours, completion, history, a spinner while reading."""

import asyncio
import contextlib
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.markup import escape

from bot.table.events import Again, Line, Piece
from bot.table.table import Table
from bot.terminal.commands import COMMANDS, Ack, Leave, Output, run_input
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
            if text and not await self._shown(text):
                break
        self.console.print("[dim]Farewell.[/]")

    def _welcome(self) -> None:
        speaker = self.table.state.speaker
        who = self.table.sheet(speaker) if speaker else None
        here = f"{who.name}, {who.description}, is here." if who else "Nobody is here yet: /npc list, /npc summon NAME."
        self.console.print(f"[bold]Understudy[/]  {escape(here)}  [dim]/help lists the commands; Ctrl-D leaves.[/]")
        if who and who.greeting:
            self.console.print(f"[dim]{escape(who.first_name)} looks up.[/]")

    async def _shown(self, text: str) -> bool:
        """Show what an input brings; False when the person leaves. Ctrl-C hushes."""
        task = asyncio.ensure_future(self._show(text))
        try:
            return await task
        except (KeyboardInterrupt, asyncio.CancelledError):
            self.table.hush()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return True

    async def _show(self, text: str) -> bool:
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
            self.console.print(f"[red]{escape(str(error))}[/]")
        finally:
            status.stop()
        return True

    def _print(self, output: Output, speaking: bool) -> bool:
        """Print one output; returns whether a line is being streamed."""
        if isinstance(output, Piece):
            if not speaking:
                self.console.print(f"[bold {self._colour(output.npc)}]{escape(output.name)}:[/] ", end="")
            self.console.print(escape(output.text), end="", soft_wrap=True)
            return True
        if isinstance(output, Again):
            self.console.print("[dim] (once more)[/]")
            return False
        if isinstance(output, Line):
            if not speaking:
                self.console.print(f"[bold {self._colour(output.npc)}]{escape(output.name)}:[/] {escape(output.text)}", end="")
            take = f" take {output.take}" if output.take > 1 else ""
            self.console.print(f"  [dim]({output.line_id}{take}{', cut' if output.cut else ''})[/]")
            return False
        if isinstance(output, Ack):
            self.console.print(f"[dim]{escape(output.text)}[/]")
        return speaking

    def _colour(self, npc: str) -> str:
        slugs = self.table.state.library.slugs()
        return _COLOURS[slugs.index(npc) % len(_COLOURS)] if npc in slugs else "white"
