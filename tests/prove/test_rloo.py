"""Reinforcement with a rule-based reward raises the starter's mean reward on prompts it was not trained on.

Measured on the served artefact: the base and the base with the adapter, in llama.cpp, sampled alike.
Two cores, at most fifteen minutes.
"""

import sys
import time
from pathlib import Path

import pytest

from characters.inference.engine import Finish, Request, Sampling
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.starter import STARTER
from characters.prompt import Budget
from learning.anchors import general_candidates
from learning.commands.train import _as_gguf
from learning.datasets.rows import Renderer
from learning.recipes.config import SHIPPED, RlooConfig, load_recipe
from learning.recipes.preferences import Start
from learning.recipes.rewards import RULES, Said
from learning.recipes.rloo import stops_of, train_rloo
from learning.starter.tokens import TEMPLATE

PROMPTS, HELD_OUT = 64, 60
MINUTES = 15


async def rewards_of(engine: LlamaCppEngine, prompts: list[str], adapter: str | None) -> list[float]:
    found = []
    for number, prompt in enumerate(prompts):
        sampling = Sampling(temperature=0.9, repetition_penalty=1.0, max_tokens=48, seed=number)
        async for event in engine.generate(Request(prompt, (), stops_of(prompt), sampling, "rloo", adapter)):
            if isinstance(event, Finish):
                said = Said(prompt, event.text.strip(), event.reason == "stop")
                found.append(sum(weight * (RULES[name]([said])[0] or 0.0) for name, weight in (("form", 1.0), ("brief", 0.5))))
    return found


@pytest.mark.prove
@pytest.mark.timeout(2400)
async def test_reinforcement_raises_the_reward_on_prompts_it_never_saw(tmp_path: Path) -> None:
    renderer = Renderer(TEMPLATE, Budget(1100, 110, 260))
    rows = [renderer.row(candidate, part) for part, candidate in general_candidates(PROMPTS + HELD_OUT, 17)]
    train, held = rows[:PROMPTS], [row.prompt for row in rows[PROMPTS:]]
    config = load_recipe(SHIPPED / "rloo_starter.yaml")
    assert isinstance(config, RlooConfig)
    assert config.minutes <= MINUTES
    began = time.monotonic()
    known = [{"prompt": row.prompt, "completion": row.completion} for row in train]
    trained = train_rloo(Start(STARTER), known, config, tmp_path / "out", lambda done, left: None)
    seconds = time.monotonic() - began

    class Told:
        hash, manifest = "proof", {"template": ""}

    file = _as_gguf(trained.folder, STARTER, Told())
    engine = LlamaCppEngine(STARTER, LoadOptions(1100, 4096, threads=1))
    try:
        before = await rewards_of(engine, held, None)
        await engine.load_adapter("rloo", file)
        after = await rewards_of(engine, held, "rloo")
    finally:
        await engine.close()
    mean = [sum(values) / len(values) for values in (before, after)]
    sys.stdout.write(f"\nmean reward on {len(held)} held-out prompts: {mean[0]:.3f} before, {mean[1]:.3f} after; "
          f"{len(trained.losses)} steps in {seconds:.0f} s, of {trained.rows} prompts\n")  # fmt: skip
    assert seconds <= MINUTES * 60
    assert mean[1] > mean[0]
