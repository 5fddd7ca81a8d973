"""`understudy bench beside-a-night`: how long the first word takes while a night trains, and while none does.

A night ends when somebody sits down to play, unless `nights.yields` is off: then both run, the night with the priority
it always has. Here lines are spoken in blocks, with a training and without one in turns; between the blocks the
training is stopped and goes on again, so that what else the machine does meets both.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from characters.prompt import Budget
from learning.commands.bench_options import Bench, chosen, closing, fitted, on_a_model, run
from learning.commands.place import Place, quiet
from learning.errors import LearningError
from learning.night_child import NightChild

_NEW = 40  # tokens of what is new in a line's prompt
_PAUSE = 0.3  # seconds between two lines, in which the training has the machine for itself
_PATIENCE = 300  # seconds until the training has made its first steps


@click.command("beside-a-night")
@click.option("--blocks", default=4, show_default=True, help="Blocks of lines with a training, and as many without.")
@click.option("--lines", default=10, show_default=True, help="Lines of a block.")
@click.option("--length", default=500, show_default=True, help="Tokens of the conversation at its beginning.")
@click.option("--tokens", default=24, show_default=True, help="Tokens of a line.")
@click.option("--train", type=click.Path(dir_okay=False, path_type=Path), hidden=True,
              help="Be the training: without end, and write this file when it has begun.")
@on_a_model
def bench_beside(  # noqa: PLR0913  (click hands over one argument an option)
    blocks: int, lines: int, length: int, tokens: int, train: Path | None, model: Path | None, shape: str | None,
    quantized: str, threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Time to the first token with a training at a night's priority beside it, and without one."""
    if train is not None:
        _train_for_ever(train)
    if not hasattr(signal, "SIGSTOP"):
        raise LearningError("This system cannot stop a process for a while; run this bench on Linux or macOS.")
    with chosen(model, shape, quantized, threads, length + lines * (tokens + _NEW) + 300) as bench, _night() as night:
        found = run(lambda: _measure(bench, night, (blocks, lines, length, tokens)))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| ms, medians | without a night | with one | ratio |\n|---|---|---|---|")
    for name, (without, beside) in found["ms"].items():
        click.echo(f"| {name} | {without} | {beside} | {beside / without:.2f} |")
    click.echo(f"\n{found['n']} lines each, in {2 * blocks} blocks by turns; {found['model']}, {found['threads']} "
               f"threads; beside lines the training had {found['training_share']:.0%} of a processor; "
               f"load {found['load']:.1f}.")  # fmt: skip


async def _measure(bench: Bench, night: NightChild, numbers: tuple[int, int, int, int]) -> dict[str, Any]:
    from learning.speed.timing import median

    blocks, *each = numbers
    times: dict[bool, dict[str, list[float]]] = {beside: {} for beside in (False, True)}
    spent = 0.0
    async with closing(bench.engine()) as engine:
        for block in range(2 * blocks):
            beside = block % 2 == 1
            os.killpg(night.pid, signal.SIGCONT if beside else signal.SIGSTOP)
            await asyncio.sleep(1)
            began, before = time.monotonic(), _processor(night.pid)
            await _block(engine, times[beside], each, block)
            spent += (_processor(night.pid) - before) / (time.monotonic() - began) / blocks if beside else 0.0
    return {
        "model": bench.model.name, "threads": bench.threads, "n": blocks * each[0], "load": os.getloadavg()[0],
        "training_share": spent,
        "ms": {name: [median(times[beside][name]) for beside in (False, True)] for name in times[False]},
    }


async def _block(engine: Any, times: dict[str, list[float]], numbers: Sequence[int], block: int) -> None:
    """A conversation that is read anew, and the lines that follow in it."""
    from learning.speed.timing import line_request, ours

    lines, length, tokens = numbers
    said = f"Evening {block}. " + await fitted(engine, length, block)
    for line in range(lines + 1):
        await asyncio.sleep(_PAUSE)
        one = await ours(engine, line_request(said, f"evening {block}", tokens, line))
        said += "\n" + await fitted(engine, _NEW, 1000 * block + line)
        if line:
            times.setdefault("to the first token", []).append(one.first)
            times.setdefault("the whole line", []).append(one.total)
        else:
            times.setdefault(f"to the first token, {length} tokens read anew", []).append(one.first)


@contextlib.contextmanager
def _night() -> Iterator[NightChild]:
    """A training as the nightly service would start it, once it has made its first steps."""
    with tempfile.TemporaryDirectory() as folder:
        begun = Path(folder) / "begun"
        ours = [str(os.getpid()), "bench", "beside-a-night", "--train", str(begun)]
        night = NightChild([sys.executable, "-m", "learning.night_child", *ours])
        try:
            until = time.monotonic() + _PATIENCE
            while not begun.is_file():
                if night.poll() is not None or time.monotonic() > until:
                    raise LearningError("No training begins beside the table; run `understudy bench train` to see why.")
                time.sleep(0.1)
            yield night
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(night.pid, signal.SIGKILL)  # it has nothing to lose


def _processor(pid: int) -> float:
    """Seconds of processor time a process has had, where the system tells; else 0."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _train_for_ever(begun: Path) -> None:
    """What a night does most of its time; whoever started this ends it."""
    from learning.anchors import general_candidates
    from learning.datasets.rows import Renderer
    from learning.recipes.config import SHIPPED, SftConfig, load_config
    from learning.recipes.sft import train_sft
    from learning.starter.tokens import TEMPLATE

    quiet()
    config = load_config(SHIPPED / "sft_starter.yaml").model_copy(update={"epochs": 1000.0, "minutes": 600.0})
    assert isinstance(config, SftConfig)
    renderer = Renderer(TEMPLATE, Budget(1100, 110, 260))
    rows = [
        {"prompt": row.prompt, "completion": row.completion, "weight": 1}
        for row in (renderer.row(candidate, part) for part, candidate in general_candidates(96, 5))
    ]
    with tempfile.TemporaryDirectory() as folder:
        train_sft(Place.find(None).base, rows, config, Path(folder) / "run", lambda *_: begun.touch())
