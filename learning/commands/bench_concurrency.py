"""`understudy bench concurrency`: several tables on one model, beside a server that batches them."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import click

from learning.commands.bench_options import Bench, chosen, closing, fitted, on_a_model, run


@click.command("concurrency")
@click.option("--streams", "counts", multiple=True, type=int, default=(1, 4, 8), show_default=True)
@click.option("--length", default=300, show_default=True, help="Tokens each conversation has read.")
@click.option("--tokens", default=64, show_default=True, help="Tokens of a line.")
@click.option("--rounds", default=3, show_default=True, help="Lines of each conversation.")
@on_a_model
def bench_concurrency(  # noqa: PLR0913  (click hands over one argument an option)
    counts: tuple[int, ...], length: int, tokens: int, rounds: int, model: Path | None, shape: str | None,
    quantized: str, threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Tokens a second of all tables together, and how long the last of them waits for its first one."""
    with chosen(model, shape, quantized, threads, length + 64 + tokens + 300) as bench:
        found = run(lambda: _measure(bench, counts, (length, tokens, rounds)))
    if as_json:
        click.echo(json.dumps(found))
        return
    peer = found["peer"]
    click.echo(f"| streams | understudy, tokens/s | {peer}, tokens/s | ratio | longest wait, ms | {peer}'s |")
    click.echo("|---|---|---|---|---|---|")
    for row in found["streams"]:
        click.echo(f"| {row['streams']} | {row['ours']} | {row['peer']} | {row['ratio']} | {row['wait']} "
                   f"| {row['peer_wait']} |")  # fmt: skip
    click.echo(f"\n{length} tokens read before, lines of {tokens}; {found['model']}, {found['threads']} threads.")


async def _measure(bench: Bench, counts: tuple[int, ...], numbers: tuple[int, int, int]) -> dict[str, Any]:
    from learning.speed.peers import peer
    from learning.speed.timing import line_request, ours

    length, tokens, rounds = numbers
    most, rows = max(counts), []
    async with closing(bench.engine(cells=most * bench.context, streams=most)) as engine:
        context = (await engine.capabilities()).context
        prompts = [f"Table {number}. " + await fitted(engine, length, number) for number in range(most)]
        async with peer(bench.model, context, bench.threads, slots=most) as other:
            for count in counts:
                mine, wait = await _together(count, rounds, lambda table, turn: ours(
                    engine, line_request(f"{prompts[table]}\nAnd {turn}?", str(table), tokens, turn)))  # fmt: skip
                theirs, their_wait = await _together(count, rounds, lambda table, turn: other.line(
                    f"{prompts[table]}\nAnd {turn}?", tokens, table, turn))  # fmt: skip
                rows.append({"streams": count, "ours": mine, "peer": theirs, "ratio": round(mine / theirs, 2),
                             "wait": wait, "peer_wait": their_wait})  # fmt: skip
            name = other.name
    return {"model": bench.model.name, "threads": bench.threads, "peer": name, "streams": rows}


async def _together(count: int, rounds: int, line: Any) -> tuple[float, int]:
    """Tokens a second of so many streams at once, and the longest wait for a first token; the first round warms up."""

    async def table(number: int, turns: range) -> list[Any]:
        return [await line(number, turn) for turn in turns]

    await asyncio.gather(*(table(number, range(1)) for number in range(count)))
    began = time.perf_counter()
    tables = await asyncio.gather(*(table(number, range(1, rounds + 1)) for number in range(count)))
    lines = [line for lines in tables for line in lines]
    spent = time.perf_counter() - began
    return round(sum(line.tokens for line in lines) / spent, 1), round(max(line.first for line in lines))
