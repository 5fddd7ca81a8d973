"""`understudy privacy`: hand over what is kept about a person, and forget them to the last byte."""

import asyncio
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory

from bot.table.table import Seat, Table
from characters.library import Library
from characters.prompt import Budget, Part
from db.home import Home
from db.night_lock import YIELDED
from db.provenance import Policy
from db.queries import adapters, harvest
from db.queries.adapters import Version
from db.queries.harvest import CandidateRecord
from learning.datasets.rows import Renderer, Row
from learning.datasets.snapshot import Snapshot, write_snapshot
from learning.harvest import Candidate, counts
from learning.harvest import harvest as to_candidates
from learning.starter.tokens import TEMPLATE
from tests.bot.conftest import NOW, Command, OpenTable
from tests.fakes.hearing import said, transcript

BEN = Seat("Ben", "local:ben", "player")
CANARY = "The heron of Vellmark owes my grandmother seven silver spoons and a kettle."
QUOTING = "So the heron of Vellmark owes my grandmother seven silver spoons, does it?"
MARK = b"Vellmark"
ANAS = "What does a bowl of the eel stew cost at this fine inn tonight?"


class Played:
    """An evening of Ana, the GM, and Ben; and the night after it, as it is left in the home."""

    def __init__(self, home: Path, gm: Table, ben: Table) -> None:
        self.home, self.gm, self.ben = home, gm, ben

    @classmethod
    async def evening(cls, open_table: OpenTable) -> "Played":
        ben = await open_table(QUOTING, seat=BEN)
        line = await said(ben, CANARY)
        gm = await open_table("Three copper.", "Thank you.")
        await gm.edit("Herons pay no debts here, friend.", line.line_id)
        stew = await said(gm, ANAS)
        await gm.edit("Three copper, and wipe your boots.", stew.line_id)
        return cls(open_table.home, gm, ben)

    async def harvest(self) -> list[Candidate]:
        async with self.gm.state.store.session() as session:
            found = to_candidates(await harvest.heard_lines(session, self.gm.state.campaign, "mira"), Policy())
            records = [CandidateRecord(c.kind, c.source, c.line, {"completion": c.completion, "rejected": c.rejected,
                                       "people": list(c.people)}, c.trainable, c.reason) for c in found]  # fmt: skip
            await harvest.replace_candidates(session, self.gm.state.campaign, "mira", records, NOW)
        return found

    async def night(self) -> Snapshot:
        """What a night leaves behind, by the night's own writers where they need no training."""
        from learning.nightly import Outcome
        from learning.report import markdown

        home, found = Home(self.home), await self.harvest()
        library = Library(self.home)
        sheet = library.get("mira")
        part = Part("mira", sheet, library.world(sheet.world))
        rendered = [Renderer(TEMPLATE, Budget(context=4000)).row(candidate, part) for candidate in found]
        snapshot = write_snapshot(home.folder("datasets"), {"train": rendered, "validation": []}, {"npc": "mira"})
        file = home.folder("adapters/1/mira") / "mira-1.gguf"
        file.write_bytes(b"GGUF\0" + f"{snapshot.hash} run-000000000001".encode())
        async with self.gm.state.store.session() as session:
            version = Version("mira-1", "mira", str(file), "sha256-scripted", "candidate", {"dataset": snapshot.hash}, NOW)
            await adapters.add_version(session, self.gm.state.campaign, version)
            await adapters.promote(session, self.gm.state.campaign, version, NOW)
        report = markdown(Outcome("mira", counts(found), tuple(found), "nothing"), "Mira")
        (home.folder("reports") / "night.md").write_text(report, "utf-8")
        (home.folder("runs/run-000000000001") / "rows.json").write_text(json.dumps([row.prompt for row in rendered]), "utf-8")
        (home.folder("cache/gate") / "base-mira-1.json").write_text(json.dumps({"k": [QUOTING, True]}), "utf-8")
        history = FileHistory(str(home.folder("logs") / "history"))
        for typed in (CANARY, ANAS):
            history.append_string(typed)
        return snapshot

    def holding(self, mark: bytes) -> list[str]:
        """The files of the home that hold some bytes."""
        return [str(path.relative_to(self.home)) for path in sorted(self.home.rglob("*")) if path.is_file() and mark in path.read_bytes()]


@pytest.fixture
async def played(open_table: OpenTable) -> Played:
    return await Played.evening(open_table)


async def test_forgetting_one_person_leaves_no_byte_of_theirs_in_the_home(played: Played, command: Command) -> None:
    snapshot = await played.night()
    other = write_snapshot(played.home / "datasets", {"train": [Row("sft", "Anna: The rope?", "A gold.", "gm", "edit", "88/odo")]}, {"npc": "odo"})
    held = played.holding(MARK)
    for place in ("cache/gate/", "datasets/", "db.sqlite", "logs/history", "reports/night.md", "runs/"):
        assert any(name.startswith(place) for name in held), f"the canary never came to {place}"
    assert (await said(played.gm, "And the bread?")).adapter == "mira-1"

    done = await asyncio.to_thread(command, "privacy", "forget", "Ben", "--yes", "--json")

    assert (done.status, done.err) == (0, "")
    assert played.holding(MARK) == []
    assert played.holding(b"local:ben") == []
    assert done.value["blocked"] == ["mira-1"]
    assert done.value["pages"] == "clean"
    assert not (played.home / "adapters/1/mira/mira-1.gguf").exists()
    assert json.loads((snapshot.folder / "manifest.json").read_text("utf-8"))["hash"] == snapshot.hash
    assert len(other.rows("sft", "train")) == 1
    assert ANAS in (played.home / "reports" / "night.md").read_text("utf-8")
    assert list(FileHistory(str(played.home / "logs" / "history")).load_history_strings()) == [ANAS]


