"""Table mode: the bot reads along where the GM opened a channel, and speaks when it is its turn."""

import discord

from db.models import TurnRow
from tests.bot.discord.conftest import Begin, Evening

PLURALKIT = 466378653216014359


async def listening(begin: Begin, *script: str, **settings: object) -> Evening:
    evening = await begin(*script, message_content=True, **settings)
    await evening.summon()
    await evening.gm.slash(evening.channel, "gm listen", on=True)
    return evening


async def people(evening: Evening) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in await evening.rows(TurnRow) if turn.npc is None]


async def test_without_the_intent_the_gm_is_told_what_is_missing(begin: Begin) -> None:
    evening = await begin()
    refused = await evening.gm.slash(evening.channel, "gm listen", on=True)
    assert "Message Content" in refused.response.content


async def test_only_channels_the_gm_opened_are_read(begin: Begin) -> None:
    evening = await begin("Aye?", message_content=True)
    await evening.summon()
    await evening.ana.send(evening.channel, "Mira, are you there?")
    assert await evening.rows(TurnRow) == []
    await evening.gm.slash(evening.channel, "gm listen", on=True)
    await evening.ana.send(evening.channel, "Mira, are you there?")
    assert evening.spoken[-1].content == "Aye?"
    assert {turn.source for turn in await evening.rows(TurnRow) if turn.npc is None} == {"channel"}


async def test_whoever_writes_in_a_channel_is_told_when_it_begins_to_be_read(begin: Begin) -> None:
    evening = await listening(begin)
    assert evening.channel.last_message.content.startswith("Ordinary messages in this channel are read, stored and answered")


async def test_a_channel_the_gm_closes_again_is_not_read(begin: Begin) -> None:
    evening = await listening(begin)
    closed = await evening.gm.slash(evening.channel, "gm listen", on=False)
    assert closed.response.content == "I do not read this channel any more."
    await evening.ana.send(evening.channel, "Mira, are you there?")
    assert await evening.rows(TurnRow) == []


async def test_a_burst_is_stored_whole_and_answered_once(begin: Begin) -> None:
    evening = await listening(begin, "Four copper, and mind the step.", gather_idle=0.4, gather_most=2.0)
    before = len(evening.spoken)
    backend = evening.env.backend
    for text in ("Mira!", "What does the ale cost?", "And is the cellar dry?"):
        backend.create_message(evening.channel.id, evening.ana.id, text)
    await evening.env.settle()
    assert [text for _, text in await people(evening)] == ["Mira!", "What does the ale cost?", "And is the cellar dry?"]
    assert len(evening.spoken) == before + 1
    assert len(evening.engine.history) == 1


async def test_people_who_talk_to_each_other_are_left_alone(begin: Begin) -> None:
    evening = await listening(begin)
    before = len(evening.spoken)
    await evening.ana.send(evening.channel, "Bo, did you bring the crisps?")
    await evening.bo.send(evening.channel, "((brb, the cat))")
    assert len(evening.spoken) == before
    assert len(await people(evening)) == 2


async def test_out_of_character_talk_is_never_answered_nor_read_by_the_npc(begin: Begin) -> None:
    evening = await listening(begin, "Aye?")
    await evening.ana.send(evening.channel, "// Mira is funny today")
    assert len(evening.engine.history) == 0
    await evening.ana.send(evening.channel, "> Mira, a word?")
    assert "funny" not in evening.engine.history[-1].prompt
    assert (await people(evening))[-1][1] == "Mira, a word?"


async def test_a_matter_the_npc_knows_draws_it_in_when_it_was_just_spoken_to(begin: Begin) -> None:
    evening = await listening(begin, "Four copper.", "Two silver a night.")
    await evening.ana.send(evening.channel, "Mira, what does the ale cost?")
    await evening.ana.send(evening.channel, "And how much is a room for the night?")
    assert evening.spoken[-1].content == "Two silver a night."


async def test_other_bots_and_our_own_lines_are_not_heard(begin: Begin) -> None:
    evening = await listening(begin, "Aye?")
    robot = evening.guild.add_member(evening.env.create_user("robot", bot=True))
    await robot.send(evening.channel, "Mira, what does the ale cost?")
    hook = evening.guild.create_webhook(evening.channel, "Feed")
    await hook.send("Mira, what does the ale cost?")
    assert await evening.rows(TurnRow) == []


async def test_a_proxied_player_is_one_person_and_answered_once(begin: Begin) -> None:
    evening = await listening(begin, "Well met, Sable.", gather_idle=0.5, gather_most=2.0)
    backend, before = evening.env.backend, len(evening.spoken)
    trigger = backend.create_message(evening.channel.id, evening.ana.id, "S: Mira, well met!")
    hook = backend.create_webhook(evening.channel.id, "Proxy", evening.ana.id)
    proxied = await said_by_proxy(evening, hook, "Sable", "Mira, well met!")
    backend.delete_message(evening.channel.id, trigger.id)
    await evening.env.settle()
    turns = [turn for turn in await evening.rows(TurnRow) if turn.npc is None and turn.retracted_at is None]
    assert [(turn.speaker, turn.text) for turn in turns] == [("Sable", "Mira, well met!")]
    assert len(evening.engine.history) == 1
    assert len([message for message in evening.spoken if message.id != proxied]) == before + 1
    owner = next(turn.participant_id for turn in await evening.rows(TurnRow) if turn.text == "")
    assert turns[0].participant_id == owner


async def said_by_proxy(evening: Evening, hook: object, name: str, text: str) -> int:
    """A message of PluralKit's webhook, as the gateway brings it."""
    number = evening.env.backend.next_id() if hasattr(evening.env.backend, "next_id") else 777_000_000_000_000_001
    evening.env.backend.emit("MESSAGE_CREATE", {
        "id": str(number), "channel_id": str(evening.channel.id), "guild_id": str(evening.guild.id), "type": 0,
        "content": text, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": False,
        "timestamp": "2026-05-01T20:00:00+00:00", "edited_timestamp": None, "tts": False, "mention_everyone": False,
        "author": {"id": str(hook.id), "username": name, "discriminator": "0000", "avatar": None, "bot": True},
        "webhook_id": str(hook.id), "application_id": str(PLURALKIT), "flags": 0, "components": [],
    })  # fmt: skip
    return number


async def test_edits_and_deletions_follow_into_the_story(begin: Begin) -> None:
    evening = await listening(begin, "Four copper.", "Hm.")
    said = await evening.ana.send(evening.channel, "Mira, what does the wine cost?")
    await evening.ana.edit(said, "Mira, what does the ale cost?")
    assert await people(evening) == [("ana", "Mira, what does the ale cost?")]
    await evening.ana.delete(said)
    turns = await evening.rows(TurnRow)
    assert turns[0].text == ""
    assert turns[0].retracted_at is not None


async def test_a_message_that_is_told_again_after_a_reconnect_is_not_stored_twice(begin: Begin) -> None:
    evening = await listening(begin, "Aye?")
    said = await evening.ana.send(evening.channel, "Mira, are you there?")
    before = len(evening.spoken)
    assert isinstance(said, discord.Message)
    await evening.bot.listening.hear(said)
    assert len(await people(evening)) == 1
    assert len(evening.spoken) == before


async def test_the_evening_begins_with_a_banner_that_says_what_is_learnt(begin: Begin) -> None:
    evening = await listening(begin)
    await evening.gm.slash(evening.channel, "session start")
    assert "never learnt from" in evening.channel.last_message.content
    assert "Ordinary messages in this channel are read" in evening.channel.last_message.content
