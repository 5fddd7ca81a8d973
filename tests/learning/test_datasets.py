"""Datasets from candidate to snapshot: what is left out, what the manifest tells, and the commands."""

import asyncio
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.table.events import Line
from bot.table.table import Seat, Table
from characters.inference.engine import Sampling
from characters.library import Library
from characters.messages import Turn
from db.store import Store
from learning.commands.dataset import dataset
from learning.datasets.snapshot import DatasetMissing, latest, open_snapshot, write_snapshot
from learning.errors import NothingToLearn
from tests.fakes.candidates import PART, RENDERER, built, evening, heard, row
from tests.fakes.scripted_engine import ScriptedEngine

# --- building ---------------------------------------------------------------------------------------


def test_conversations_stay_whole_and_where_they_were_when_the_next_evening_comes(tmp_path: Path) -> None:
    first = built(tmp_path, evening(7))
    second = built(tmp_path, evening(9), about={"npc": "mira", "campaign": 1, "made_at": "2026-05-02T04:00:00"})
    before, after = ({row.conversation: split for split, rows in found.splits.items() for row in rows} for found in (first, second))
    assert before.items() <= after.items()
    assert set(before.values()) == {"train", "validation", "held_out"}
    for found in (first, second):
        conversations = [{row.conversation for row in rows} for rows in found.splits.values()]
        assert sum(map(len, conversations)) == len(set.union(*conversations))
    assert second.snapshot.manifest["parents"] == [first.snapshot.hash]
    assert first.snapshot.manifest["parents"] == []


def test_a_conversation_that_was_withdrawn_returns_to_its_split(tmp_path: Path) -> None:
    first = built(tmp_path, evening(7))
    held = first.splits["held_out"][0].conversation
    rest = [c for c in evening(7) if c.conversation != held]
    built(tmp_path, rest, about={"npc": "mira", "campaign": 1, "made_at": "2026-05-02T04:00:00"})
    again = built(tmp_path, [*evening(7), heard(77, "snow")], about={"npc": "mira", "campaign": 1, "made_at": "2026-05-03T04:00:00"})
    assert held in {row.conversation for row in again.splits["held_out"]}


def test_a_build_under_a_clock_years_ahead_moves_no_conversation_afterwards(tmp_path: Path) -> None:
    given: dict[str, str] = {}
    for number, made_at in enumerate(("2999-01-01", *(f"2026-05-{day:02}" for day in range(1, 13))), 6):
        found = built(tmp_path, evening(number), about={"npc": "mira", "campaign": 1, "made_at": f"{made_at}T04:00:00+00:00"})
        tonight = {row.conversation: split for split, rows in found.splits.items() for row in rows}
        assert given.items() <= tonight.items()
        given = tonight


def test_a_snapshot_of_a_clock_years_ahead_is_the_newest_no_longer_than_it_is_alone(tmp_path: Path) -> None:
    ahead = write_snapshot(tmp_path, {"train": [row("one")]}, {"npc": "mira", "made_at": "2999-01-01"})
    assert open_snapshot(tmp_path, "latest").hash == ahead.hash
    right = write_snapshot(tmp_path, {"train": [row("two")]}, {"npc": "mira", "made_at": "2026-05-01"})
    assert open_snapshot(tmp_path, "latest").hash == right.hash
    after = write_snapshot(tmp_path, {"train": [row("three")]}, {"npc": "mira", "made_at": "2026-05-02"})
    assert after.manifest["parents"] == [right.hash]


def test_the_same_rows_give_the_same_snapshot(tmp_path: Path) -> None:
    first, again = built(tmp_path, evening(3)), built(tmp_path, evening(3))
    assert first.snapshot.hash == again.snapshot.hash
    assert first.snapshot.manifest == again.snapshot.manifest


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    rows = evening(1)
    more = [
        heard(0, "the ferry", line=1), heard(0, "x", trainable=False, reason="channel text is not trained on"),
        heard(0, "long", source="imported", signal="import", completion="word " * 80),
        heard(0, "long", completion="A long speech by the GM. " * 12),
        heard(0, "epic", turns=(Turn("Ana", "And then, and then, and then, " * 400),)),
    ]  # fmt: skip
    found = built(tmp_path, [*rows, *more])
    assert found.left_out == {
        "exact duplicate": 1, "not trainable: channel text is not trained on": 1, "imported line longer than a reply may be": 1,
        "longer than the model can read": 1,
    }  # fmt: skip
    assert found.snapshot.manifest["left_out"] == found.left_out
    assert len(found.splits["train"]) == len(rows) + 1


def test_no_train_row_is_like_a_line_that_is_held_out(tmp_path: Path) -> None:
    held = built(tmp_path, evening(7)).splits["held_out"][0]
    known = next(c for c in evening(7) if held.completion.startswith(c.completion))
    again = heard(50, "nothing", turns=known.turns, completion=f"{known.completion} And that is the whole of it.", weight=9)
    found = built(tmp_path, [*evening(7), again])
    assert found.left_out == {"too close to exam or held-out": 1}
    assert not [row for row in found.splits["train"] if row.conversation == "50/mira"]


