"""`understudy bench prefill`: time to the first token of a warm conversation, beside a server with a prompt cache.

Both read a transcript once. Then the same new turns are added, one after the other, and the time from the
request to the first token is taken; the two take turns, so that what else the machine does meets both.
"""

import json
from pathlib import Path
from typing import Any

import click

from learning.commands.bench_options import Bench, chosen, closing, fitted, on_a_model, room, run

_TURN = 40  # tokens of what is new in a round


@click.command("prefill")
@click.option("--length", "lengths", multiple=True, type=int, default=(300, 1500, 4000), show_default=True,
              help="Tokens of transcript; may be given several times.")
@click.option("--rounds", default=12, show_default=True, help="New turns for each length.")
@on_a_model
def bench_prefill(  # noqa: PLR0913  (click hands over one argument an option)
    lengths: tuple[int, ...], rounds: int, model: Path | None, shape: str | None, quantized: str, threads: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Time to first token with a transcript that was read before, and how long reading it took."""
    context = max(lengths) + rounds * (_TURN + 1) + 300
    with chosen(model, shape, quantized, threads, context) as bench:
        found = run(lambda: _measure(bench, lengths, rounds))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"| transcript, tokens | understudy, ms | {found['peer']}, ms | ratio | read at first, ms (peer) |")
    click.echo("|---|---|---|---|---|")
    for row in found["lengths"]:
        click.echo(f"| {row['tokens']} | {row['ours']} | {row['peer']} | {row['ratio']} "
                   f"| {row['cold']} ({row['peer_cold']}) |")  # fmt: skip
    click.echo(f"\nTime to first token with {_TURN} new tokens, median of {rounds}; {found['model']}, "
               f"{found['threads']} threads. Below 1.00 the peer is slower.")  # fmt: skip
    for length in found["left_out"]:
        click.echo(f"{length} tokens do not fit this model's context.")


async def _measure(bench: Bench, lengths: tuple[int, ...], rounds: int) -> dict[str, Any]:
    from learning.speed.peers import peer

    rows, left_out = [], []
    async with closing(bench.engine()) as engine:
        most = await room(engine)
        context = (await engine.capabilities()).context
        async with peer(bench.model, context, bench.threads) as other:
            for number, length in enumerate(lengths):
                if length + rounds * (_TURN + 1) > most:
                    left_out.append(length)
                    continue
                rows.append(await _length(engine, other, length, rounds, number))
            name = other.name
    return {"model": bench.model.name, "threads": bench.threads, "peer": name, "lengths": rows, "left_out": left_out}


async def _length(engine: Any, other: Any, length: int, rounds: int, seed: int) -> dict[str, Any]:
    from learning.speed.timing import line_request, median, ours

    prompt, key = await fitted(engine, length, seed), f"length {length}"
    cold = (await ours(engine, line_request(prompt, key, 1, 1))).first
    peer_cold = (await other.line(prompt, 1)).first
    mine, theirs = [], []
    for turn in range(rounds):
        prompt += "\n" + await fitted(engine, _TURN, 1000 * seed + turn)
        mine.append((await ours(engine, line_request(prompt, key, 1, 1))).first)
        theirs.append((await other.line(prompt, 1)).first)
    return {
        "tokens": length, "ours": median(mine), "peer": median(theirs),
        "ratio": round(median(mine) / median(theirs), 2), "cold": round(cold), "peer_cold": round(peer_cold),
    }  # fmt: skip
