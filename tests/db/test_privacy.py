"""A person can have everything that is kept about them, and can be forgotten: rows, files, free pages."""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from characters.messages import Fact, Scene
from db import forgetting
from db.home import Home
from db.models import (
    ActiveAdapter,
    AdapterVersion,
    Base,
    Night,
    NightRequest,
    Participant,
    StyleExampleRow,
    Take,
    TurnRow,
)
from db.provenance import shares_words
from db.queries import adapters, harvest, lines, play, privacy, reactions
from db.queries.adapters import Version
from db.queries.harvest import CandidateRecord
from db.queries.privacy import Known, PersonNotFound
from db.queries.reactions import Reaction, Taught
from db.sayings import Sayings, without_lines, without_values
from db.store import Store
from db.values import Person, StoredTurn, TakeMade

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
CANARY = "The heron of Vellmark owes my grandmother seven silver spoons and a kettle."
QUOTING = "Hm. So the heron of Vellmark owes my grandmother seven silver spoons, does it?"
MARK = "Vellmark"
BENS = "I shall pay for the eel stew on Thursday, innkeeper."


def run_of(adapter: str) -> str:
    return f"run-{hashlib.sha256(adapter.encode()).hexdigest()[:12]}"


class Evening:
    """Ana and Ben talk to Mira, the GM listens; short ways to make rows and files of it."""

    def __init__(self, store: Store, home: Home) -> None:
        self.store, self.home = store, home

    async def begin(self) -> "Evening":
        async with self.store.session() as session:
            self.campaign = await play.campaign_id(session, "home", NOW)
            evening = await play.start_session(session, self.campaign, NOW)
            self.scene = await play.start_scene(session, evening, Scene(), NOW)
            self.ana = await play.person(session, self.campaign, "local:ana", "Ana", "player")
            self.ben = await play.person(session, self.campaign, "local:ben", "Ben", "player")
            self.gm = await play.person(session, self.campaign, "local:gm", "You", "gm")
            await play.enter(session, self.scene, "mira", "npc", NOW)
            await play.enter(session, self.scene, "local:ana", "person", NOW)
        return self

    async def says(self, who: Person, text: str) -> int:
        async with self.store.session() as session:
            return await lines.add_turn(session, self.scene, StoredTurn(0, who.name, text, None, "local"), NOW, participant=who.id)

    async def answers(self, asked: int, *takes: str, at_hand: tuple[Fact, ...] = ()) -> int:
        async with self.store.session() as session:
            line = await lines.add_turn(session, self.scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
            for text in takes:
                take = await lines.add_take(session, line, TakeMade(at_hand=at_hand), NOW, text=text, state="complete")
                await lines.keep_take(session, line, take)
        return line

    async def reacts(self, who: Person, line: int, kind: str, **words: str) -> None:
        async with self.store.session() as session:
            await reactions.react(session, Reaction(line, kind, who.id, **words), NOW)

    async def teaches(self, asked: str, said: str, line: int) -> None:
        async with self.store.session() as session:
            await reactions.teach(session, Taught(self.campaign, "mira", asked, said, "edited", line), NOW)

    async def candidate(self, line: int, completion: str, *people: str) -> None:
        record = CandidateRecord("sft", "npc", line, {"completion": completion, "people": list(people)}, True, "")
        async with self.store.session() as session:
            await harvest.replace_candidates(session, self.campaign, "mira", [record], NOW)

    async def trained(self, adapter: str, dataset: str | None, state: str = "retired", made_at: datetime = NOW) -> Path:
        path = self.home.folder(f"adapters/{self.campaign}/mira") / f"{adapter}.gguf"
        path.write_bytes(b"GGUF\0" + f"{dataset} {run_of(adapter)}".encode())
        report = {"dataset": dataset} if dataset else {}
        version = Version(adapter, "mira", str(path), "base", state, report, made_at)
        async with self.store.session() as session:
            await adapters.add_version(session, self.campaign, version)
            if state == "active":
                await adapters.set_active(session, self.campaign, "mira", adapter, NOW)
        return path

    def snapshot(self, name: str, *rows: dict[str, Any]) -> Path:
        folder = self.home.folder(f"datasets/{name}/sft").parent
        (folder / "sft" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (folder / "manifest.json").write_text(json.dumps({"hash": name, "files": {"sft/train.jsonl": "sha256-1"}}), "utf-8")
        return folder

    def writes(self, name: str, text: str) -> Path:
        path = self.home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    async def knows(self, wanted: str, campaign: str | None = None) -> Known:
        async with self.store.session() as session:
            return await privacy.find_person(session, wanted, campaign)

    async def forgets(self, wanted: str) -> forgetting.Report:
        return await forgetting.forget(self.store, self.home, await self.knows(wanted), NOW)

    async def rows(self, model: type[Base]) -> list[Any]:
        async with self.store.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]

    async def whole_database(self) -> str:
        """Every value of every row."""
        async with self.store.session() as session:
            found = [row for table in Base.metadata.sorted_tables for row in (await session.execute(select(table))).all()]
        return "\n".join(json.dumps([str(value) for value in row], ensure_ascii=False) for row in found)


@pytest.fixture
async def evening(store: Store, home: Path) -> Evening:
    home.mkdir()
    return await Evening(store, Home(home)).begin()


def row(conversation: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "completion": "Aye.", "conversation": conversation, "source": "gm", **more}


# --- who is meant --------------------------------------------------------------------------------


async def test_a_person_is_meant_by_key_or_by_name(evening: Evening) -> None:
    for wanted in ("local:ana", "Ana", "aNA"):
        known = await evening.knows(wanted)
        assert (known.key, known.ids, known.campaigns) == ("local:ana", (evening.ana.id,), {evening.campaign: "home"})


async def test_two_people_of_one_name_are_told_apart_by_their_keys(evening: Evening) -> None:
    async with evening.store.session() as session:
        await play.person(session, evening.campaign, "discord:77", "Ana", "player")
    with pytest.raises(PersonNotFound, match=r"2 people are called 'Ana'.*discord:77, local:ana"):
        await evening.knows("Ana")
    assert (await evening.knows("discord:77")).names == ("Ana",)


async def test_one_person_at_two_tables_is_one_person_unless_a_campaign_is_named(evening: Evening) -> None:
    async with evening.store.session() as session:
        other = await play.campaign_id(session, "other", NOW)
        await play.person(session, other, "local:ana", "Ana", "player")
    assert len((await evening.knows("Ana")).ids) == 2
    assert (await evening.knows("Ana", "home")).ids == (evening.ana.id,)


@pytest.mark.parametrize(("wanted", "campaign", "sentence"), [
    ("Zoe", None, "Nobody is known by the key or name 'Zoe'; known are: local:ana, local:ben, local:gm"),
    ("Ana", "nowhere", "There is no campaign 'nowhere'"),
])  # fmt: skip
async def test_whoever_is_not_known_is_one_sentence(evening: Evening, wanted: str, campaign: str | None, sentence: str) -> None:
    with pytest.raises(PersonNotFound, match=sentence):
        await evening.knows(wanted, campaign)


# --- rows ----------------------------------------------------------------------------------------


async def played(evening: Evening) -> int:
    """A scene in which Ana's words went everywhere; returns the line that answers her."""
    line = await evening.answers(await evening.says(evening.ana, CANARY), "Is that so?", QUOTING)
    await evening.reacts(evening.ana, line, "thumbs_up", asked=CANARY, text=QUOTING)
    await evening.reacts(evening.ben, line, "thumbs_down", asked=CANARY, text=QUOTING)
    await evening.teaches(CANARY, "Herons owe nobody anything.", line)
    await evening.candidate(line, QUOTING, "local:ana")
    style = Fact("style.learnt 1", "Herons owe nobody anything.", "style")
    later = await evening.answers(await evening.says(evening.ben, BENS), "On Thursday, then.", at_hand=(style, Fact("w", "stew: 3 copper", "ware")))
    await evening.reacts(evening.ben, later, "thumbs_up", asked=BENS, text="On Thursday, then.")
    async with evening.store.session() as session:
        report = {"samples": [[CANARY, "a", "b"], [BENS, "c", "d"]], "text": f"# Night\n- “{CANARY}”\n- “{BENS}”\n"}
        session.add(Night(campaign_id=evening.campaign, npc="mira", state="running", started_at=NOW, reason=f"not learnt: {CANARY}", report=report))
    return line


async def test_an_export_holds_what_a_person_said_and_did_and_what_was_made_of_it(evening: Evening) -> None:
    line = await played(evening)
    evening.snapshot("dataset-0000000000000001", row(f"{evening.scene}/mira", "Anna: The heron"))
    await evening.trained("mira-1", "dataset-0000000000000001")
    found = await forgetting.export(evening.store, evening.home, await evening.knows("Ana"))
    assert json.loads(json.dumps(found)) == found, "plain JSON"
    assert [turn["text"] for turn in found["turns"]] == [CANARY]
    assert [(reaction["turn_id"], reaction["kind"]) for reaction in found["reactions"]] == [(line, "thumbs_up")]
    assert [taken["text"] for taken in found["lines"]] == ["Is that so?", QUOTING]
    assert [p["consent"] for p in found["participants"]] == ["given"]
    assert [len(found[name]) for name in ("style_examples", "candidate_rows", "presence")] == [1, 1, 1]
    assert (found["snapshots"], found["adapters"]) == (["dataset-0000000000000001"], ["mira-1"])
    assert BENS not in json.dumps(found)


async def test_forgetting_reaches_every_row_and_leaves_other_peoples_words(evening: Evening) -> None:
    await played(evening)
    assert (await evening.whole_database()).count(MARK) >= 10
    report = await evening.forgets("Ana")
    left = await evening.whole_database()
    assert MARK not in left
    assert "local:ana" not in left
    assert '"Ana"' not in left
    assert left.count(BENS) >= 2
    assert "On Thursday, then." in left
    assert "stew: 3 copper" in left
    assert "Herons owe nobody" not in left, "an example that answers her goes, and the record that it was at hand"
    assert (report.rows.turns, report.rows.lines, report.rows.style_examples, report.rows.candidate_rows) == (1, 1, 1, 1)
    person = (await evening.rows(Participant))[0]
    assert (person.key, person.name, person.consent) == (f"forgotten:{person.id}", "someone", "refused")


async def test_an_interrupted_night_begins_anew_and_its_report_keeps_the_others(evening: Evening) -> None:
    await played(evening)
    await evening.forgets("Ana")
    [night] = await evening.rows(Night)
    assert night.state == "abandoned"
    assert night.report == {"samples": [[BENS, "c", "d"]], "text": f"# Night\n- “{BENS}”\n"}


async def test_a_line_that_quoted_is_kept_as_its_other_take_and_else_leaves_the_story(evening: Evening) -> None:
    two = await evening.answers(await evening.says(evening.ana, CANARY), "Is that so?", QUOTING)
    one = await evening.answers(await evening.says(evening.ben, "And?"), QUOTING)
    none = await evening.answers(await evening.says(evening.ana, CANARY), "No herons here.")
    await evening.forgets("Ana")
    async with evening.store.session() as session:
        assert [turn.text for turn in await lines.transcript(session, evening.scene)] == ["Is that so?", "And?", "No herons here."]
        assert await lines.unanswered(session, evening.scene) is None, "nobody answers what is no more"
    found = {turn.id: turn for turn in await evening.rows(TurnRow)}
    assert found[one].text == ""
    assert found[one].retracted_at == NOW
    assert (found[two].answers_id, found[none].answers_id) == (None, None)
    assert [(take.text, take.state) for take in await evening.rows(Take)] == [
        ("Is that so?", "complete"), ("", "forgotten"), ("", "forgotten"), ("No herons here.", "complete"),
    ]  # fmt: skip


async def test_a_short_saying_counts_where_it_is_answered_and_is_everybodys_elsewhere(evening: Evening) -> None:
    short = "Good evening to you!"
    answer = await evening.answers(await evening.says(evening.ana, short), "“Good evening to you”, she says.")
    other = await evening.answers(await evening.says(evening.ben, "Hello."), "And a good evening to you too.")
    await evening.forgets("Ana")
    found = {turn.id: turn.text for turn in await evening.rows(TurnRow)}
    assert (found[answer], found[other]) == ("", "And a good evening to you too.")


async def test_what_a_person_wrote_for_an_npc_is_forgotten_too(evening: Evening) -> None:
    line = await evening.answers(await evening.says(evening.ben, BENS), "On Thursday, then.")
    async with evening.store.session() as session:
        edit = await lines.add_take(session, line, TakeMade(), NOW, text="Thursday is Vellmark day.", state="complete", origin="gm")
        await lines.keep_take(session, line, edit)
        await reactions.react(session, Reaction(line, "edit", evening.gm.id, edit, "When will you pay in Vellmark?", "On Thursday, then."), NOW)
        spoken = await lines.add_turn(session, evening.scene, StoredTurn(0, "Mira", "Off to Vellmark!", "mira", "gm"), NOW, participant=evening.gm.id)
        take = await lines.add_take(session, spoken, TakeMade(), NOW, text="Off to Vellmark!", state="complete", origin="gm")
        await lines.keep_take(session, spoken, take)
        await reactions.react(session, Reaction(spoken, "gm_line", evening.gm.id, take, BENS, "Off to Vellmark!"), NOW)
    await evening.teaches("When will you pay in Vellmark?", "Thursday is Vellmark day.", line)
    await evening.reacts(evening.ben, spoken, "thumbs_up", text="Off to Vellmark!")
    await evening.forgets("local:gm")
    assert MARK not in await evening.whole_database()
    assert [turn.text for turn in await evening.rows(TurnRow)] == [BENS, "On Thursday, then."]


async def test_another_campaign_is_left_alone_when_one_is_named(evening: Evening) -> None:
    await evening.says(evening.ana, CANARY)
    async with evening.store.session() as session:
        other = await play.campaign_id(session, "other", NOW)
        scene = await play.start_scene(session, await play.start_session(session, other, NOW), Scene(), NOW)
        ana = await play.person(session, other, "local:ana", "Ana", "player")
        await lines.add_turn(session, scene, StoredTurn(0, "Ana", CANARY, None, "local"), NOW, participant=ana.id)
    await forgetting.forget(evening.store, evening.home, await evening.knows("Ana", "other"), NOW)
    assert [turn.scene_id for turn in await evening.rows(TurnRow)] == [evening.scene]
    assert (await evening.knows("Ana")).campaigns == {evening.campaign: "home"}


# --- adapters ------------------------------------------------------------------------------------


async def test_an_adapter_that_saw_a_persons_rows_is_blocked_and_the_npc_speaks_with_an_older_one(evening: Evening) -> None:
    await played(evening)
    evening.snapshot("dataset-0000000000000001", row("88/mira", "Bastian: The stew?"))
    evening.snapshot("dataset-0000000000000002", row(f"{evening.scene}/mira", "Anna: The heron"))
    kept = await evening.trained("mira-old", "dataset-0000000000000001")
    gone = await evening.trained("mira-new", "dataset-0000000000000002", "active")
    report = await evening.forgets("Ana")
    assert report.blocked == ("mira-new",)
    states = {version.adapter: version.state for version in await evening.rows(AdapterVersion)}
    assert states == {"mira-old": "active", "mira-new": "blocked"}
    assert [active.adapter for active in await evening.rows(ActiveAdapter)] == ["mira-old"]
    assert [(asked.npc, asked.state) for asked in await evening.rows(NightRequest)] == [("mira", "waiting")]
    assert (kept.exists(), gone.exists()) == (True, False)


async def test_without_an_older_adapter_the_npc_speaks_with_the_base(evening: Evening) -> None:
    await played(evening)
    await evening.trained("mira-new", "dataset-00000000000000aa", "active")
    await evening.forgets("Ana")
    assert [active.adapter for active in await evening.rows(ActiveAdapter)] == [None]


async def test_an_adapter_of_an_unknown_dataset_is_blocked_only_if_it_may_have_heard_the_person(evening: Evening) -> None:
    await evening.trained("mira-before", "dataset-00000000000000aa", made_at=NOW - timedelta(days=1))
    await evening.trained("mira-after", None)
    await played(evening)
    assert (await evening.forgets("Ana")).blocked == ("mira-after",)


# --- files ---------------------------------------------------------------------------------------


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


# --- what counts as repeating --------------------------------------------------------------------


@pytest.mark.parametrize(("text", "repeats"), [
    (QUOTING, True),
    ("THE HERON of Vellmark — owes my grandmother; seven silver spoons", True),
    ("The heron of Vellmark owes my grandmother nothing at all.", False),
    ("", False),
])  # fmt: skip
def test_eight_words_in_a_row_are_a_quotation(text: str, repeats: bool) -> None:
    assert shares_words(text, CANARY) is repeats
    assert Sayings([CANARY]).quoted_in(text) is repeats


def test_a_script_without_spaces_is_compared_by_its_letters() -> None:
    assert shares_words("她说：苍鹭欠我祖母七把银勺子。", "苍鹭欠我祖母七把银勺子和一个水壶")
    assert not shares_words("苍鹭欠我祖母", "苍鹭欠我祖母七把银勺子和一个水壶")
    assert not shares_words("What's the ale, and what's the eel stew today?", "What's the ale, and what's the bread today?")


def test_a_saying_is_known_without_the_addresses_in_it() -> None:
    sayings = Sayings(["Write to ana@example.org about the blue door in Vellmark"])
    assert sayings.quoted_in("left: about the blue door in Vellmark")
    assert not sayings.quoted_in("write to the blue door")


def test_a_text_loses_touched_lines_with_what_hangs_below_them() -> None:
    sayings = Sayings([CANARY])
    assert without_lines(f"- a\n- {CANARY}\n  - before\n  - after\n- b\n", sayings.touch) == "- a\n- b\n"
    value = {"a": CANARY, "b": [CANARY, "c"], "d": [[CANARY, 1], ["e", 2]], "f": {"text": f"g\n{CANARY}\nh"}, "i": None}
    assert without_values(value, sayings.touch) == {"b": ["c"], "d": [["e", 2]], "f": {"text": "g\nh"}, "i": None}
