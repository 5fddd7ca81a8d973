"""What people said stays here unless it may be learnt from, and goes when they ask to be forgotten."""

from pathlib import Path

from characters.messages import Message
from db.models import PlaySession, SceneRow, TurnRow
from db.provenance import Policy
from db.queries import forget, play, privacy, reactions, teaching
from db.store import Store
from learning.teachers.guard import Guard, free_examples
from learning.teachers.protocol import TeacherRequest
from tests.fakes.desks import ListTeacher, desk_of, now

CANARY = "zebra lamp"
LONG = "my grandmother hides the purple canary behind the third chimney on the left"


async def said(store: Store, text: str, source: str, consent: str) -> tuple[int, int]:
    """Somebody says it in a campaign, Brug answers; returns campaign and line."""
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", now())
        ben = await play.person(session, campaign, "discord:ben", "Ben", "player")
        evening = PlaySession(campaign_id=campaign, started_at=now())
        session.add(evening)
        await session.flush()
        scene = SceneRow(session_id=evening.id, started_at=now())
        session.add(scene)
        await session.flush()
        asked = TurnRow(scene_id=scene.id, ordinal=1, source=source, speaker="Ben", text=text, participant_id=ben.id, said_at=now())
        session.add(asked)
        await session.flush()
        line = TurnRow(scene_id=scene.id, ordinal=2, source="npc", speaker="Brug", npc="brug", text="Aye, I know it.", answers_id=asked.id, said_at=now())
        session.add(line)
        await session.flush()
        await reactions.teach(session, reactions.Taught(campaign, "brug", text, "Aye, I know it.", "thumbs_up", line.id), now())
    return campaign, line.id


async def test_examples_that_rest_on_channel_text_stay_on_this_machine_however_short(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    campaign, _ = await said(store, CANARY, "channel", "given")
    async with store.session() as session:
        await reactions.teach(session, reactions.Taught(campaign, "brug", "a greeting", "Ah, a purse!", "gm_line"), now())
        examples, heard = await teaching.own_examples(session, campaign, "brug"), await teaching.everything_said(session, campaign)
    await store.close()
    assert [asked for asked, _, _ in examples] == [CANARY, "a greeting"]
    assert free_examples(examples, Policy(), Guard(heard, Policy())) == [("a greeting", "Ah, a purse!")]


async def test_forgetting_empties_requests_and_answers_and_what_was_made_of_them_and_keeps_the_sums(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    campaign, _ = await said(store, LONG, "local", "given")
    desk = await desk_of(store, ListTeacher("A chimney? Never.", "Aye."))
    told = await desk.answer(TeacherRequest("test", (Message("user", f"Ben: {LONG}"),)))
    other = await desk.answer(TeacherRequest("test", (Message("user", "Ana: How much is the rope?"),)))
    rows = [teaching.TaughtRow(f"run/{n}.0", "sft", "teacher", {"completion": answer.text, "calls": [answer.call]})
            for n, answer in enumerate((told, other))]  # fmt: skip
    async with store.session() as session:
        await teaching.add_rows(session, campaign, "brug", rows, now())
        before = await teaching.spent(session, "run")
        traces = await privacy.trace(session, await privacy.find_person(session, "Ben"))
        await forget.forget_person(session, traces, now())
    async with store.session() as session:
        left = await teaching.taught_rows(session, campaign, "brug")
        after = await teaching.spent(session, "run")
    await store.close()
    assert [row.origin for row in left] == ["run/1.0"]
    assert (after.calls, after.prompt_tokens) == (before.calls, before.prompt_tokens)
    async with (await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")).session() as session:
        states = [(await teaching.find_call(session, request.key(desk.teacher.name, campaign))) for request in desk.teacher.asked]  # type: ignore[attr-defined]
    assert [(call.ended.state, call.ended.answer) for call in states if call] == [("forgotten", ""), ("answered", "Aye.")]