def test_no_train_row_tells_what_the_exam_asks(tmp_path: Path) -> None:
    row = built(tmp_path, evening(7)).splits["train"][5]
    found = built(tmp_path, evening(7), guarded=[f"{row.asked} {row.completion}"])
    assert found.left_out == {"too close to exam or held-out": 1}
    assert row not in found.splits["train"]
    assert found.snapshot.manifest["guarded"] == 1


def test_rows_of_nobodys_conversation_only_train(tmp_path: Path) -> None:
    anchors = [RENDERER.row(heard(0, f"anchor {n} of many", source="offline_teacher", signal="anchor", conversation=f"anchor 1.{n}"), PART)
               for n in range(9)]  # fmt: skip
    found = built(tmp_path, evening(7), train_only=anchors)
    assert set(anchors) <= set(found.splits["train"])
    assert not [row for split in ("validation", "held_out") for row in found.splits[split] if row.signal == "anchor"]
    assert not [name for name in found.snapshot.manifest["conversations"] if name.startswith("anchor")]


def test_nothing_left_is_said_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(NothingToLearn, match="its author opted out: 1"):
        built(tmp_path, [heard(1, "the ferry", trainable=False, reason="its author opted out")])


# --- snapshots --------------------------------------------------------------------------------------


def test_the_manifest_counts_by_source_signal_consent_and_licence(tmp_path: Path) -> None:
    imported = heard(0, "the sea", source="imported", signal="import", conversation="import ab.0", reason="imported by the operator")
    anchor = RENDERER.row(heard(0, "the moon", source="offline_teacher", signal="anchor"), PART)
    found = built(tmp_path, [heard(0, "the ferry"), imported, imported], train_only=[anchor], licences={"import ab.0": "CC0-1.0"})
    total: dict[str, int] = {}
    for counts in found.snapshot.manifest["counts"].values():
        assert counts["rows"] == sum(counts["by_source"].values())
        for group in ("source", "signal", "consent", "licence"):
            for name, count in counts[f"by_{group}"].items():
                total[name] = total.get(name, 0) + count
    assert total == {
        "gm": 1, "imported": 1, "offline_teacher": 1, "edit": 1, "import": 1, "anchor": 1, "typed at the own machine": 1,
        "imported by the operator": 1, "written by offline teacher": 1, "the table's own": 1, "CC0-1.0": 1, "made by the program": 1,
    }  # fmt: skip
    manifest = found.snapshot.manifest
    assert manifest["seeds"] == {"minhash": 1, "training": 17}
    assert manifest["versions"].keys() >= {"understudy", "datasketch", "trl", "torch"}
    assert manifest["base"] == "sha256-x"
    assert json.loads((found.snapshot.folder / "manifest.json").read_text("utf-8")) == manifest


def test_a_snapshot_without_a_manifest_is_the_rest_of_a_build_and_is_made_anew(tmp_path: Path) -> None:
    whole = write_snapshot(tmp_path, {"train": [row("Aye")]}, {"npc": "mira"})
    (whole.folder / "manifest.json").unlink()
    (whole.folder / "sft" / "train.jsonl").write_text('{"half": ')
    assert latest(tmp_path, "mira") is None
    assert write_snapshot(tmp_path, {"train": [row("Aye")]}, {"npc": "mira"}).rows("sft", "train") == whole.rows("sft", "train") != []


def test_rows_say_whose_words_they_are_and_which_line_they_come_from(tmp_path: Path) -> None:
    pair = row("Aye", kind="pair", rejected="Nay.<|end|>")
    label = row("Aye", kind="label", label=False)
    snapshot = write_snapshot(tmp_path, {"train": [row("Aye"), pair, label]}, {})
    common = {"prompt", "source", "signal", "conversation", "weight", "line", "people", "asked"}
    [[target], [preferred], [judged]] = [snapshot.rows(kind, "train") for kind in ("sft", "pair", "label")]
    assert target.keys() == common | {"completion"}
    assert preferred.keys() == common | {"chosen", "rejected"}
    assert judged.keys() == common | {"completion", "label"}
    assert (target["line"], target["people"]) == (7, ["local:ana"])


def test_parents_are_the_newest_snapshot_of_the_same_npc_and_campaign(tmp_path: Path) -> None:
    def write(text: str, npc: str, campaign: int, day: int) -> Any:
        return write_snapshot(tmp_path, {"train": [row(text)]}, {"npc": npc, "campaign": campaign, "made_at": f"2026-05-0{day}"})

    first, _, _ = write("one", "mira", 1, 1), write("two", "brug", 1, 2), write("three", "mira", 2, 3)
    assert write("four", "mira", 1, 4).manifest["parents"] == [first.hash]
    assert write("one", "mira", 1, 5).manifest["made_at"] == "2026-05-01"


