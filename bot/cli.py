"""`understudy`: one program, two halves.

Commands are imported only when they are called, so help is instant and an installation without
the learning extra still has a table. The learning half registers its commands under the entry
point group `understudy.commands`; there is no import edge between the halves.
"""

import importlib
import importlib.metadata
import json
import logging
import sys
from typing import Any

import click

from characters.errors import UnderstudyError

_OWN = {
    "play": "bot.commands.play:play",
    "bot": "bot.commands.bot:bot",
    "serve": "bot.commands.serve:serve",
    "sheet": "bot.commands.sheet:sheet",
    "config": "bot.commands.config:config",
    "doctor": "bot.commands.doctor:doctor",
    "db": "bot.commands.database:database",
    "bench": "bot.commands.bench:bench",
    "privacy": "bot.commands.privacy:privacy",
    "demo": "bot.commands.demo:demo",
    "model": "bot.commands.model:model",
}
_ABOUT = {
    "play": "Open the table: talk to an NPC.",
    "bot": "Bring your NPCs to Discord (DISCORD_TOKEN).",
    "serve": "Put every NPC behind an OpenAI-compatible address; its API keys.",
    "sheet": "Write, check, list and show NPCs.",
    "config": "Show every setting and where it came from.",
    "doctor": "Look for what is missing or broken.",
    "db": "Upgrade, check, back up, restore and copy the database.",
    "model": "Pull, import, list and verify base models.",
    "demo": "Five minutes: an evening, a night, before and after, and back.",
    "night": "Turn what the table liked into how its NPCs speak: tonight's job, now.",
    "nights": "The nightly service.",
    "adapters": "List what was trained, and which voice speaks; merge one into a model file.",
    "promote": "Let an NPC speak with what the night made, from its next line on.",
    "rollback": "Bring an NPC's voice before the last promotion back.",
    "compare": "Hear two voices of an NPC blind, and say which is better.",
    "replay": "Speak an evening again with other voices, side by side.",
    "dataset": "Build, show, check, import and export datasets.",
    "train": "Run one recipe over one dataset.",
    "teach": "Make training data with a teacher, a document or the model itself; judge it.",
    "exam": "Ask an NPC what it must know, and count.",
    "privacy": "Hand over or forget what is kept about a person.",
    "experiment": "Research questions, run again on your own machine.",
    "bench": "Measure speed and memory, the peer in the same run.",
}
_SOFTWARE_FAULT = 70


class _Lazy(click.Group):
    """Knows its commands by name, and imports them when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*_OWN, *_registered()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _OWN:
            module, _, name = _OWN[cmd_name].partition(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        entry = _registered().get(cmd_name)
        return _load_learning(entry) if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, _ABOUT.get(name, "(learning)")) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _registered() -> dict[str, importlib.metadata.EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group="understudy.commands")}


def _load_learning(entry: importlib.metadata.EntryPoint) -> click.Command:
    try:
        loaded: click.Command = entry.load()
    except ImportError as error:
        raise click.ClickException(
            f"The command {entry.name!r} needs the learning extra ({error.name} is missing); run `make learning`."
        ) from error
    return loaded


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="understudy", prog_name="understudy")
def cli() -> None:
    """NPCs that learn their part at your table."""


def main() -> None:
    """Run a command; whatever goes wrong ends as one sentence and an exit status."""
    as_json = "--json" in sys.argv
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except UnderstudyError as error:
        _fail(str(error), error.status, as_json)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code, as_json)
    except OSError as error:
        where = error.filename or "an unnamed file"
        _fail(f"The system refuses ({error.strerror or error}) at {where}; check space and permissions.", 1, as_json)
    except Exception:
        logging.getLogger(__name__).exception("unexpected")
        sentence = "Something went wrong that is our fault; the lines above say where, please report them."
        _fail(sentence, _SOFTWARE_FAULT, as_json)


def _fail(sentence: str, status: int, as_json: bool) -> None:
    if as_json:
        _print_json({"event": "error", "message": sentence})
    click.echo(sentence, err=True)
    sys.exit(status)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
