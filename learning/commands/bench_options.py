"""What the speed benches have in common: on which model they run, with which engine, and with what talk."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from characters.inference.engine import Engine
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from learning.commands.place import Place

_WORDS = (
    "the ale is warm and river takes what it gives so ask again tomorrow when bells have rung nobody here remembers "
    "price of lamp oil but everybody knows who owes whom a kettle spoon or song"
).split()
_MARGIN = 256  # tokens of context that nothing is said in

T = TypeVar("T", bound=Callable[..., Any])


def on_a_model(command: T) -> T:
    """Add the options that say which model a bench runs on."""
    for option in (
        click.option("--json", "as_json", is_flag=True),
        click.option("--threads", default=0, help="Compute threads of both; 0 for as many as suit the model."),
        click.option("--quantized", type=click.Choice(["q8_0", "q4_k_m", "f16"]), default="q8_0", show_default=True),
        click.option("--shape", help="Random weights of a shape: llama-3.2-1b, gemma-3-1b, qwen3-0.6b, tiny."),
        click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="A GGUF; the configured one unless a file or a shape is named."),
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True)
class Bench:
    """A model to measure on."""

    model: Path
    context: int
    threads: int
    place: Place

    def engine(self, cells: int = 0, streams: int = 1) -> LlamaCppEngine:
        """Our engine on it, as it is configured, with room for a KV cache of so many tokens and so many lines."""
        options = self.place.engine().options
        return LlamaCppEngine(self.model, LoadOptions(
            self.context, max(cells, self.context), threads=self.threads, copy_bonus=0.0,
            extra_buffers=options.extra_buffers, streams=streams,
        ))  # fmt: skip


@contextlib.contextmanager
def chosen(model: Path | None, shape: str | None, quantized: Any, threads: int, context: int) -> Iterator[Bench]:
    """The model of the command line; one of a shape is written for as long as it is needed."""
    from learning.errors import LearningError

    place = Place.find(None)
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        if shape:
            from learning.speed.shapes import SHAPES, write_random_model

            if shape not in SHAPES:
                raise LearningError(f"There is no shape {shape!r}; choose one of {', '.join(SHAPES)}.")
            click.echo(f"writing a random model of {shape}'s shape ({quantized})", err=True)
            model = write_random_model(Path(folder) / f"{shape}-{quantized}.gguf", SHAPES[shape], quantized)
        found = model or place.base
        yield Bench(found, context, LoadOptions(threads=threads).threads_for(found), place)


def talk(tokens: int, seed: int) -> str:
    """Words of a given length in tokens, more or less: `fitted` makes it exact."""
    rng = random.Random(seed)
    return " ".join(rng.choices(_WORDS, k=tokens))


async def fitted(engine: Engine, tokens: int, seed: int) -> str:
    """Talk of so many tokens of this model."""
    words = talk(tokens, seed).split()
    each = len(await engine.tokenize(" ".join(words))) / len(words)
    return " ".join(words[: int(tokens / each)])


async def room(engine: Engine) -> int:
    """How many tokens of talk a model has room for."""
    return (await engine.capabilities()).context - _MARGIN


def run(work: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Measure."""

    async def whole() -> dict[str, Any]:
        return await work()

    return asyncio.run(whole())


@contextlib.asynccontextmanager
async def closing(engine: LlamaCppEngine) -> AsyncIterator[LlamaCppEngine]:
    """Close an engine whatever happens."""
    try:
        yield engine
    finally:
        await engine.close()
