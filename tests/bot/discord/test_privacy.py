"""Consent is given by each person, and what is kept is theirs: shown, and gone, at once."""

import json
from datetime import timedelta

import pytest

from db.models import Feedback, Participant, PlaceSetting, TurnRow
from db.provenance import Policy
from db.queries import harvest, places
from learning.harvest import harvest as candidates
from tests.bot.discord.conftest import NOW, Begin, Evening


async def consents(evening: Evening) -> dict[str, str]:
    return {row.name: row.consent for row in await evening.rows(Participant)}


async def learnable(evening: Evening) -> list[str]:
    async with evening.store.session() as session:
        campaign = (await evening.rows(Participant))[0].campaign_id
        heard = await harvest.heard_lines(session, campaign, "mira")
    return [candidate.completion for candidate in candidates(heard, Policy()) if candidate.trainable]


async def test_somebody_new_is_asked_once_and_in_private(begin: Begin) -> None:
    evening = await begin("One.", "Two.")
    await evening.summon()
    first = await evening.ana.slash(evening.channel, "talk", text="Hello?")
    assert first.followups[-1].ephemeral
    assert "learn" in first.followups[-1].content
    assert (await consents(evening))["ana"] == "unasked"
    second = await evening.ana.slash(evening.channel, "talk", text="Hello again?")
    assert not any("learn" in followup.content for followup in second.followups)


@pytest.mark.parametrize(("label", "consent", "learnt"), [("Yes, learn from me", "given", ["One."]), ("No", "refused", [])])
async def test_the_answer_decides_what_is_learnt_also_of_what_was_said_before(
    begin: Begin, label: str, consent: str, learnt: list[str]
) -> None:
    evening = await begin("One.")
    await evening.summon()
    asked = await evening.ana.slash(evening.channel, "talk", text="Hello?")
    await evening.bo.react(evening.spoken[-1], "👍")
    assert await learnable(evening) == []
    await evening.restart()
    await evening.ana.click(asked.followups[-1].message, label=label)
    assert (await consents(evening))["ana"] == consent
    assert await learnable(evening) == learnt


async def test_channel_text_is_never_learnt_from_whoever_opted_in(begin: Begin) -> None:
    evening = await begin("One.")
    await evening.summon()
    choice = await evening.ana.slash(evening.channel, "privacy")
    await evening.ana.click(choice.response.message, label="Yes, learn from me")
    assert evening.bot.user is not None
    await evening.ana.send(evening.channel, f"{evening.bot.user.mention} hello there")
    await evening.bo.react(evening.spoken[-1], "👍")
    assert await learnable(evening) == []


async def test_one_who_opted_out_is_answered_and_not_counted_but_may_still_say_stop(begin: Begin) -> None:
    evening = await begin("One.", "Two.")
    await evening.summon()
    choice = await evening.bo.slash(evening.channel, "privacy")
    await evening.bo.click(choice.response.message, label="No")
    await evening.bo.slash(evening.channel, "talk", text="Hello?", npc="mira")
    told = await evening.bo.click(evening.spoken[-1], custom_id=evening.control("up"))
    assert "opted out" in told.response.content
    await evening.bo.react(evening.spoken[-1], "👍")
    assert await evening.rows(Feedback) == []
    await evening.bo.react(evening.spoken[-1], "✖️")
    assert [row.kind for row in await evening.rows(Feedback)] == ["safety_x"]


async def test_privacy_says_what_holds_now(begin: Begin) -> None:
    evening = await begin()
    shown = await evening.ana.slash(evening.channel, "privacy")
    assert shown.ephemeral
    assert "never learnt from" in shown.response.content
    assert "You have not opted in" in shown.response.content


async def test_export_hands_over_everything_to_its_owner_alone(begin: Begin) -> None:
    evening = await begin("One.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="My name is Ana of Highcairn.")
    given = await evening.ana.slash(evening.channel, "mydata export")
    assert given.ephemeral
    (file,) = given.response.attachments
    kept = json.loads(await file.read())
    assert [turn["text"] for turn in kept["turns"]] == ["My name is Ana of Highcairn."]
    assert kept["key"] == f"discord:{evening.ana.id}"


async def test_forgetting_asks_once_and_reaches_everything(begin: Begin) -> None:
    evening = await begin("One.", "Well met.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="My name is Ana of Highcairn.")
    await evening.bo.slash(evening.channel, "talk", text="And I am Bo.", npc="mira")
    await evening.ana.react(evening.spoken[-1], "👍")
    asked = await evening.ana.slash(evening.channel, "mydata forget")
    assert "no way back" in asked.response.content
    await evening.ana.click(asked.response.message, label="Forget me")
    assert not any("Highcairn" in turn.text for turn in await evening.rows(TurnRow))
    assert not any(row.name == "ana" for row in await evening.rows(Participant))
    assert any("And I am Bo." in turn.text for turn in await evening.rows(TurnRow))
    assert await evening.rows(Feedback) == []
    assert not any(str(evening.ana.id) in row.place for row in await evening.rows(PlaceSetting))
    again = await evening.ana.slash(evening.channel, "mydata export")
    assert again.response.content == "Nothing is kept about you."
    await evening.ana.slash(evening.channel, "talk", text="Hello again?", npc="mira")
    assert (await evening.transcript())[-2:] == ["Hello again?", "Aye."]


async def test_two_servers_are_two_campaigns_and_nothing_crosses(begin: Begin) -> None:
    evening = await begin("Here.", "There.")
    await evening.summon()
    await evening.gm.slash(evening.channel, "lore add", text="The duke of Highcairn is dead.")
    await evening.ana.slash(evening.channel, "talk", text="What of the duke?")
    assert "duke of Highcairn is dead" in evening.engine.history[-1].prompt
    other = evening.env.create_guild("Elsewhere")
    hall = other.create_text_channel("hall")
    master = other.create_role("GM")
    gm = other.add_member(evening.env.create_user("other gm"), roles=[master])
    await gm.slash(hall, "npc summon", name="mira")
    await gm.slash(hall, "talk", text="What of the duke?")
    prompt = evening.engine.history[-1].prompt
    assert "dead" not in prompt
    assert "Here." not in prompt
    assert len({row.campaign_id for row in await evening.rows(Participant)}) == 2


async def test_two_channels_of_a_server_are_two_scenes_of_one_campaign(begin: Begin) -> None:
    evening = await begin("Here.", "There.")
    cellar = evening.guild.create_text_channel("cellar")
    await evening.summon()
    await evening.summon(channel=cellar)
    await evening.ana.slash(evening.channel, "talk", text="Above?")
    await evening.ana.slash(cellar, "talk", text="Below?")
    assert await evening.transcript() == ["Above?", "Here."]
    assert await evening.transcript(cellar) == ["Below?", "There."]
    assert len({row.campaign_id for row in await evening.rows(Participant)}) == 1


async def test_channel_text_is_emptied_after_its_days(begin: Begin) -> None:
    evening = await begin("One.", "Two.")
    await evening.summon()
    assert evening.bot.user is not None
    await evening.ana.send(evening.channel, f"{evening.bot.user.mention} hello there")
    await evening.ana.slash(evening.channel, "talk", text="And hello again.")
    async with evening.store.session() as session:
        assert await places.expire_channel_text(session, NOW) == 0
        assert await places.expire_channel_text(session, NOW + timedelta(seconds=1)) == 1
    texts = [turn.text for turn in await evening.rows(TurnRow) if turn.npc is None]
    assert texts == ["", "And hello again."]
