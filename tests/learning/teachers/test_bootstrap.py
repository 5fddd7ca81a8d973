"""Conversations for a new NPC: who asks, what an asker is told, and what comes of bad answers."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from characters.library import Library
from characters.messages import StyleExample, Turn
from characters.prompt import Part
from db.provenance import Policy
from db.queries import teaching
from db.store import Store
from learning.bootstrap.grid import BLOCK, draw
from learning.bootstrap.prompts import answer_request, question_request
from learning.bootstrap.running import Bootstrap
from learning.taught import lesson_candidates
from learning.teachers.errors import BudgetReached
from learning.teachers.offline.teacher import OfflineTeacher
from learning.teachers.openai_teacher import OpenAITeacher
from learning.teachers.protocol import NANO, Prices, Teacher
from tests.fakes.desks import desk_of
from tests.fakes.program import understudy
from tests.fakes.teacher_server import TeacherServer, asked
from tests.fakes.teaching import question_or_answer

LIBRARY = Library(None)
SHEET = LIBRARY.get("brug")
BRUG = Part("brug", SHEET, LIBRARY.world(SHEET.world), (StyleExample("rope?", "Rope? Ask Duchess.", "learnt 1"),))
CELLS = [draw(number, 1, SHEET, BRUG.world) for number in range(10 * BLOCK)]


def test_a_tenth_of_the_askers_is_hostile_or_ignorant_and_a_third_is_off_the_subject() -> None:
    tempers, aims = Counter(cell.temper for cell in CELLS), Counter(cell.aim for cell in CELLS)
    assert (tempers["hostile"], tempers["ignorant"]) == (10, 10)
    assert (aims["off-distribution"], aims["protective"]) == (30, 30)
    assert Counter(cell.exchanges for cell in CELLS) == {1: 150, 3: 50}
    assert len({(cell.interlocutor, cell.emotion, cell.place, cell.reason) for cell in CELLS}) > 190


def test_the_question_prompt_carries_only_what_the_asker_would_know() -> None:
    told = "\n".join(message.content for cell in CELLS for message in question_request(BRUG, cell, ()).messages)
    hidden = [SHEET.backstory, SHEET.secrets[0].text, "12 gold", *SHEET.objectives, *(o.view for o in SHEET.opinions)]
    assert not [text for text in hidden if text in told]
    strangers = [cell for cell in CELLS if cell.familiarity == "a stranger"]
    assert strangers
    assert not any("Brug" in message.content for cell in strangers for message in question_request(BRUG, cell, ()).messages)


def test_the_answer_prompt_carries_the_sheet_facts_at_hand_and_curated_examples() -> None:
    request = answer_request(BRUG, CELLS[0], [Turn("Frida", "How much is the silk rope?")])
    told = "\n".join(message.content for message in request.messages)
    assert "[You know: silk rope: 3 gold. Fifty feet, and only one knot I cannot undo.]" in told
    assert 'To "rope?": "Rope? Ask Duchess."' in told
    assert SHEET.secrets[0].text not in told


async def rows_of(store: Store, teacher: Teacher, rows: int, budget: int | None = None) -> list[teaching.TaughtRow]:
    desk = await desk_of(store, teacher, run="bootstrap-brug-x", budget=budget)
    try:
        await Bootstrap(desk, BRUG, "brug", rows, 1).run()
    finally:
        async with store.session() as session:
            found = await teaching.taught_rows(session, desk.campaign, "brug")
    return found


async def test_the_generator_makes_as_many_rows_as_wished_and_says_what_it_is(migrated: Path, tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    rows = await rows_of(store, OfflineTeacher(), 40)
    more = await rows_of(store, OfflineTeacher(), 60)
    await store.close()
    assert (len(rows), len(more), len({row.origin for row in more})) == (40, 60, 60)
    assert {(row.source, row.payload["made_by"]) for row in more} == {("offline_teacher", "generator")}
    candidates = lesson_candidates(more, BRUG, Policy())
    assert all(c.trainable and c.turns[-1].npc is None for c in candidates)
    scenes = Counter(c.conversation for c in candidates)
    assert max(scenes.values()) == 3
    last = max(candidates, key=lambda c: len(c.turns))
    assert [turn.npc for turn in last.turns] == [None, "brug", None, "brug", None]


async def test_bad_answers_are_asked_for_again_and_counted_by_reason(migrated: Path, tmp_path: Path) -> None:
    bad = iter([
        "As an AI language model, I cannot ask that.", "Wie viel kostet das hier, und warum ist das nicht umsonst?",
        ("finish", "length", "Well, it was"), "*waves*", "The rope is 99 platinum, friend.", "Frida: yes. Brug: no.",
    ])  # fmt: skip

    def answer(request: dict[str, object]) -> object:
        return next(bad, None) or question_or_answer(request)

    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    async with TeacherServer(answer) as server:
        rows = await rows_of(store, OpenAITeacher(server.url, "big"), 8)
        paid = server.paid.total()
    async with store.session() as session:
        spent = await teaching.spent(session, "bootstrap-brug-x")
    await store.close()
    assert len(rows) == 8
    assert {row.source for row in rows} == {"teacher"}
    assert spent.calls == paid > 16
    assert "{" not in rows[0].payload["completion"]


async def test_a_budget_ends_a_bootstrap_and_what_was_paid_for_is_not_asked_again(migrated: Path, tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    async with TeacherServer(question_or_answer) as server:
        dear = OpenAITeacher(server.url, "big", prices=Prices(200, 200))
        with pytest.raises(BudgetReached):
            await rows_of(store, dear, 12, budget=NANO)
        async with store.session() as session:
            assert 0 < (await teaching.spent(session, "bootstrap-brug-x")).price_nano <= NANO
        assert len(await rows_of(store, dear, 12, budget=90 * NANO)) == 12
        assert max(server.received.values()) == 1
        assert all("Brug" in asked(request) or "do not know" in asked(request) for request in server.requests)
    await store.close()


def test_the_command_says_what_it_would_cost_and_what_it_did(home: Path) -> None:
    home.mkdir()
    (home / "understudy.toml").write_text('[teacher]\nurl = "http://127.0.0.1:1/v1"\nmodel = "m"\nprompt_price = 2.0\ncompletion_price = 8.0\n')
    told = understudy("teach", "bootstrap", "brug", "--rows", "100", "--teacher", "openai", "--dry-run", "--json").value
    assert told["requests"] == 200
    assert 0.1 < told["cost"] < told["cost_at_most"] < 5
    done = understudy("teach", "bootstrap", "brug", "--rows", "8", "--json").value
    assert (done["rows"], done["accepted"], done["teacher"], done["cost"]) == (8, 8, "offline 1", 0.0)
    grown = understudy("teach", "grow", "brug", "--to", "16,108", "--teacher", "openai", "--dry-run", "--json").value
    assert (grown["before"], grown["requests"]) == (8, 125)
    assert 0.1 < grown["cost"] < grown["cost_at_most"]
    judged = understudy("teach", "judge", "brug", "--teacher", "openai", "--criteria", "grounded", "--dry-run", "--json").value
    assert (judged["requests"], judged["cost"] > 0) == (8, True)
    nobody = understudy("teach", "bootstrap", "brug", "--rows", "8", "--teacher", "openai")
    assert (nobody.status, nobody.err.splitlines()[-1].startswith("No model server answers")) == (1, True)


async def test_two_teachings_at_once_are_refused(home: Path) -> None:
    from db.home import Home
    from db.night_lock import teach_lock
    from tests.fakes.desks import now

    home.mkdir()
    with teach_lock(Home(home), now):
        done = await asyncio.to_thread(understudy, "teach", "bootstrap", "brug", "--rows", "4")
    assert (done.status, "is running already" in done.err) == (1, True)
