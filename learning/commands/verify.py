"""What `understudy model verify` asks the learning half: are the tokens the same on both sides, does training fit?"""

from collections.abc import AsyncIterator
from pathlib import Path

from characters.inference.engine import Engine
from characters.prompt import Budget
from learning.commands.place import quiet

_TEXTS = 200
_SCORED = 24
_SEED = 97
_RESERVE = 1_500_000_000  # bytes that torch and the trainer take beside the weights
_FLOAT = 4

Finding = tuple[str, bool | None, str]


async def checks(path: Path, engine: Engine) -> AsyncIterator[Finding]:
    """Compare llama.cpp and transformers on the file, then take one training step on it."""
    from learning.anchors import general_candidates
    from learning.datasets.rows import Renderer
    from learning.errors import LearningError

    quiet()
    needed, there = _memory_needed(path), _memory_there()
    if there is not None and needed > there:
        yield ("training", False, f"does not fit: it takes about {needed / 1e9:.1f} GB and {there / 1e9:.1f} are free; "
               "it can speak here, and learn on a machine with more memory")  # fmt: skip
        return
    can = await engine.capabilities()
    assert can.template is not None
    renderer = Renderer(can.template, Budget(can.context, 120, can.system_budget or 700))
    rows = [renderer.row(candidate, part) for part, candidate in general_candidates(_TEXTS, _SEED)]
    said = [{"prompt": row.prompt, "completion": row.completion} for row in rows]
    texts = [one for one in said if len(await engine.tokenize(one["prompt"] + one["completion"])) < can.context]
    try:
        yield await _same_model(path, engine, [text["prompt"] + text["completion"] for text in texts])
        yield await _one_step(path, texts)
    except LearningError as error:
        yield "training", False, str(error)


async def _same_model(path: Path, engine: Engine, texts: list[str]) -> Finding:
    from learning.gguf.base_model import verify_base

    found = await verify_base(path, engine, texts, score_at_most=_SCORED)
    told = f"token ids equal on {found.tokens_equal} of {found.texts} texts"
    if found.scored:
        told += f", log-probabilities {found.difference:.2g} nats a token apart over {found.scored} words"
    return "llama.cpp against transformers", found.ok, told if found.ok else f"{told}; {found.reason}"


async def _one_step(path: Path, rows: list[dict[str, str]]) -> Finding:
    """Train a step and throw it away: whatever does not fit says so here, not at night."""
    import asyncio

    from learning.recipes.config import SftConfig
    from learning.recipes.planning import measure_speed

    speed = await asyncio.to_thread(measure_speed, path, rows, SftConfig(), 1)
    hour = speed.tokens_per_second * 3600 / (sum(speed.tokens_per_row) / len(speed.tokens_per_row))
    return ("training", True, f"a step of {speed.tokens_per_second:.0f} tokens/s, some {hour:.0f} rows an hour "
            "in one pass")  # fmt: skip


def _memory_needed(path: Path) -> int:
    """Weights in float32, whatever the file packs them as, and what training takes beside them."""
    import gguf

    weights = sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(path).tensors)
    return weights * _FLOAT + _RESERVE


def _memory_there() -> int | None:
    """Free bytes where training would run: the card's where there is one, else the machine's; None if unknown."""
    import torch

    if torch.cuda.is_available():
        free: int = torch.cuda.mem_get_info()[0]
        return free
    told = Path("/proc/meminfo")
    if not told.is_file():
        return None
    lines = dict(line.split(":", 1) for line in told.read_text("utf-8").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024
