"""`db check` finds damage, dangling references and changed files, a sentence each; and nothing where nothing is wrong."""

import hashlib
import json
import shutil
from pathlib import Path

from sqlalchemy import text, update

from db.checking import check
from db.models import AdapterVersion, TurnRow
from tests.fakes.evening import Evening, played, row


async def sentences(evening: Evening) -> list[str]:
    checked = await check(evening.store, evening.home)
    assert checked.clean == (not any(one.harm for one in checked.findings))
    return [one.sentence for one in checked.findings]


async def registered(evening: Evening, content: bytes = b"GGUF\0an adapter", state: str = "retired") -> Path:
    name = f"mira-{hashlib.sha256(content).hexdigest()[:12]}"
    path = await evening.trained(name, "dataset-1", state=state)
    path.write_bytes(content)
    return path


def snapshot(evening: Evening) -> Path:
    folder = evening.snapshot("dataset-0123456789abcdef", row("1/mira", "Ana: The rope?"))
    digest = hashlib.sha256((folder / "sft" / "train.jsonl").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"files": {"sft/train.jsonl": f"sha256-{digest}"}}))
    return folder


async def test_an_evening_with_all_that_came_of_it_is_clean(evening: Evening) -> None:
    await played(evening)
    await registered(evening)
    snapshot(evening)
    checked = await check(evening.store, evening.home)
    assert checked.findings == ()
    assert (checked.adapters, checked.datasets, checked.rows["turns"]) == (1, 1, 4)


async def test_an_adapter_that_is_gone_or_changed_is_told_with_what_to_do(evening: Evening) -> None:
    gone, changed = await registered(evening, b"GGUF\0one"), await registered(evening, b"GGUF\0two", state="active")
    gone.unlink()
    changed.write_bytes(b"GGUF\0three")
    first, second = await sentences(evening)
    assert f"its file {gone} is gone; the next night trains anew." in first
    assert "is not what was trained" in second
    assert second.endswith("`understudy rollback mira` lets it speak with another voice.")


async def test_the_file_of_a_blocked_adapter_may_be_gone(evening: Evening) -> None:
    (await registered(evening)).unlink()
    async with evening.store.session() as session:
        await session.execute(update(AdapterVersion).values(state="blocked"))
    checked = await check(evening.store, evening.home)
    assert [one.harm for one in checked.findings] == [False]
    assert checked.clean


async def test_a_snapshot_that_lacks_a_file_or_has_another_is_told_and_an_emptied_one_is_not(evening: Evening) -> None:
    folder = snapshot(evening)
    file = folder / "sft" / "train.jsonl"
    file.write_text("{}\n")
    assert "is not what was built (sft/train.jsonl changed)" in (await sentences(evening))[0]
    shutil.rmtree(folder / "sft")
    assert "lacks its file sft/train.jsonl" in (await sentences(evening))[0]
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "emptied": "somebody is forgotten"}))
    assert await sentences(evening) == []
    (folder / "manifest.json").write_text("{half")
    assert "cannot be read" in (await sentences(evening))[0]


async def test_references_that_lead_nowhere_are_told(evening: Evening) -> None:
    line = await played(evening)
    async with evening.store.session() as session:
        await session.execute(update(TurnRow).where(TurnRow.id == line).values(kept_take_id=9999))
        await session.execute(text("UPDATE active_adapter SET adapter = 'ghost'"))
        if evening.store.engine.dialect.name == "sqlite":
            await session.execute(text("PRAGMA defer_foreign_keys=ON"))
    found = await sentences(evening)
    assert f"turns.kept_take_id of row {line} names no row of its own takes; restore a backup, or delete these rows." in found


async def test_an_adapter_that_is_to_speak_and_is_not_registered_is_told(evening: Evening) -> None:
    await registered(evening, state="active")
    async with evening.store.session() as session:
        await session.execute(text("UPDATE active_adapter SET adapter = 'ghost'"))
    assert (await sentences(evening))[0] == "mira is to speak with ghost, which is not registered; `understudy rollback mira`."


async def test_a_dangling_foreign_key_of_an_sqlite_file_is_told(evening: Evening) -> None:
    if evening.store.engine.dialect.name != "sqlite":
        return  # PostgreSQL keeps them by itself
    line = await played(evening)
    async with evening.store.engine.connect() as connection:
        loose = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await loose.exec_driver_sql("PRAGMA foreign_keys=OFF")
        await loose.exec_driver_sql(f"UPDATE takes SET turn_id = 4711 WHERE turn_id = {line}")
        await loose.exec_driver_sql("PRAGMA foreign_keys=ON")
    assert any("takes.turn_id of row 1, 2 names no row of turns" in sentence for sentence in await sentences(evening))


async def test_a_copy_that_was_broken_off_is_told(evening: Evening) -> None:
    async with evening.store.session() as session:
        await session.execute(text("CREATE TABLE copy_marks (name TEXT)"))
    assert "is a copy that was broken off" in (await sentences(evening))[0]
