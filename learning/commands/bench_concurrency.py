"""`understudy bench concurrency`: several tables on one model, beside a server that batches them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learning.commands.bench_options import Bench, chosen, closing, fitted, on_a_model, run

if TYPE_CHECKING:
    from learning.speed.timing import Timed

_BLOCKS = 3  # times that both take turns: other work on the machine meets both


@click.command("concurrency")
@click.option("--streams", "counts", multiple=True, type=int, default=(1, 4, 8), show_default=True)
@click.option("--length", default=300, show_default=True, help="Tokens each conversation has read.")
@click.option("--tokens", default=64, show_default=True, help="Tokens of a line.")
@click.option("--rounds", default=3, show_default=True, help="Lines of each conversation, three times.")
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
                mine = _Sum(lambda table, turn: ours(
                    engine, line_request(f"{prompts[table]}\nAnd {turn}?", str(table), tokens, turn)))  # fmt: skip
                theirs = _Sum(lambda table, turn: other.line(f"{prompts[table]}\nAnd {turn}?", tokens, table, turn))
                for block in range(_BLOCKS):
                    turns = range(block * rounds, (block + 1) * rounds)
                    await mine.talk(count, turns, warm=block > 0)
                    await theirs.talk(count, turns, warm=block > 0)
                rows.append({"streams": count, "ours": mine.rate, "peer": theirs.rate, "wait": round(mine.wait),
                             "ratio": round(mine.rate / theirs.rate, 2), "peer_wait": round(theirs.wait)})  # fmt: skip
            name = other.name
    return {"model": bench.model.name, "threads": bench.threads, "peer": name, "streams": rows}


class _Sum:
    """What one side did in all its turns.

    Args:
        line: speaks a line by (table, turn).
    """

    def __init__(self, line: Callable[[int, int], Awaitable["Timed"]]) -> None:
        self._line = line
        self._tokens, self._spent, self.wait = 0, 0.0, 0.0

    @property
    def rate(self) -> float:
        """Tokens a second of all tables together."""
        return round(self._tokens / self._spent, 1)

    async def talk(self, count: int, turns: range, *, warm: bool) -> None:
        """Let so many tables speak at once; what is not warm yet speaks a line that does not count first."""
        if not warm:
            await asyncio.gather(*(self._line(number, turns[0]) for number in range(count)))

        async def table(number: int) -> list["Timed"]:
            return [await self._line(number, turn) for turn in turns]

        began = time.perf_counter()
        lines = [line for told in await asyncio.gather(*map(table, range(count))) for line in told]
        self._spent += time.perf_counter() - began
        self._tokens += sum(line.tokens for line in lines)
        self.wait = max(self.wait, *(line.first for line in lines))
