"""What the program asks its database: the same answers on SQLite and PostgreSQL."""

from datetime import UTC, datetime

import pytest

from characters.messages import Fact, Scene
from db.queries import adapters, lines, play, presence, reactions
from db.queries.reactions import Reaction, Taught
from db.store import Store
from db.values import StoredTurn, TakeMade

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)


class Evening:
    """A campaign with one scene, and short ways to say things in it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def begin(self) -> "Evening":
        async with self.store.session() as session:
            self.campaign = await play.campaign_id(session, "home", NOW)
            self.evening = await play.start_session(session, self.campaign, NOW)
            self.scene = await play.start_scene(session, self.evening, Scene(), NOW)
            self.ana = await play.person(session, self.campaign, "local:ana", "Ana", "player")
        return self

    async def asked(self, text: str) -> int:
        async with self.store.session() as session:
            return await lines.add_turn(session, self.scene, StoredTurn(0, "Ana", text, None, "local"), NOW)

    async def answered(self, asked: int, *takes: str, keep: int = 0) -> tuple[int, list[int]]:
        async with self.store.session() as session:
            line = await lines.add_turn(session, self.scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
            ids = [await lines.add_take(session, line, TakeMade(at_hand=(Fact("k", "ale: 4 copper.", "ware"),)), NOW) for _ in takes]
            for take, text in zip(ids, takes, strict=True):
                await lines.finish_take(session, take, text, "complete", {"tokens": 3})
            if takes:
                await lines.keep_take(session, line, ids[keep])
        return line, ids


@pytest.fixture
async def evening(store: Store) -> Evening:
    return await Evening(store).begin()


async def test_a_transcript_has_what_was_kept_in_the_order_it_was_said(evening: Evening) -> None:
    await evening.answered(await evening.asked("One?"), "First.", "Second.", keep=1)
    await evening.answered(await evening.asked("Two?"), "Third.")
    async with evening.store.session() as session:
        found = await lines.transcript(session, evening.scene)
    assert [turn.text for turn in found] == ["One?", "Second.", "Two?", "Third."]
    assert found[1].at_hand == (Fact("k", "ale: 4 copper.", "ware"),)


async def test_what_is_retracted_unspoken_or_out_of_character_is_not_in_the_transcript(evening: Evening) -> None:
    line, _ = await evening.answered(await evening.asked("One?"), "First.")
    await evening.answered(await evening.asked("Two?"))
    async with evening.store.session() as session:
        aside = StoredTurn(0, "Ana", "(( pizza? ))", None, "local")
        await lines.add_turn(session, evening.scene, aside, NOW, out_of_character=True)
        await lines.retract(session, line, NOW)
    async with evening.store.session() as session:
        assert [turn.text for turn in await lines.transcript(session, evening.scene)] == ["One?", "Two?"]
        kept = await lines.turn(session, line)
    assert kept is not None
    assert kept.text == "First.", "it stays in the record"


async def test_a_take_a_killed_process_left_open_is_found_at_the_next_start(evening: Evening) -> None:
    asked = await evening.asked("Are you there?")
    async with evening.store.session() as session:
        line = await lines.add_turn(session, evening.scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
        await lines.add_take(session, line, TakeMade(), NOW)
    async with evening.store.session() as session:
        assert await lines.close_interrupted(session) == 1
        assert await lines.close_interrupted(session) == 0
        waiting = await lines.unanswered(session, evening.scene)
    assert waiting is not None
    assert waiting.text == "Are you there?"


async def test_a_person_has_one_vote_on_a_line_and_the_last_one_counts(evening: Evening) -> None:
    line, _ = await evening.answered(await evening.asked("One?"), "First.")
    async with evening.store.session() as session:
        for kind in ("thumbs_up", "thumbs_up", "thumbs_down"):
            await reactions.react(session, Reaction(line, kind, evening.ana.id), NOW)
        await reactions.react(session, Reaction(line, "thumbs_up", None), NOW)
        found = await reactions.reactions(session, line)
    assert sorted((r.kind, r.participant) for r in found) == [("thumbs_down", evening.ana.id), ("thumbs_up", None)]


async def test_a_newer_lesson_on_the_same_line_replaces_the_older(evening: Evening) -> None:
    line, _ = await evening.answered(await evening.asked("One?"), "First.")
    async with evening.store.session() as session:
        for text in ("Once.", "Twice."):
            await reactions.teach(session, Taught(evening.campaign, "mira", "One?", text, "edit", line), NOW)
        found = await reactions.style_examples(session, evening.campaign, "mira")
        assert [example.line for example in found] == ["Twice."]
        await reactions.unteach(session, line)
        assert await reactions.style_examples(session, evening.campaign, "mira") == ()


async def test_promotion_and_rollback_are_seen_by_the_next_question(evening: Evening) -> None:
    from db.models import AdapterVersion

    async with evening.store.session() as session:
        for name in ("a1", "a2"):
            session.add(AdapterVersion(campaign_id=evening.campaign, npc="mira", adapter=name, path=f"/{name}.gguf",
                                       base_id="b", state="candidate", report={}, made_at=NOW))
    seen = []
    for wanted in ("a1", "a2", "a1", None):
        async with evening.store.session() as session:
            await adapters.set_active(session, evening.campaign, "mira", wanted, NOW)
        async with evening.store.session() as session:
            active = await adapters.active_adapter(session, evening.campaign, "mira")
            seen.append(active.adapter if active else None)
    assert seen == ["a1", "a2", "a1", None]


async def test_whoever_left_is_no_longer_present(evening: Evening) -> None:
    async with evening.store.session() as session:
        for npc in ("mira", "brug", "mira"):
            await presence.enter(session, evening.scene, npc, "npc", NOW)
        assert await presence.present(session, evening.scene, "npc") == ["mira", "brug"]
        await presence.leave(session, evening.scene, "mira", NOW)
        assert await presence.present(session, evening.scene, "npc") == ["brug"]


async def test_the_same_person_keeps_one_identity_under_a_new_name(evening: Evening) -> None:
    async with evening.store.session() as session:
        renamed = await play.person(session, evening.campaign, "local:ana", "Ana the Bold", "gm")
    assert (renamed.id, renamed.name, renamed.role) == (evening.ana.id, "Ana the Bold", "gm")


async def test_an_npc_witnessed_what_was_said_while_it_was_there(evening: Evening) -> None:
    async def comes_and_goes(*steps: str) -> None:
        for step in steps:
            async with evening.store.session() as session:
                await (presence.enter(session, evening.scene, "mira", "npc", NOW) if step == "in"
                       else presence.leave(session, evening.scene, "mira", NOW))  # fmt: skip

    await evening.asked("Before.")
    await comes_and_goes("in")
    await evening.asked("During.")
    await comes_and_goes("out")
    last = await evening.asked("Between.")
    await comes_and_goes("in")
    await evening.asked("Again.")
    async with evening.store.session() as session:
        heard = await lines.transcript(session, evening.scene, witness="mira")
        assert [turn.text for turn in heard] == ["During.", "Again."]
        assert await presence.witnesses(session, evening.scene, 2) == ["mira"]
        assert await presence.witnesses(session, evening.scene, 3) == []
    await evening.answered(last, "I heard that.")
    async with evening.store.session() as session:
        heard = await lines.transcript(session, evening.scene, witness="mira")
    assert [turn.text for turn in heard] == ["During.", "Between.", "I heard that.", "Again."]


async def test_a_new_scene_ends_the_one_before_and_moves_the_story_on(evening: Evening) -> None:
    async with evening.store.session() as session:
        await presence.enter(session, evening.scene, "mira", "npc", NOW)
        scene = Scene(place="the old mill", date="the first of Fog")
        await play.change_scene(session, evening.evening, scene, ["local:ana"], ["mira"], NOW)
        assert await presence.present(session, evening.scene, "npc") == []
        story = await play.story_so_far(session, evening.campaign)
        assert await play.last_scene(session, evening.evening) == (evening.scene + 1, scene)
        before = await play.story_so_far(session, evening.campaign, evening.scene)
    assert (story.date, story.scenes) == ("the first of Fog", ("the old mill",))
    assert (before.date, before.scenes) == ("", ())
