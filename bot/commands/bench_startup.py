"""`understudy bench startup`: from the command to the first word, beside a bare script on the same file.

The peer is what anybody would write after llama-cpp-python's documentation: load the file, ask, print the first piece.
It has no database, no sheet and no process of its own for the model.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from bot.wiring import find_house

_MAIN = "from bot.cli import main; main()"
_BARE = (
    "import sys, llama_cpp;"
    "model = llama_cpp.Llama(sys.argv[1], n_ctx=2048, n_threads=int(sys.argv[2]), verbose=False);"
    "stream = model.create_completion('Who are you?', max_tokens=4, stream=True);"
    "print(next(iter(stream))['choices'][0]['text'], flush=True)"
)


@click.command("startup")
@click.option("--rounds", default=5, show_default=True, help="How often each is started.")
@click.option("--json", "as_json", is_flag=True)
def bench_startup(rounds: int, as_json: bool) -> None:
    """Help, a list of sheets, and a table to its first word: seconds from the command on."""
    house = find_house()
    from characters.inference.llama_options import LoadOptions

    model = house.model
    threads = LoadOptions(threads=house.settings.engine.threads).threads_for(model)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "UNDERSTUDY_HOME": folder, "UNDERSTUDY_ENGINE_MODEL": str(model)}
        command = [sys.executable, "-c", _MAIN]
        ways: dict[str, tuple[list[str], str]] = {
            "help": ([*command, "--help"], ""), "sheets": ([*command, "sheet", "list", "--json"], ""),
            "first word": ([*command, "play", "--terminal", "--json", "--no-nights"], "Who are you?\n"),
            "bare script, first word": ([sys.executable, "-c", _BARE, str(model), str(threads)], ""),
        }  # fmt: skip
        _seconds(*ways["first word"], environment, "delta")  # the home is made, and the files are in memory
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (line, said) in ways.items():
                times[name].append(_seconds(line, said, environment, "delta" if said else ""))
    _tell({name: round(statistics.median(each), 2) for name, each in times.items()}, model, rounds, as_json=as_json)


def _seconds(command: list[str], said: str, environment: dict[str, str], until: str) -> float:
    """From the start to a line of output with this in it, or to the end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    if said:
        process.stdin.write(said)
        process.stdin.flush()
    heard = next((line for line in process.stdout if until in line), "") if until else process.stdout.read()
    spent = time.perf_counter() - began
    process.stdin.close()
    process.stdout.close()
    process.wait()
    if not heard:
        raise click.ClickException(f"{command[-1]!r} said nothing; run it by hand to see why.")
    return spent


def _tell(found: dict[str, float], model: Path, rounds: int, *, as_json: bool) -> None:
    ratio = round(found["first word"] / found["bare script, first word"], 2)
    told: dict[str, Any] = {"model": model.name, "rounds": rounds, "seconds": found, "ratio": ratio}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo("| from the command to … | understudy, s | bare script, s | ratio |\n|---|---|---|---|")
    click.echo(f"| its help | {found['help']} | | |\n| the list of sheets | {found['sheets']} | | |")
    click.echo(f"| the first word | {found['first word']} | {found['bare script, first word']} | {ratio} |")
    click.echo(f"\nMedian of {rounds}, {model.name}.")
