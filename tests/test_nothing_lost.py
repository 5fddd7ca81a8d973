"""Kills, full disks, foreign hands and cut networks: the real programs lose nothing that they acknowledged."""

import asyncio
import contextlib
import hashlib
import json
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from characters.inference.llama_cpp_engine import file_id
from db.home import Home
from db.store import Store
from tests.fakes.evening import Evening, played
from tests.fakes.model_server import ModelServer
from tests.fakes.program import understudy
from tests.fakes.storm import Ledger, Storm, Table
from tests.fakes.tiny_lora import write_random_adapter


@pytest.fixture
def storm(home: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storm]:
    home.mkdir()
    monkeypatch.setenv("UNDERSTUDY_ENGINE_SYSTEM_BUDGET", "200")
    made = Storm(home, f"sqlite:///{home / 'db.sqlite'}", small_model, seed=7)
    yield made
    made.close()


def test_a_small_storm_loses_nothing(storm: Storm) -> None:
    storm.calm()
    for _ in range(2):
        storm.kill_table()
    storm.kill_workers(2)
    storm.nothing_lost()
    storm.calm()
    storm.nothing_half()
    storm.checked()
    assert storm.kills.total() == 4


# --- disks ---------------------------------------------------------------------------------------


def _filled_up(model: Path, limit: int) -> Table:
    """A table whose files may not grow beyond a size: the system refuses to write more."""
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, previous[1]))  # handed down to the program
    try:
        return Table(Ledger(), "--model", model, "--npc", "mira")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)


def test_a_full_disk_refuses_what_it_cannot_keep_and_keeps_what_it_acknowledged(storm: Storm) -> None:
    storm.calm()
    table = _filled_up(storm.model, 150_000)
    storm.ledger.heard.clear()
    table.ledger = storm.ledger
    ends = [table.wait(table.say(f"Remark {number} to a full disk.")) for number in range(12)]
    table.end()
    assert ends[0] == "line"
    assert ends[-1] == "error"
    assert all("disk" in message and message.endswith(".") for message in table.errors), table.errors
    storm.nothing_lost()
    storm.calm()  # there is room again
    storm.nothing_lost()
    storm.checked()


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write there; for root a mount of its own is needed, for whom permissions are advice."""
    if os.getuid() == 0:
        if subprocess.run(["mount", "--bind", "-o", "ro", folder, folder], capture_output=True, check=False).returncode:
            pytest.skip("root writes everywhere, and nothing may be mounted here")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
        return
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)


def test_a_home_that_cannot_be_written_is_one_sentence_for_every_program(storm: Storm, home: Path, tiny_model: Path) -> None:
    storm.calm()
    with read_only(home):
        for command in (["play", "--terminal", "--json", "--no-nights", "--model", tiny_model], ["db", "backup"], ["night"]):
            done = understudy(*command, stdin="And now?\n")
            told = done.err.strip().splitlines()
            assert (done.status, len(told)) == (1, 1), done.err
            assert told[0].endswith("."), told
            assert "our fault" not in told[0]
            assert str(home) in told[0], told
    storm.calm()
    storm.nothing_lost()


# --- networks ------------------------------------------------------------------------------------


async def test_a_model_server_that_hangs_up_in_mid_line_costs_that_line_and_no_turn(storm: Storm, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer() as server:
        monkeypatch.setenv("UNDERSTUDY_ENGINE_URL", server.url)
        table = Table(storm.ledger, "--npc", "mira")
        ends = []
        for number, behaviour in enumerate(["Aye.", "!vanish", "!nonsense", ("status", 503, {}), "Aye again."]):
            server.script.extend([behaviour] * (1 if isinstance(behaviour, str) and behaviour.startswith("Aye") else 9))
            ends.append(await asyncio.to_thread(table.wait, table.say(f"Remark {number} over the wire.")))
            server.script.clear()
        await asyncio.to_thread(table.end)
    assert ends == ["line", "error", "error", "error", "line"]
    storm.nothing_lost()
    assert len(storm.ledger.heard) == 5, "what was said is kept, answered or not"
    assert storm.ask("SELECT count(*) FROM turns WHERE npc IS NOT NULL AND kept_take_id IS NOT NULL") == [(2,)]
    storm.nothing_half()


# --- foreign hands -------------------------------------------------------------------------------


async def _evening(home: Path, model: Path) -> None:
    """A home with everything that can be damaged: words, a voice in force, a dataset."""
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    evening = await Evening(store, Home(home)).begin()
    await played(evening)
    content = write_random_adapter(home / "drawn.gguf").read_bytes()
    (home / "drawn.gguf").unlink()
    name = f"mira-{hashlib.sha256(content).hexdigest()[:12]}"
    (await evening.trained(name, "dataset-1", state="active", made_at=datetime.now(UTC), base=file_id(model))).write_bytes(content)
    folder = evening.snapshot("dataset-0123456789abcdef", {"prompt": "Ana: The rope?"})
    digest = hashlib.sha256((folder / "sft" / "train.jsonl").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"files": {"sft/train.jsonl": f"sha256-{digest}"}}))
    await store.close()


def _adapter(home: Path) -> None:
    [file] = (home / "adapters").rglob("*.gguf")
    data = bytearray(file.read_bytes())
    data[: len(data) // 2] = os.urandom(len(data) // 2)
    file.write_bytes(data)


def _manifest(home: Path) -> None:
    next(home.glob("datasets/*/manifest.json")).write_text('{"files": ')


HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "adapter": (_adapter, "is not what was trained"), "manifest": (_manifest, "cannot be read"),
}


@pytest.mark.parametrize("harm", HARMS)
async def test_a_damaged_file_is_told_and_the_table_plays_on_without_it(home: Path, tiny_model: Path, harm: str) -> None:
    home.mkdir()
    await _evening(home, tiny_model)
    assert understudy("db", "check", "--json").status == 0
    damage, told = HARMS[harm]
    damage(home)
    checked = understudy("db", "check")
    assert checked.status == 1
    assert told in checked.out
    play = understudy("play", "--terminal", "--json", "--no-nights", "--model", tiny_model, "--npc", "mira", stdin="Good evening!\n")
    [line] = [event for event in play.events if event["event"] == "line"]
    assert (play.status, line["adapter"] is None) == (0, harm == "adapter")


async def test_a_damaged_page_is_one_sentence_and_the_last_copy_brings_everything_back(home: Path, tiny_model: Path) -> None:
    home.mkdir()
    await _evening(home, tiny_model)
    assert understudy("db", "backup").status == 0
    file = home / "db.sqlite"
    before = file.read_bytes()
    with sqlite3.connect(file) as database:
        roots = [page for (page,) in database.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('turns', 'takes', 'scenes')")]
    data = bytearray(before)
    for page in roots:
        data[(page - 1) * 4096 : page * 4096] = os.urandom(4096)
    file.write_bytes(data)
    for command in (["play", "--terminal", "--json", "--no-nights", "--model", tiny_model], ["db", "check"]):
        done = understudy(*command, stdin="Good evening!\n")
        assert done.status == 1
        assert "db.sqlite" in done.err + done.out
        assert "Traceback" not in done.err
    assert understudy("db", "restore").status == 0
    assert understudy("db", "check").status == 0
    play = understudy("play", "--terminal", "--json", "--no-nights", "--model", tiny_model, "--npc", "mira", stdin="Good evening!\n")
    assert [event["event"] for event in play.events if event["event"] in {"line", "error"}] == ["line"]
