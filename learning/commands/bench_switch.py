"""`understudy bench switch`: what it costs that another NPC speaks.

Six NPCs with a prompt of their own. *Staying*: one of them says all lines. *Switching*: they take turns, each goes on
from what it has read. *Naive*: they take turns and every line reads its prompt anew, as with one cache for all. The
peer takes turns as well: pinned to a slot each where it has slots, and naive.
"""

import json
import statistics
from pathlib import Path
from typing import Any

import click

from learning.commands.bench_options import Bench, chosen, closing, fitted, on_a_model, run


@click.command("switch")
@click.option("--npcs", default=6, show_default=True)
@click.option("--length", default=600, show_default=True, help="Tokens each has read.")
@click.option("--tokens", default=48, show_default=True, help="Tokens of a line.")
@click.option("--rounds", default=4, show_default=True, help="Lines of each.")
@on_a_model
def bench_switch(  # noqa: PLR0913  (click hands over one argument an option)
    npcs: int, length: int, tokens: int, rounds: int, model: Path | None, shape: str | None, quantized: str,
    threads: int, as_json: bool,
) -> None:  # fmt: skip
    """Lines of one NPC, of several in turn, and of several that read everything anew."""
    with chosen(model, shape, quantized, threads, length + 40 * (rounds + 1) * npcs + tokens + 300) as bench:
        found = run(lambda: _measure(bench, (npcs, length, tokens, rounds)))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"| a line of {tokens} tokens, ms | understudy | {found['peer']} | ratio |\n|---|---|---|---|")
    for name in ("staying", "switching", "naive"):
        mine, theirs = found["ours"][name], found["theirs"][name]
        shown = (f"{theirs} | {mine / theirs:.2f}") if theirs else "(has one cache only) | "
        click.echo(f"| {name} | {mine} | {shown} |")
    cost = 100 * (found["cost"] - 1)
    click.echo(f"\nSwitching costs {cost:.1f} % over staying, and is {found['times_faster']} times as fast as naive "
               f"switching; {npcs} NPCs with {length} tokens each, {found['model']}, "
               f"{found['threads']} threads.")  # fmt: skip


async def _measure(bench: Bench, numbers: tuple[int, int, int, int]) -> dict[str, Any]:
    from learning.speed.peers import peer

    npcs, length, tokens, rounds = numbers
    async with closing(bench.engine(cells=npcs * bench.context)) as engine:
        context = (await engine.capabilities()).context
        prompts = [f"NPC {npc}. " + await fitted(engine, length, npc) for npc in range(npcs)]
        async with peer(bench.model, context, bench.threads, slots=npcs) as other:
            name, slots = other.name, other.slots
            ways = {
                "staying": await _staying(engine, other, prompts[0], tokens, npcs * rounds),
                "switching": await _in_turn(engine, other, prompts, tokens, rounds, pinned=True),
                "naive": await _in_turn(engine, other, prompts, tokens, rounds, pinned=False),
            }
    mine = {way: each[0] for way, each in ways.items()}
    theirs = {way: None if way == "switching" and slots == 1 else each[1] for way, each in ways.items()}
    return {
        "model": bench.model.name, "threads": bench.threads, "peer": name, "npcs": npcs, "length": length,
        "ours": mine, "theirs": theirs, "cost": round(mine["switching"] / mine["staying"], 3),
        "times_faster": round(mine["naive"] / mine["switching"], 1),
    }  # fmt: skip


async def _staying(engine: Any, other: Any, prompt: str, tokens: int, count: int) -> tuple[float, float]:
    from learning.speed.timing import line_request, ours

    mine, theirs = [], []
    for turn in range(count + 1):
        said = prompt + "\n" + await fitted(engine, 20, turn)
        mine.append(await ours(engine, line_request(said, "staying", tokens, turn)))
        theirs.append(await other.line(said, tokens, 0, turn))
    return _each(mine[1:], tokens), _each(theirs[1:], tokens)


async def _in_turn(
    engine: Any, other: Any, prompts: list[str], tokens: int, rounds: int, *, pinned: bool
) -> tuple[float, float]:
    from learning.speed.timing import line_request, ours

    mine, theirs, npcs = [], [], len(prompts)
    for turn in range((rounds + 1) * npcs):
        npc = turn % npcs
        said = prompts[npc] + "\n" + await fitted(engine, 20, turn)
        one = await ours(engine, line_request(said, f"npc {npc}" if pinned else "all", tokens, turn))
        another = await other.line(said, tokens, npc if pinned else 0, turn)
        if turn >= npcs:  # in the first round all read their prompts
            mine.append(one)
            theirs.append(another)
    return _each(mine, tokens), _each(theirs, tokens)


def _each(lines: list[Any], tokens: int) -> float:
    """What a line of so many tokens takes: some end earlier, so it is put together of first token and rate."""
    first = statistics.median(line.first for line in lines)
    rate = statistics.median(line.rate for line in lines if line.rate)
    return float(round(first + 1000 * (tokens - 1) / rate, 1))
