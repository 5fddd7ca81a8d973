"""The GM's side: the screen, previews, lines and veils, who is a GM, evenings and nights."""

import asyncio
from datetime import timedelta

import discord
import pytest

from bot.discord_app import mornings
from db.models import Feedback, NightRequest, StyleExampleRow, TurnRow
from db.queries import adapters, nights, play, votes
from db.queries.adapters import Version
from tests.bot.discord.conftest import NOW, Begin, Evening


async def with_screen(evening: Evening) -> object:
    hidden = discord.PermissionOverwrite(view_channel=False)
    seen = discord.PermissionOverwrite(view_channel=True)
    screen = evening.guild.create_text_channel(
        "gm-screen", overwrites={evening.guild.default_role: hidden, evening.gm: seen, evening.guild.me: seen}
    )  # fmt: skip
    await evening.gm.slash(evening.channel, "gm screen", channel=screen)
    return screen


async def kinds(evening: Evening) -> list[str]:
    return [row.kind for row in await evening.rows(Feedback) if row.withdrawn_at is None]


async def test_a_public_channel_is_no_screen(begin: Begin) -> None:
    evening = await begin()
    refused = await evening.gm.slash(evening.channel, "gm screen", channel=evening.channel)
    assert "Everybody sees" in refused.response.content
    again = await evening.gm.slash(evening.channel, "gm mode", mode="preview")
    assert "/gm screen" in again.response.content


async def previewing(begin: Begin, *script: str) -> tuple[Evening, object]:
    evening = await begin(*script)
    screen = await with_screen(evening)
    await evening.summon()
    await evening.gm.slash(evening.channel, "gm mode", mode="preview")
    return evening, screen


async def test_in_preview_a_line_waits_and_is_sent_as_the_gm_decides(begin: Begin) -> None:
    evening, screen = await previewing(begin, "The key is under the mat.")
    before = len(evening.spoken)
    asked = await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    assert "GM sees it first" in asked.response.content
    assert len(evening.spoken) == before
    await evening.gm.click(screen.last_message, label="Send")
    assert evening.spoken[-1].content == "> **ana** Where is the key?\nThe key is under the mat."
    assert await kinds(evening) == ["thumbs_up"]


async def test_a_draft_can_be_edited_held_or_had_anew_and_every_choice_is_feedback(begin: Begin) -> None:
    evening, screen = await previewing(begin, "One.", "Two.", "Three.")
    before = len(evening.spoken)
    await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    first = screen.last_message
    await evening.gm.click(first, label="Another")
    assert "Two." in screen.last_message.content
    opened = await evening.gm.click(screen.last_message, label="Edit")
    await evening.gm.submit_modal(opened, {"text": "I would not know."})
    assert evening.spoken[-1].content.endswith("I would not know.")
    await evening.ana.slash(evening.channel, "talk", text="And the chest?")
    await evening.gm.click(screen.last_message, label="Hold")
    assert len(evening.spoken) == before + 1
    assert await evening.transcript() == ["Where is the key?", "I would not know.", "And the chest?"]
    assert await kinds(evening) == ["regen", "edit", "thumbs_down"]


@pytest.mark.parametrize("label", ["Send", "Edit", "Another", "Hold"])
async def test_a_draft_that_was_struck_meanwhile_is_shown_to_nobody(begin: Begin, label: str) -> None:
    evening, screen = await previewing(begin, "The key is under the mat.", "Under the mat.")
    before = len(evening.spoken)
    await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    await evening.bot.stage.desk.rooms.at(evening.channel.id).table.retcon()
    refused = await evening.gm.click(screen.last_message, label=label)
    assert "taken back" in refused.response.content
    assert len(evening.spoken) == before
    assert await evening.transcript() == ["Where is the key?"]
    assert await kinds(evening) == ["retcon"]


async def test_words_of_the_gm_for_a_draft_that_was_struck_meanwhile_are_shown_to_nobody(begin: Begin) -> None:
    evening, screen = await previewing(begin, "The key is under the mat.")
    before = len(evening.spoken)
    await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    opened = await evening.gm.click(screen.last_message, label="Edit")
    await evening.bot.stage.desk.rooms.at(evening.channel.id).table.retcon()
    await evening.gm.submit_modal(opened, {"text": "I would not know."})
    assert len(evening.spoken) == before
    assert await kinds(evening) == ["retcon"]


