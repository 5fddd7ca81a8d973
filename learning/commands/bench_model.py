"""`understudy bench model`: a real shape with random weights, our engine beside the bare llama.cpp loop."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from learning.commands.bench_options import chosen, closing, fitted, on_a_model, run


@click.command("model")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the model there, measure nothing.")
@click.option("--npcs", default=6, show_default=True, help="NPCs in play while memory is measured.")
@click.option("--length", default=600, show_default=True, help="Tokens each of them has read.")
@click.option("--tokens", default=64, show_default=True, help="Tokens of a line.")
@on_a_model
def bench_model(  # noqa: PLR0913  (click hands over one argument an option)
    out: Path | None, npcs: int, length: int, tokens: int, model: Path | None, shape: str | None, quantized: str,
    threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Reading and decoding with a model of a real size, and memory of all processes."""
    from learning.errors import LearningError

    if out is not None and not shape:
        raise LearningError("Name a shape to write, such as `--shape llama-3.2-1b`.")
    with chosen(model, shape, quantized, threads, length + tokens + 300) as bench:
        if out is not None:
            shutil.move(bench.model, out)
            click.echo(json.dumps({"file": str(out), "bytes": out.stat().st_size}) if as_json else str(out))
            return
        found = run(lambda: _measure(bench, npcs, length, tokens))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| measure | understudy | bare llama.cpp | ratio |\n|---|---|---|---|")
    click.echo(f"| decode, tokens/s | {found['decode']} | {found['bare']} | {found['ratio']} |")
    click.echo(f"\nReading {length} tokens takes {found['read_ms']} ms ({found['read_rate']} tokens/s). PSS of this "
               f"process and the model's with {npcs} NPCs in play: {found['pss_mb']} MB; the file has "
               f"{found['file_mb']} MB. {found['model']}, {found['threads']} threads.")  # fmt: skip


async def _measure(bench: Any, npcs: int, length: int, tokens: int) -> dict[str, Any]:
    from characters.inference.engine import GREEDY, Request
    from learning.speed.bare import bare
    from learning.speed.timing import line_request, median, ours

    async with closing(bench.engine(cells=npcs * (length + tokens + 64))) as engine:
        prompts = [f"NPC {npc}. " + await fitted(engine, length, npc) for npc in range(npcs)]
        lines = [await ours(engine, line_request(prompt, str(n), tokens, n)) for n, prompt in enumerate(prompts)]
        memory = _pss_mb([os.getpid(), engine.worker_pid or 0])
        rates: list[float] = []
        theirs: list[float] = []
        async with bare(bench.model, engine.options) as loop:
            for _ in range(6):
                theirs.append(await loop.rate(prompts[0], tokens))
                asked = Request(prompts[0], (), sampling=replace(GREEDY, max_tokens=tokens), cache_key="0")
                rates.append((await ours(engine, asked)).rate)
    rates, theirs = [rate for rate in rates if rate], [rate for rate in theirs if rate]
    read = median([line.first for line in lines])
    return {
        "model": bench.model.name, "threads": bench.threads, "decode": median(rates), "bare": median(theirs),
        "ratio": round(median(rates) / median(theirs), 3), "read_ms": round(read),
        "read_rate": round(1000 * length / read), "pss_mb": round(memory), "npcs": npcs,
        "file_mb": round(bench.model.stat().st_size / 1e6),
    }  # fmt: skip


def _pss_mb(processes: list[int]) -> float:
    """Proportional set size in MB, shared pages counted once; 0 where the system does not tell."""
    total = 0
    for process in processes:
        rollup = Path(f"/proc/{process}/smaps_rollup")
        if rollup.is_file():
            total += sum(int(line.split()[1]) for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
    return total / 1000
