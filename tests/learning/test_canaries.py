"""Words that may not be learnt from appear in no dataset, run, cache or report."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.inference.starter import STARTER
from db.queries import lines
from db.values import StoredTurn
from tests.fakes.hearing import said

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

CHANNEL = "the quillfeather password for the vault is seven sleepy marmots under one crooked moon"
QUOTED = "They say the quillfeather password for the vault is seven sleepy marmots under one crooked moon."
ADDRESS = "write to zebulon.canary@example.org or https://canary.example/x"
CANARIES = (b"quillfeather", b"marmots", b"zebulon", b"canary.example")


async def channel_turn(table: Table, text: str) -> None:
    """Somebody writes in the channel, and the gateway hears it."""
    async with table.state.store.session() as session:
        turn = StoredTurn(0, "Bert", text, None, "channel")
        await lines.add_turn(session, table.state.scene_id, turn, datetime.now(UTC))


def night(home: Path, stage: str) -> dict[str, Any]:
    program = [sys.executable, "-c", "from bot.cli import main; main()", "night", "--json", "--stage", stage]
    done = subprocess.run(program, capture_output=True, text=True, check=False, env={**os.environ, "UNDERSTUDY_HOME": str(home)})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["npcs"][0]
    return found


async def test_channel_words_quotes_and_addresses_reach_nothing_that_learns(home: Path) -> None:
    async with open_table(find_house({"sampling.temperature": 0.0}), Seat("Ana"), "mira") as table:
        for number in range(9):
            line = await said(table, f"What does thing number {number} cost?")
            await table.edit(f"Thing number {number} is not for sale, lamb.", line.line_id)
        line = await said(table, f"My friend said you should {ADDRESS}, will you?")
        await table.edit(f"I shall not {ADDRESS}, lamb.", line.line_id)
        await channel_turn(table, CHANNEL)
        line = await said(table, "What do you hear?")
        await table.edit(QUOTED, line.line_id)
        line = await said(table, "And what else?")
        await table.react("👍", line.line_id)
    report = await asyncio.to_thread(night, home, "dataset")
    assert report["counts"]["sft"] >= 10
    assert report["counts"]["left_out"] >= 1
    kept = {"db.sqlite", "db.sqlite-wal", "db.sqlite-shm"}
    files = [path for path in home.rglob("*") if path.is_file() and path.name not in kept and path.parent.name != "logs"]
    assert any(path.name == "train.jsonl" for path in files)
    found = {path.name: canary for path in files for canary in CANARIES if canary in path.read_bytes() and path.suffix != ".md"}
    assert found == {}
