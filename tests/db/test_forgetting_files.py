"""A forgotten person is gone from the files of the home and from the free pages of the database."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from db import forgetting
from db.home import Home
from db.models import (
    StyleExampleRow,
)
from db.queries import privacy
from db.store import Store
from tests.fakes.evening import BENS, CANARY, MARK, QUOTING, Evening, played, row, run_of


async def test_a_snapshot_with_rows_of_the_person_is_emptied_and_its_hashes_stay(evening: Evening) -> None:
    await played(evening)
    touched = evening.snapshot("dataset-0000000000000001", row(f"{evening.scene}/mira", "Anna: The heron"), row("88/mira", BENS))
    sound = evening.snapshot("dataset-0000000000000002", row("88/mira", "Bastian: Is that so?"))
    before = (sound / "sft" / "train.jsonl").read_text("utf-8")
    report = await evening.forgets("Ana")
    assert report.files.emptied == ["datasets/dataset-0000000000000001"]
    assert (touched / "sft" / "train.jsonl").read_bytes() == b""
    manifest = json.loads((touched / "manifest.json").read_text("utf-8"))
    assert manifest["files"] == {"sft/train.jsonl": "sha256-1"}
    assert "asked to be forgotten" in manifest["emptied"]
    assert (sound / "sft" / "train.jsonl").read_text("utf-8") == before
    assert "emptied" not in json.loads((sound / "manifest.json").read_text("utf-8"))


@pytest.mark.parametrize(("fields", "touched"), [
    ({"people": ["local:ana"], "line": 4000}, True),
    ({"people": ["local:ben"], "line": 4000}, False),
    ({"people": ["local:ben"], "line": 2}, True),
    ({"people": []}, True),
    ({}, True),
])  # fmt: skip
async def test_a_row_that_tells_its_people_and_line_is_believed_and_else_its_conversation_decides(
    evening: Evening, fields: dict[str, Any], touched: bool
) -> None:
    assert await evening.answers(await evening.says(evening.ana, CANARY), "Is that so?") == 2
    async with evening.store.session() as session:
        traces = await privacy.trace(session, await privacy.find_person(session, "Ana"))
    assert forgetting.row_touched(row(f"{evening.scene}/mira", "Bastian: And?", **fields), traces) is touched
    assert forgetting.row_touched(row("88/mira", f"Bastian: {QUOTING}", people=[], line=4000), traces)


async def test_work_of_runs_goes_unless_it_tells_a_dataset_without_the_person(evening: Evening) -> None:
    await played(evening)
    evening.snapshot("dataset-0000000000000001", row("88/mira", "Bastian: The stew?"))
    evening.snapshot("dataset-0000000000000002", row(f"{evening.scene}/mira", "Anna: The heron"))
    await evening.trained("mira-old", "dataset-0000000000000001")
    for name, told in {
        "run-aaaaaaaaaaaa/note.json": "dataset-0000000000000001", "run-bbbbbbbbbbbb/note.json": "dataset-0000000000000002",
        "run-cccccccccccc.work/weights.bin": "no word", f"{run_of('mira-old')}/weights.bin": "named by its adapter",
        "exams/mira.json": json.dumps({"asked": ["The ale?", CANARY]}),
    }.items():  # fmt: skip
        evening.writes(f"runs/{name}", told)
    await evening.forgets("Ana")
    runs = evening.home.root / "runs"
    assert sorted(path.name for path in runs.iterdir()) == sorted(["exams", "run-aaaaaaaaaaaa", run_of("mira-old")])
    assert json.loads((runs / "exams" / "mira.json").read_text("utf-8")) == {"asked": ["The ale?"]}


async def test_reports_logs_and_history_lose_what_repeats_the_person_and_nothing_else(evening: Evening) -> None:
    await evening.answers(await evening.says(evening.ana, CANARY), "Is that so?")
    await evening.says(evening.ana, "Any rumours?")
    report = evening.writes("reports/1.md", f"# Mira\n\n- you wrote: “{CANARY}” → “No.”\n- {BENS}\n- Any rumours?\n  - before: none\n- The stew?\n  - before: 3\n")
    only = evening.writes("reports/2.md", f"# Mira\n\n- “{CANARY}”\n")
    data = evening.writes("reports/1.json", json.dumps({"npc": "mira", "samples": [{"asked": CANARY, "after": "x"}, {"asked": BENS, "after": "y"}]}))
    log = evening.writes("logs/nights.log", f"10:00 heard {BENS}\n10:01 heard {QUOTING}\n")
    history = evening.writes("logs/history", f"\n# 2026-05-01\n+{CANARY}\n\n# 2026-05-01\n+{BENS}\n\n# 2026-05-01\n+Any rumours?\n")
    await evening.forgets("Ana")
    assert report.read_text("utf-8") == f"# Mira\n\n- {BENS}\n- The stew?\n  - before: 3\n"
    assert not only.exists(), "made of her words alone"
    assert json.loads(data.read_text("utf-8")) == {"npc": "mira", "samples": [{"asked": BENS, "after": "y"}]}
    assert log.read_text("utf-8") == f"10:00 heard {BENS}\n"
    assert history.read_text("utf-8") == f"\n# 2026-05-01\n+{BENS}\n"


async def test_caches_are_emptied_and_what_is_not_the_programs_is_left(evening: Evening) -> None:
    await evening.says(evening.ana, CANARY)
    evening.writes("cache/gate/base-bare.json", '{"k": ["an answer to her", true]}')
    evening.writes("kv/state.bin", "evaluated")
    note, imported = evening.writes("kv/native.json", "{}"), evening.writes("imports/book.jsonl", CANARY)
    backup, settings = evening.writes("backups/1.sqlite", CANARY), evening.writes("understudy.toml", "# mine\n")
    await evening.forgets("Ana")
    assert [path for name in ("cache", "kv") for path in (evening.home.root / name).rglob("*") if path.is_file()] == [note]
    assert all(path.exists() for path in (imported, backup, settings))


# --- free pages ----------------------------------------------------------------------------------


async def test_no_byte_stays_in_the_database_file(evening: Evening, database_url: str, tmp_path: Path) -> None:
    for _ in range(20):
        await played(evening)
    files = list(tmp_path.glob("db.sqlite*"))
    assert any(MARK.encode() in path.read_bytes() for path in files) is database_url.startswith("sqlite")
    report = await evening.forgets("Ana")
    assert report.pages == ("clean" if files else "server")
    for path in tmp_path.glob("db.sqlite*"):
        assert MARK.encode() not in path.read_bytes(), path.name
    if files:
        reader = sqlite3.connect(tmp_path / "db.sqlite")
        assert reader.execute("PRAGMA freelist_count").fetchone() == (0,), "no page is left that once held something"
        reader.close()


async def test_a_database_somebody_holds_is_told_and_done_when_asked_again(migrated: Path, home: Path) -> None:
    home.mkdir()
    path = home / "db.sqlite"
    path.write_bytes(migrated.read_bytes())
    store = await Store.open(f"sqlite:///{path}", patience=0.05)
    evening = await Evening(store, Home(home)).begin()
    await evening.says(evening.ana, CANARY)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    try:
        report = await evening.forgets("Ana")
        assert report.pages == "busy"
        reader.execute("ROLLBACK")
        again = await evening.forgets(report.key)
        assert (again.pages, again.rows.turns) == ("clean", 0)
        assert all(MARK.encode() not in file.read_bytes() for file in home.glob("db.sqlite*"))
    finally:
        reader.close()
        await store.close()


async def test_forgetting_that_was_interrupted_after_the_files_is_finished_by_the_next(evening: Evening) -> None:
    await played(evening)
    folder = evening.snapshot("dataset-0000000000000001", row(f"{evening.scene}/mira", "Anna: The heron"))
    path = await evening.trained("mira-1", "dataset-0000000000000001", "active")
    async with evening.store.session() as session:
        traces = await privacy.trace(session, await privacy.find_person(session, "Ana"))
    forgetting.clear_files(evening.home, traces, forgetting.find_snapshots(evening.home, traces), [])
    assert (folder / "sft" / "train.jsonl").read_bytes() == b""
    assert (await evening.forgets("Ana")).blocked == ("mira-1",)
    assert not path.exists()
    assert MARK not in await evening.whole_database()
    assert [example.id for example in await evening.rows(StyleExampleRow)] == []
