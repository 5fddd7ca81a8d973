"""`understudy bench`: speed and memory, measured here, with the peer in the same run."""

import asyncio
import dataclasses
import json
import os
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from bot.wiring import House, find_house, make_engine
from characters.inference.engine import GREEDY, Engine, Finish, Request
from characters.messages import Turn
from characters.prompt import Budget, Part, build_prompt

_ROOT = Path(__file__).resolve().parents[2]
_QUESTIONS = (
    "Who are you?", "What do you sell?", "How much is the first thing on your shelf?", "Tell me about this town.",
    "What do you think of magic?", "Who rules here?", "Any work for us?", "Where is the market?",
)  # fmt: skip


class _Benches(click.Group):
    """The benches here, and those the learning half registers under `understudy.bench`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(entry.name for entry in entry_points(group="understudy.bench"))])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = [entry for entry in entry_points(group="understudy.bench") if entry.name == cmd_name]
        return found[0].load() if found else super().get_command(ctx, cmd_name)


@click.group(cls=_Benches)
def bench() -> None:
    """Measure speed and memory, the peer in the same run."""


@bench.command()
@click.option("--rounds", default=5, show_default=True, help="How often every question is asked.")
@click.option("--npc", default="mira", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def engine(rounds: int, npc: str, as_json: bool) -> None:
    """Streaming decode against the bare llama.cpp loop on the same file, and memory of all processes."""
    found = asyncio.run(_engine(find_house(), npc, rounds))
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| measure | understudy | bare llama.cpp | ratio |\n|---|---|---|---|")
    click.echo(f"| decode, tokens/s, median of {found['n']} lines | {found['decode']:.0f} | {found['bare']:.0f} "
               f"| {found['ratio']:.2f} |")  # fmt: skip
    click.echo(f"\nTime to first token, warm, median: {found['ttft_ms']:.1f} ms in one conversation, "
               f"{found['switch_ms']:.1f} ms in another one each time ({len(_QUESTIONS)} kept).")  # fmt: skip
    click.echo(f"PSS of this process and its children: {found['pss_mb']:.0f} MB.")
    click.echo(f"Model {found['model']}, {found['threads']} threads.")


async def _engine(house: House, npc: str, rounds: int) -> dict[str, Any]:
    speaking = make_engine(house)
    prompts = await _prompts(house, speaking, npc)
    bare = await _Bare.start(house)
    rates: list[float] = []
    theirs: list[float] = []
    try:
        for _ in range(rounds):
            for prompt in prompts:
                theirs.append(await bare.rate(prompt, 100))
                timings = (await _line(speaking, prompt, "one")).timings
                if timings.tokens > 1:
                    rates.append(1000 * timings.tokens / (timings.total_ms - timings.ttft_ms))
        staying = await _waits(speaking, [("one", prompts[-1])] * len(prompts) * rounds)
        switching = await _waits(speaking, [(str(key), prompt) for key, prompt in enumerate(prompts)] * (rounds + 1))
        memory = pss_mb([os.getpid(), *_children(exclude=bare.pid)])
    finally:
        await bare.close()
        await speaking.close()
    decode, peer = statistics.median(rates), statistics.median([rate for rate in theirs if rate])
    return {
        "model": house.model.name, "threads": bare.threads, "n": len(rates),
        "decode": decode, "bare": peer, "ratio": decode / peer, "ttft_ms": statistics.median(staying),
        "switch_ms": statistics.median(switching[len(prompts) :]), "pss_mb": memory,
    }  # fmt: skip


async def _waits(speaking: Engine, lines: Sequence[tuple[str, str]]) -> list[float]:
    """Milliseconds to the first token of lines by (conversation, prompt)."""
    return [(await _line(speaking, prompt, key)).timings.ttft_ms for key, prompt in lines]


async def _prompts(house: House, speaking: Engine, npc: str) -> list[str]:
    capabilities = await speaking.capabilities()
    library = house.library()
    sheet = library.get(library.find(npc))
    part = Part(npc, sheet, library.world(sheet.world))
    budget = Budget(context=capabilities.context, system=capabilities.system_budget or 700)
    turns = [[Turn("You", text)] for text in _QUESTIONS]
    return [build_prompt(part, said, template=capabilities.template, budget=budget).text for said in turns]


async def _line(speaking: Engine, prompt: str, key: str) -> Finish:
    greedy = dataclasses.replace(GREEDY, max_tokens=100)
    async for event in speaking.generate(Request(prompt, (), sampling=greedy, cache_key=key)):
        if isinstance(event, Finish):
            return event
    raise AssertionError("a stream ends with Finish")


class _Bare:
    """The bare loop's process."""

    def __init__(self, process: asyncio.subprocess.Process, threads: int) -> None:
        self.process = process
        self.pid = process.pid
        self.threads = threads

    @classmethod
    async def start(cls, house: House) -> "_Bare":
        from characters.inference.llama_options import LoadOptions
        from characters.inference.native_proof import extra_buffers_work

        settings = house.settings.engine
        extra = settings.extra_buffers and extra_buffers_work(house.home.folder("kv"))
        options = LoadOptions(settings.context, settings.kv_tokens, threads=settings.threads,
                          copy_bonus=settings.copy_bonus, extra_buffers=extra)  # fmt: skip
        threads = options.threads_for(house.model)
        told = {"path": str(house.model), **dataclasses.asdict(options), "threads": threads}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "characters.inference.bare_loop", json.dumps(told),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT,
        )  # fmt: skip
        return cls(process, threads)

    async def rate(self, prompt: str, count: int) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"prompt": prompt, "count": count}).encode() + b"\n")
        return float(json.loads(await self.process.stdout.readline())["rate"])

    async def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()


def _children(exclude: int) -> list[int]:
    """Direct children of this process, but for one."""
    listing = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(pid) for pid in listing.read_text().split() if int(pid) != exclude] if listing.is_file() else []


def pss_mb(pids: list[int]) -> float:
    """Proportional set size of processes in MB, shared pages counted once; 0 where the system does not tell."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup")
        if rollup.is_file():
            total += sum(int(line.split()[1]) for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
    return total / 1000
