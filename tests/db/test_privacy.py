"""A person can have everything that is kept about them, and can be forgotten in every row."""

import json
from datetime import timedelta

import pytest

from characters.messages import Scene
from db import forgetting
from db.models import (
    ActiveAdapter,
    AdapterVersion,
    Night,
    NightRequest,
    Participant,
    Take,
    TurnRow,
)
from db.queries import lines, play, reactions
from db.queries.privacy import PersonNotFound
from db.queries.reactions import Reaction
from db.values import StoredTurn, TakeMade
from tests.fakes.evening import BENS, CANARY, MARK, NOW, QUOTING, Evening, played, row

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
