"""`understudy teach`: data from a bigger model, from documents, from the small model itself; and a judge."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "bootstrap": "learning.commands.teach_bootstrap:bootstrap",
    "curate": "learning.commands.teach_curate:curate",
    "document": "learning.commands.teach_document:document",
    "grow": "learning.commands.teach_grow:grow",
    "judge": "learning.commands.teach_judge:judge",
}
_ABOUT = {
    "bootstrap": "Write conversations for an NPC that has none yet.",
    "curate": "Hear an NPC's answers, and keep, correct or reject them.",
    "document": "Teach an NPC what documents say; it has it at hand as well.",
    "grow": "Let a model grow an NPC's questions and answers from those there are.",
    "judge": "Let evaluators score lines, and hold them against people's votes first.",
}


class _Lazy(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _ABOUT[name]) for name in _COMMANDS])


@click.group(cls=_Lazy)
def teach() -> None:
    """Make training data for an NPC, and judge it. Which teacher does what is set under [teacher]."""