# A night in a process of its own, which has read everything and writes it down again and again.
NIGHT = """
import itertools, json, pathlib, sys
from learning.commands.place import farewell, now
from db.home import Home
from db.night_lock import night_lock
home, words = Home(pathlib.Path(sys.argv[1])), sys.argv[2]
with night_lock(home, now, farewell=lambda: farewell("The night", True)):
    for number in itertools.count():
        (home.folder("runs/run-0123456789ab.work") / f"{number % 50}.json").write_text(json.dumps([words]))
        (home.folder("datasets/dataset-0123456789abcdef/sft") / f"{number % 50}.jsonl").write_text(words)
        if number == 50:
            print("held", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by id on POSIX alone")
async def test_a_night_that_runs_makes_way_and_writes_nothing_of_theirs_any_more(played: Played, command: Command) -> None:
    night = await asyncio.create_subprocess_exec(sys.executable, "-c", NIGHT, str(played.home), CANARY, stdout=subprocess.PIPE)
    assert night.stdout is not None
    try:
        assert await night.stdout.readline() == b"held\n"
        assert any(name.startswith("runs/") for name in played.holding(MARK))
        done = await asyncio.to_thread(command, "privacy", "forget", "Ben", "--yes", "--json")
        assert (done.status, await night.wait()) == (0, YIELDED)
        assert "makes way, for somebody is to be forgotten" in json.loads(await night.stdout.read())["message"]
    finally:
        if night.returncode is None:
            night.kill()
    assert played.holding(MARK) == []
    assert not (played.home / "night.lock").exists()


async def test_the_table_goes_on_with_everybody_elses_words_and_without_the_adapter(played: Played, command: Command) -> None:
    await played.night()
    await asyncio.to_thread(command, "privacy", "forget", "local:ben", "--yes")
    assert await transcript(played.gm) == ["Herons pay no debts here, friend.", ANAS, "Three copper, and wipe your boots."]
    line = await said(played.gm, "And the bread?")
    assert line.adapter is None
    assert "Vellmark" not in played.gm.state.engine.history[-1].prompt
    found = await played.harvest()
    assert [c.turns[-1].text for c in found if c.trainable] == [ANAS, ANAS]
    assert all("Vellmark" not in c.completion + c.rejected for c in found)


async def test_forgetting_says_what_went_and_what_is_not_reached(played: Played, command: Command) -> None:
    await played.night()
    done = await asyncio.to_thread(command, "privacy", "forget", "Ben", "--yes")
    assert done.status == 0
    told = [line.strip() for line in done.out.splitlines()]
    assert told[0] == "local:ben is forgotten:"
    assert {"1  turns", "1  lines of NPCs that repeated them", "1  datasets, emptied"} <= set(told)
    assert "Blocked, for they were trained on rows of theirs: mira-1." in done.out
    assert "the next night trains them anew" in done.out
    assert "backups, which hold it until they expire" in done.out
    again = await asyncio.to_thread(command, "privacy", "forget", "Ben", "--yes")
    assert (again.status, again.out) == (1, "")
    assert "Nobody is known by the key or name 'Ben'" in again.err


async def test_without_yes_nothing_is_forgotten_unless_a_person_at_a_terminal_agrees(
    played: Played, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    refused = await asyncio.to_thread(command, "privacy", "forget", "Ben")
    assert refused.status == 1
    assert "Forgetting local:ben in home cannot be undone; add --yes if it is meant." in refused.err
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    declined = await asyncio.to_thread(command, "privacy", "forget", "Ben")
    assert (declined.status, "cannot be undone" in declined.out + declined.err) == (130, True)
    assert CANARY in await transcript(played.gm)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert (await asyncio.to_thread(command, "privacy", "forget", "Ben")).status == 0
    assert CANARY not in await transcript(played.gm)


async def test_an_export_is_json_on_the_output_or_in_a_file(played: Played, command: Command, tmp_path: Path) -> None:
    shown = await asyncio.to_thread(command, "privacy", "export", "Ben", "--json")
    assert [turn["text"] for turn in shown.value["turns"]] == [CANARY]
    file = tmp_path / "ben.json"
    written = await asyncio.to_thread(command, "privacy", "export", "Ben", "--out", file, "--json")
    assert (written.value["file"], written.value["counts"]["turns"]) == (str(file), 1)
    assert json.loads(file.read_text("utf-8")) == shown.value
    told = await asyncio.to_thread(command, "privacy", "export", "Ben", "--out", file)
    assert told.out == f"{file}: everything kept about local:ben.\n"


def test_nobody_of_that_name_is_one_sentence(command: Command) -> None:
    for verb in ("export", "forget"):
        done = command("privacy", verb, "Zoe", "--campaign", "nowhere", "--json")
        assert done.status == 1
        assert "There is no campaign 'nowhere'" in done.value["message"]