def test_a_dataset_is_found_by_its_hash_its_beginning_or_as_the_latest(tmp_path: Path) -> None:
    one = write_snapshot(tmp_path, {"train": [row("one")]}, {"npc": "mira", "made_at": "2026-05-01"})
    two = write_snapshot(tmp_path, {"train": [row("two")]}, {"npc": "brug", "made_at": "2026-05-02"})
    assert open_snapshot(tmp_path, one.hash).hash == open_snapshot(tmp_path, one.hash[8:16]).hash == one.hash
    assert open_snapshot(tmp_path, "latest").hash == two.hash
    assert open_snapshot(tmp_path, "latest", "mira").hash == one.hash
    with pytest.raises(DatasetMissing, match="2 datasets begin with 'dataset-'"):
        open_snapshot(tmp_path, "dataset-")
    with pytest.raises(DatasetMissing, match="No dataset begins"):
        open_snapshot(tmp_path, "dataset-nothing")
    with pytest.raises(DatasetMissing, match="no dataset of wick yet"):
        open_snapshot(tmp_path, "latest", "wick")


def test_load_dataset_reads_a_snapshot_with_its_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    snapshot = built(tmp_path / "datasets", [*evening(7), *(heard(n, "it", kind="label", label=n % 2 == 0, people=()) for n in range(7))]).snapshot
    for kind in ("sft", "label"):
        loaded = datasets.load_dataset(str(snapshot.folder), kind, cache_dir=str(tmp_path / "cache"))
        assert list(loaded) == ["train", "validation", "held_out"]
        for split, rows in loaded.items():
            assert rows.to_list() == snapshot.rows(kind, split)


def test_load_dataset_reads_rows_of_nobody_beside_rows_of_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    snapshot = write_snapshot(tmp_path / "datasets", {"train": [row("one", people=())], "validation": [row("two")]}, {"npc": "mira"})
    loaded = datasets.load_dataset(str(snapshot.folder), "sft", cache_dir=str(tmp_path / "cache"))
    assert [rows["people"][0] for rows in loaded.values()] == [["nobody"], ["local:ana"]]


# --- the commands -----------------------------------------------------------------------------------


def understudy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(dataset, [str(argument) for argument in arguments])


def told(*arguments: str | Path) -> Any:
    done = understudy(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


async def play(home: Path, things: tuple[str, ...]) -> None:
    """An evening at which the GM, sitting there under a real name, edits every line."""
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    engine = ScriptedEngine(*(f"I know nothing of {thing}." for thing in things))
    table = await Table.open(
        store, engine, Library(home), campaign="home", seat=Seat("Ana Petrova"),
        clock=lambda: datetime(2026, 5, 1, tzinfo=UTC), rng=random.Random(7), sampling=Sampling(max_tokens=40),
    )  # fmt: skip
    try:
        await table.summon("mira")
        for thing in things:
            lines = [event async for event in table.say(f"What do you make of {thing}?") if isinstance(event, Line)]
            await table.edit(f"Of {thing} I could tell you, Ana Petrova, had you a whole night.", lines[-1].line_id)
    finally:
        await table.speaking.close()
        await store.close()


def test_an_evening_and_an_import_become_a_dataset_that_is_shown_checked_and_exported(
    home: Path, migrated: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    shutil.copy(migrated, home / "db.sqlite")
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    asyncio.run(play(home, ("the ferry", "the wolves")))
    transcript = tmp_path / "inn.txt"
    transcript.write_text("\n\n".join(f"Bo: Have you {thing} left?\nMira: {thing.title()}, yes, but it will cost you." for thing in ("eel", "salt", "oil")))

    assert told("import", transcript, "--npc", "mira", "--licence", "CC0-1.0")["counts"]["dialogues"] == 3
    [found] = told("build", "--npc", "mira")["datasets"]
    assert sum(found["rows"].values()) == 2 + 2 + 3, "two targets, two pairs, three imported answers"
    shown = told("show", "latest", "--npc", "mira")
    assert shown["hash"] == found["dataset"]
    assert sum(counts["by_licence"].get("CC0-1.0", 0) for counts in shown["counts"].values()) == 3
    assert understudy("show", found["dataset"]).stdout.startswith(found["dataset"])

    assert told("lint", "latest") == {"rows": 7, "faults": []}
    rows = [json.loads(line) for line in (home / "datasets" / found["dataset"] / "sft" / "train.jsonl").read_text("utf-8").splitlines()]
    (tmp_path / "bad.jsonl").write_text(json.dumps({**rows[0], "completion": "Thank you, Ana Petrova."}) + "\n")
    done = understudy("lint", tmp_path / "bad.jsonl", "--stop", "<|end|>")
    assert done.exit_code == 1
    assert "bad.jsonl, row 1: it names 'Ana Petrova'" in done.stdout
    assert "does not end with '<|end|>'" in done.stdout

    out = told("export", "latest", "--format", "openai", "--out", tmp_path / "out")
    assert sum(out["files"].values()) == 7
    assert "Petrova" not in "".join(path.read_text("utf-8") for path in (tmp_path / "out").rglob("*.*") if path.is_file())


def test_building_of_nothing_says_what_to_do(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    done = understudy("build")
    assert isinstance(done.exception, NothingToLearn)
    assert "play, or import dialogues" in str(done.exception)