async def test_drafts_can_be_decided_after_a_restart(begin: Begin) -> None:
    evening, screen = await previewing(begin, "The key is under the mat.")
    await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    await evening.restart()
    await evening.gm.click(screen.last_message, label="Send")
    assert evening.spoken[-1].content.endswith("The key is under the mat.")


async def test_a_line_of_the_table_goes_into_the_prompt_and_is_not_crossed(begin: Begin) -> None:
    evening = await begin("He drowned the poor dogs, all of them.", "Nasty business, that.")
    await evening.gm.slash(evening.channel, "gm limit", kind="line", text="drowned dogs")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What did he do?")
    assert "drowned dogs" in evening.engine.history[0].prompt
    assert evening.spoken[-1].content.endswith("Nasty business, that.")
    assert all("poor dogs" not in (request.json or {}).get("content", "") for request in evening.env.http_requests if isinstance(request.json, dict))


async def test_a_line_that_is_crossed_again_and_again_is_silence(begin: Begin) -> None:
    evening = await begin(*["He drowned the dogs."] * 3)
    await evening.gm.slash(evening.channel, "gm limit", kind="line", text="drowned dogs")
    await evening.summon()
    before = len(evening.spoken)
    asked = await evening.ana.slash(evening.channel, "talk", text="What did he do?")
    assert asked.response.content == "Mira Dunmore says nothing."
    assert len(evening.spoken) == before
    assert await evening.transcript() == ["What did he do?"]


async def test_a_veil_is_agreed_on_and_taken_back(begin: Begin) -> None:
    evening = await begin()
    agreed = await evening.gm.slash(evening.channel, "gm limit", kind="veil", text="torture")
    assert "Veils (not described): torture" in agreed.response.content
    gone = await evening.gm.slash(evening.channel, "gm limit", kind="remove", text="Torture")
    assert "Veils (not described): –" in gone.response.content


async def test_a_direction_holds_for_one_line(begin: Begin) -> None:
    evening = await begin("What key?", "Aye.")
    await evening.summon()
    await evening.gm.slash(evening.channel, "gm direct", name="mira", direction="lies about the key")
    await evening.ana.slash(evening.channel, "talk", text="Where is the key?")
    await evening.ana.slash(evening.channel, "talk", text="Really?")
    first, second = (request.messages[-1].content for request in evening.engine.history)
    assert "[Direction: lies about the key]" in first
    assert "Direction" not in second.splitlines()[-1]


async def test_the_gm_is_known_by_the_roles_the_server_names(begin: Begin) -> None:
    evening = await begin()
    keeper = evening.guild.create_role("Keeper of Tales")
    kim = evening.guild.add_member(evening.env.create_user("kim"), roles=[keeper])
    assert "Only the GM" in (await kim.slash(evening.channel, "session start")).response.content
    await evening.gm.slash(evening.channel, "gm roles", names="keeper of tales, gm")
    assert "begun" in (await kim.slash(evening.channel, "session start")).response.content


async def test_secrets_are_for_the_gm_alone(begin: Begin) -> None:
    evening = await begin()
    shown = await evening.gm.slash(evening.channel, "gm secrets", name="mira")
    assert shown.ephemeral
    assert "🔒 secret 1, kept (trusts the party): Mira hides" in shown.response.content
    opened = await evening.gm.slash(evening.channel, "gm secrets", name="mira", reveal=1)
    assert "🔓 secret 1, open" in opened.response.content
    told = await evening.gm.slash(evening.channel, "session recap", name="mira")
    assert told.response.content
    assert "Only the GM" in (await evening.ana.slash(evening.channel, "gm secrets", name="mira")).response.content


@pytest.mark.parametrize(("label", "state"), [("Learn now", "waiting"), ("Tonight", None), ("Skip", "skipped")])
async def test_the_evening_ends_with_a_choice(begin: Begin, label: str, state: str | None) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    asked = await evening.gm.slash(evening.channel, "session stop")
    chosen = await evening.gm.click(asked.response.message, label=label)
    assert chosen.acknowledged
    assert [request.state for request in await evening.rows(NightRequest)] == ([state] if state else [])
    await evening.ana.slash(evening.channel, "talk", text="Still here?", npc="mira")
    assert await evening.transcript() == ["Still here?", "Aye."]


