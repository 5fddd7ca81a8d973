"""The review desk says what the night does: its counts and verdicts against the rows the night itself takes."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.table.reviewing import Desk, Entry
from bot.table.table import Table
from characters.messages import Scene, Turn
from characters.prompt import Part
from db.provenance import Policy
from db.queries import harvest, places, teaching
from db.queries.harvest import CandidateRecord
from db.tonight import ACCEPTED, OVER_THE_CAP, REJECTED
from learning.desk import refresh
from learning.harvest import Candidate
from learning.taught import Lesson, lesson_candidates
from tests.fakes.hearing import said
from tests.fakes.studio_home import seed

POLICY = Policy()


@pytest.fixture
async def table(tmp_path: Path, migrated: Path) -> AsyncIterator[Table]:
    (tmp_path / "home").mkdir()
    shutil.copy(migrated, tmp_path / "home" / "db.sqlite")
    table = await seed(tmp_path / "home")
    yield table
    await table.speaking.close()
    await table.state.store.close()


async def read(table: Table) -> Desk:
    """A desk with everything on it."""
    desk = Desk(table, POLICY)
    await desk.open()
    await desk.refresh()
    return desk


async def night(table: Table) -> list[Candidate]:
    """The rows a night takes now, teachers' included."""
    state = table.state
    async with state.store.session() as session:
        rows = await teaching.taught_rows(session, state.campaign, "mira")
        heard = await refresh(session, state.campaign, "mira", POLICY, state.clock())
    sheet = state.library.get("mira")
    taught = lesson_candidates(rows, Part("mira", sheet, state.library.world(sheet.world)), POLICY)
    return [candidate for candidate in [*heard, *taught] if candidate.trainable]


def promised(desk: Desk) -> set[tuple[str, bool]]:
    """What the desk says would be learnt from."""
    return {(entry.text, entry.good) for entry in desk.entries.values() if entry.trains}


def taken(found: list[Candidate]) -> set[tuple[str, bool]]:
    return {(candidate.completion, candidate.label) for candidate in found}


def saying(desk: Desk, words: str) -> Entry:
    return next(entry for entry in desk.entries.values() if words in entry.text and entry.good)


async def lesson(table: Table, line: str, *, trainable: bool = True) -> None:
    """A row by a teacher."""
    row = Lesson(f"t/{line}", f"t/{line}", "bootstrap", "offline_teacher", Scene(), [Turn("You", "A bed?")], line, "offline", trainable=trainable).row()
    async with table.state.store.session() as session:
        await teaching.add_rows(session, table.state.campaign, "mira", [row], table.state.clock())


async def test_the_desk_promises_exactly_what_the_night_takes(table: Table) -> None:
    await lesson(table, "Up the stairs, second door.")
    await lesson(table, "A filter left this out.", trainable=False)
    desk = await read(table)
    assert len(promised(desk)) == 7
    assert promised(desk) == taken(await night(table))


async def test_what_was_decided_at_the_desk_the_night_obeys_whatever_came_between(table: Table) -> None:
    await lesson(table, "Up the stairs, second door.")
    await lesson(table, "A filter left this out.", trainable=False)
    desk = await read(table)
    for words in ("He pays", "Up the stairs"):
        await desk.decide(saying(desk, words).key, REJECTED)
    await desk.decide(saying(desk, "A filter").key, ACCEPTED)
    assert promised(desk) == taken(await night(table))
    for words in ("He pays", "Up the stairs"):  # the night has made the rows anew; the page is as old as it was
        await desk.decide(saying(desk, words).key, ACCEPTED)
    assert saying(desk, "He pays").trains
    assert promised(desk) == taken(await night(table)) == promised(await read(table))
    assert len(promised(desk)) == 8


async def test_a_verdict_reaches_the_row_it_was_given_on_though_rows_were_made_anew(table: Table) -> None:
    desk = await read(table)
    line = await said(table, "And the rope?")
    await table.react("👍", line.line_id)
    await night(table)  # other rows have the old ones' places now
    await desk.decide(saying(desk, "He pays").key, REJECTED)
    assert not saying(await read(table), "He pays").trains
    assert (line.text, True) in promised(await read(table))
    await desk.undo()
    assert saying(await read(table), "He pays").human is None


async def test_a_rejected_line_says_so_and_can_be_had_back(table: Table) -> None:
    desk = await read(table)
    entry = await desk.decide(saying(desk, "He pays").key, REJECTED)
    assert (entry.trains, entry.reason) == (False, "rejected at the review desk")
    assert not saying(await read(table), "He pays").trains
    assert (await desk.decide(entry.key, ACCEPTED)).trains


async def test_accepting_lifts_a_cap_and_nobody_else_s_refusal(table: Table) -> None:
    state, turn = table.state, (await said(table, "One more?")).line_id
    reasons = {"Over the cap.": OVER_THE_CAP, "Not theirs to give.": "its author opted out"}
    records = [
        CandidateRecord("label", "npc", turn, {"signal": "thumbs_up", "completion": text, "label": True}, trainable=False, reason=reason)
        for text, reason in reasons.items()
    ]  # fmt: skip
    async with state.store.session() as session:
        await harvest.replace_candidates(session, state.campaign, "mira", records, state.clock() + timedelta(hours=1))
    desk = Desk(table, POLICY)
    await desk.open()
    for entry in list(desk.entries.values()):
        await desk.decide(entry.key, ACCEPTED)
    assert promised(desk) == {("Over the cap.", True)}


async def test_an_opt_out_is_read_when_the_desk_is_opened_next(table: Table) -> None:
    await read(table)
    async with table.state.store.session() as session:
        await places.set_consent(session, table.state.person.key, "refused", table.state.clock())
    desk = Desk(table, POLICY)
    await desk.open()
    assert await desk.stale() == ["mira"]
    await desk.refresh()
    assert promised(desk) == taken(await night(table))
    assert not await desk.stale()


async def test_it_says_what_is_missing_until_an_npc_trains(table: Table) -> None:
    desk = await read(table)
    [mira] = desk.outlook()
    assert (mira.npc, mira.trains) == ("mira", False)
    assert mira.missing.startswith("3 more lines that you approve, edit or speak yourself, and the NPC trains")
    for number in range(3):
        await lesson(table, f"Line {number} of a teacher.")
    await desk.open()
    assert desk.outlook()[0].trains


async def test_a_teacher_s_row_shows_what_it_answers(table: Table) -> None:
    await lesson(table, "Up the stairs, second door.")
    assert saying(await read(table), "Up the stairs").asked == "A bed?"


async def test_a_verdict_taken_back_at_once_is_taken_back(table: Table) -> None:
    desk = await read(table)
    key = saying(desk, "He pays").key
    await asyncio.gather(desk.decide(key, REJECTED), desk.undo())  # two keys, faster than the database
    assert desk.entry(key).human is None
    assert saying(await read(table), "He pays").trains
