"""Socrates learns from dialogues that were imported, and is asked for dialogues he never saw."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import find_house, make_engine
from characters.inference.engine import Engine
from characters.inference.starter import STARTER
from learning.datasets.snapshot import open_snapshot
from tests.prove.evening import told, understudy

PLATO = Path(__file__).resolve().parents[3] / "shared" / "data" / "plato" / "turns.jsonl"

pytestmark = [
    pytest.mark.prove, pytest.mark.timeout(3600),
    pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here"),
    pytest.mark.skipif(not PLATO.is_file(), reason="Plato's dialogues (shared/data/plato) do not lie beside the project"),
]  # fmt: skip


async def loss(engine: Engine, adapter: str | None, rows: list[dict[str, Any]]) -> float:
    """Nats a token of the answers, on the file that serves."""
    scores = [(await engine.score(row["prompt"], [row["completion"]], adapter))[0] for row in rows]
    return -sum(score.logprob for score in scores) / sum(score.tokens for score in scores)


async def test_socrates_is_likelier_in_dialogues_he_never_saw(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def learn() -> dict[str, Any]:
        told(understudy(home, "dataset", "import", str(PLATO), "--npc", "socrates", "--licence", "public domain"))
        built = told(understudy(home, "dataset", "build", "--npc", "socrates"))
        [made] = built["datasets"]
        told(understudy(home, "train", "sft", "--dataset", made["dataset"], "--out", str(tmp_path / "socrates"), "--full-speed"))
        return made  # type: ignore[no-any-return]

    made = await asyncio.to_thread(learn)
    unseen = open_snapshot(home / "datasets", made["dataset"]).rows("sft", "held_out")
    engine = make_engine(find_house())
    try:
        await engine.load_adapter("socrates", next((tmp_path / "socrates").rglob("*.gguf")))
        before, after = await loss(engine, None, unseen), await loss(engine, "socrates", unseen)
    finally:
        await engine.close()
    with capsys.disabled():
        sys.stdout.write(f"\n{len(unseen)} lines of dialogues never seen: {before:.3f} -> {after:.3f} nats a token, {1 - after / before:.1%} less\n")
    assert len(unseen) >= 30
    assert after <= 0.95 * before