async def test_an_evening_nobody_rated_says_that_there_is_nothing_to_learn_yet(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    stopped = await evening.gm.slash(evening.channel, "session stop", learn="tonight")
    assert "So far there is nothing to learn" in stopped.response.content
    await evening.gm.react(evening.spoken[-1], "👍")
    again = await evening.gm.slash(evening.channel, "session stop", learn="tonight")
    assert "nothing to learn" not in again.response.content


async def test_a_new_scene_is_announced_and_the_recap_tells_scenes_and_liked_lines(begin: Begin) -> None:
    evening = await begin("Four copper.", "Mind the step.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    await evening.gm.slash(evening.channel, "scene set", place="the cellar", mood="damp")
    assert evening.channel.last_message.content == "*— the cellar, damp —*"
    await evening.ana.slash(evening.channel, "talk", text="Is it dark?", npc="mira")
    await evening.bo.react(evening.spoken[-1], "👍")
    told = (await evening.ana.slash(evening.channel, "session recap")).response.content
    assert "the cellar, damp: Mira Dunmore (2)" in told
    assert "> **Mira Dunmore** Mind the step." in told
    shown = (await evening.ana.slash(evening.channel, "scene show")).response.content
    assert "the cellar" in shown
    await evening.gm.slash(evening.channel, "scene end")
    assert "Nobody is here" in (await evening.ana.slash(evening.channel, "talk", text="Hello?")).response.content


async def trained(evening: Evening, home_file: str, *, active: bool) -> int:
    """An adapter that a night made for Mira."""
    async with evening.store.session() as session:
        campaign = await play.campaign_id(session, f"discord:{evening.guild.id}", NOW)
        gate = {"passed": True, "reason": "better by 4 of 30", "measures": []}
        version = Version("mira-new", "mira", home_file, "sha256-scripted", "candidate", gate, NOW)
        await adapters.add_version(session, campaign, version)
        if active:
            await adapters.promote(session, campaign, version, NOW)
    return campaign


async def test_two_voices_are_compared_blind_and_votes_are_pairs(begin: Begin, tmp_path: object) -> None:
    evening = await begin("The old way.", "The new way.")
    await trained(evening, str(tmp_path), active=False)
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="How do you say it?")
    await evening.gm.slash(evening.channel, "npc compare")
    ballot = evening.channel.last_message
    assert {"The old way.", "The new way."} == {line[6:] for line in ballot.content.splitlines()[1:]}
    assert evening.engine.history[-1].adapter == "mira-new"
    assert evening.engine.history[-1].prompt == evening.engine.history[-2].prompt
    await evening.bo.click(ballot, label="A")
    await evening.restart()
    await evening.bo.click(ballot, label="B")
    assert await kinds(evening) == ["vote"]  # the later one replaced the earlier
    async with evening.store.session() as session:
        room = evening.bot.stage.desk.rooms.at(evening.channel.id)
        cast = await votes.votes(session, room.table.state.campaign, "mira")
    assert [{one.better, one.other} for one in cast] == [{"mira-new", None}]
    assert (await evening.transcript())[-1] == "The old way."


async def test_with_one_voice_there_is_nothing_to_compare_or_roll_back(begin: Begin) -> None:
    evening = await begin("Aye.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Hello?")
    assert "one voice only" in (await evening.gm.slash(evening.channel, "npc compare")).response.content
    assert "nothing to roll back" in (await evening.gm.slash(evening.channel, "npc rollback", name="mira")).response.content


async def night_ended(evening: Evening, campaign: int, **report: object) -> None:
    """A night as the nightly service leaves it."""
    async with evening.store.session() as session:
        record = await nights.begin_night(session, campaign, "mira", NOW)
        await nights.finish_night(session, record.id, "done", NOW + timedelta(hours=1), dict(report))


async def test_the_morning_report_comes_once_and_its_buttons_promote_and_undo(begin: Begin, tmp_path: object) -> None:
    evening = await begin()
    screen = await with_screen(evening)
    campaign = await trained(evening, str(tmp_path), active=False)
    await night_ended(evening, campaign, adapter="mira-new", counts={"sft": 12, "pair": 3, "label": 5})
    assert await mornings.report(evening.bot.stage, evening.bot.guilds[0]) == 1
    assert await mornings.report(evening.bot.stage, evening.bot.guilds[0]) == 0
    assert screen.last_message.content == (
        "🌅 **Mira Dunmore** learnt from 12 line(s), 3 preference(s) and 5 vote(s) of the table.\n"
        "The new voice passed the gate: better by 4 of 30."
    )
    shown = await evening.gm.slash(evening.channel, "nights report", name="mira")
    assert shown.response.content == screen.last_message.content
    await evening.restart()
    promoted = await evening.gm.click(screen.last_message, label="Promote")
    assert promoted.response.content == "Mira Dunmore speaks with it from the next line on."

    async def speaking() -> str | None:
        async with evening.store.session() as session:
            found = await adapters.active_adapter(session, campaign, "mira")
        return found.adapter if found else None

    assert await speaking() == "mira-new"
    again = await evening.gm.click(screen.last_message, label="Promote")
    assert "not to be had any more" in again.response.content
    await night_ended(evening, campaign, missing="6 more lines that you approve")
    assert await mornings.report(evening.bot.stage, evening.bot.guilds[0]) == 1
    assert "Missing: 6 more lines that you approve." in screen.last_message.content
    undone = await evening.gm.click(screen.last_message, label="Undo")
    assert undone.response.content == "Mira Dunmore is back at the voice before."
    assert await speaking() is None
    async with evening.store.session() as session:
        found = await adapters.versions(session, campaign, "mira")
        await adapters.promote(session, campaign, found[0], NOW)
    done = await evening.gm.slash(evening.channel, "npc rollback", name="mira")
    assert "back at the voice before" in done.response.content
    assert await speaking() is None


async def test_nights_are_asked_for_and_told_of(begin: Begin) -> None:
    evening = await begin("Aye.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Hello?")
    await evening.bo.react(evening.spoken[-1], "👍")
    assert "Mira" in (await evening.ana.slash(evening.channel, "nights status")).response.content
    assert "had no night yet" in (await evening.gm.slash(evening.channel, "nights report", name="mira")).response.content
    await evening.gm.slash(evening.channel, "nights run")
    async with evening.store.session() as session:
        assert [request.state for request in await nights.requests(session)] == ["waiting"]


async def test_what_the_gm_says_as_an_npc_is_an_example(begin: Begin) -> None:
    evening = await begin("Aye.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    await evening.ana.slash(evening.channel, "roll", dice="1d1")
    await evening.gm.slash(evening.channel, "npc say", text="Four copper, as ever.")
    assert evening.spoken[-1].content.endswith("Four copper, as ever.")
    assert [turn.source for turn in await evening.rows(TurnRow)] == ["interaction", "npc", "interaction", "gm"]
    assert "Only the GM" in (await evening.ana.slash(evening.channel, "npc say", text="Free ale!")).response.content
    (example,) = await evening.rows(StyleExampleRow)
    assert (example.asked, example.line, example.kind) == ("rolls 1d1: 1", "Four copper, as ever.", "gm_line")


async def test_npcs_talk_with_each_other_only_when_the_gm_says_so_and_for_so_long(begin: Begin) -> None:
    evening = await begin("You owe me.", "I owe nobody.", "You do.", "Never again.")
    await evening.summon("brug")
    await evening.summon("mira")
    before = len(evening.spoken)
    done = await evening.gm.slash(evening.channel, "npc banter", first="mira", second="brug", about="Settle the bill.", turns=3)
    assert done.response.content == "3 line(s) were said."
    assert [message.content.splitlines()[-1] for message in evening.spoken[before:]] == ["You owe me.", "I owe nobody.", "You do."]
    assert len(evening.engine.history) == 3
    assert "Mira Dunmore: You owe me." in evening.engine.history[1].prompt


async def test_what_a_gm_types_is_the_gms_own_and_trainable(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.gm.slash(evening.channel, "talk", text="What does the ale cost?")
    assert [turn.source for turn in await evening.rows(TurnRow)] == ["gm", "npc"]
    assert evening.spoken[-1].content.startswith("> **olga** What does")


async def test_a_network_that_is_away_delays_a_morning_report_and_ends_nothing(
    begin: Begin, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = await begin()
    screen = await with_screen(evening)
    await night_ended(evening, await trained(evening, str(tmp_path), active=False), missing="6 more lines that you approve")
    send, tries = discord.abc.Messageable.send, []

    async def away_at_first(self: object, *args: object, **options: object) -> object:
        tries.append(self)
        if len(tries) == 1:
            raise OSError(101, "Network is unreachable")
        return await send(self, *args, **options)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(discord.abc.Messageable, "send", away_at_first)
    monkeypatch.setattr(mornings, "LOOK", 0.01)
    watching = asyncio.create_task(mornings.watch(evening.bot.stage, evening.bot))
    try:
        async with asyncio.timeout(20):
            while len(tries) < 2 or "Missing" not in screen.last_message.content:
                assert not watching.done()
                await asyncio.sleep(0.02)
    finally:
        watching.cancel()
