"""Without reading the channel: /talk, Reply, mentions and message menus."""

import pytest

from bot.discord_app.client import intents
from db.models import Feedback, Memory, StyleExampleRow, TurnRow
from tests.bot.discord.conftest import Begin


def test_the_bot_asks_for_no_more_than_it_needs() -> None:
    wanted = {name for name, on in intents(message_content=False) if on}
    assert wanted == {"guilds", "guild_messages", "guild_reactions"}
    assert {name for name, on in intents(message_content=True) if on} - wanted == {"message_content"}


async def test_talk_without_a_name_goes_to_whom_one_last_spoke_to(begin: Begin) -> None:
    evening = await begin("One.", "Two.", "Three.")
    await evening.summon("brug")
    await evening.summon("mira")
    await evening.ana.slash(evening.channel, "talk", text="Hello.", npc="brug")
    await evening.bo.slash(evening.channel, "talk", text="Hello.", npc="mira")
    await evening.ana.slash(evening.channel, "talk", text="And now?")
    assert evening.spoken[-1].author.name == evening.spoken[-3].author.name


async def test_the_reply_button_opens_a_form_and_its_words_are_the_players_own(begin: Begin) -> None:
    evening = await begin("Four copper.", "Come in, then.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    opened = await evening.bo.click(evening.spoken[-1], custom_id=evening.control("reply"))
    assert opened.modal is not None
    await evening.bo.submit_modal(opened, {"text": "May I come in?"})
    assert evening.spoken[-1].content == "> **bo** May I come in?\nCome in, then."
    assert [turn.source for turn in await evening.rows(TurnRow)] == ["interaction", "npc", "interaction", "npc"]


async def test_a_mention_is_answered_and_stays_channel_text(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    me = evening.bot.user
    assert me is not None
    await evening.ana.send(evening.channel, f"{me.mention} what does the ale cost?")
    assert evening.spoken[-1].content == "Four copper."
    first = (await evening.rows(TurnRow))[0]
    assert (first.source, first.text) == ("channel", "what does the ale cost?")


async def test_other_messages_are_neither_answered_nor_stored(begin: Begin) -> None:
    evening = await begin()
    await evening.summon()
    before = len(evening.spoken)
    await evening.ana.send(evening.channel, "Mira, what does the ale cost?")
    assert len(evening.spoken) == before
    assert await evening.rows(TurnRow) == []


async def test_an_edit_changes_the_message_and_teaches_the_npc(begin: Begin) -> None:
    evening = await begin("I am a language model.", "Hm.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Who are you?")
    opened = await evening.gm.context_menu(evening.channel, "Edit line", evening.spoken[-1])
    assert opened.modal is not None
    await evening.gm.submit_modal(opened, {"asked": "Who are you, innkeeper?", "said": "Mira, and this is my inn."})
    assert evening.spoken[-1].content.endswith("Mira, and this is my inn.")
    (example,) = await evening.rows(StyleExampleRow)
    assert (example.asked, example.line) == ("Who are you, innkeeper?", "Mira, and this is my inn.")


async def test_only_the_gm_edits(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    refused = await evening.ana.context_menu(evening.channel, "Edit line", evening.spoken[-1])
    assert refused.modal is None
    assert "Only the GM" in refused.response.content


async def test_another_take_stands_where_the_first_one_stood(begin: Begin) -> None:
    evening = await begin("Four copper.", "Five, for you.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    line = evening.spoken[-1]
    await evening.bo.context_menu(evening.channel, "Another take", line)
    assert [message.id for message in evening.spoken][-1] == line.id
    assert evening.spoken[-1].content.endswith("Five, for you.")
    assert (await evening.transcript())[-1] == "Five, for you."


async def test_what_is_not_canon_is_struck_through_and_out_of_the_story(begin: Begin) -> None:
    evening = await begin("The duke is dead.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Any news?")
    await evening.gm.context_menu(evening.channel, "Not canon", evening.spoken[-1])
    assert evening.spoken[-1].content.startswith("~~")
    assert await evening.transcript() == ["Any news?"]
    assert [row.kind for row in await evening.rows(Feedback)] == ["retcon"]


async def test_a_message_can_be_shown_to_an_npc_once_stored_as_channel_text(begin: Begin) -> None:
    evening = await begin("A fine catch.", "Still a fine catch.")
    await evening.summon()
    said = await evening.bo.send(evening.channel, "I caught a pike this long.")
    await evening.ana.context_menu(evening.channel, "Show to NPC", said)
    await evening.ana.context_menu(evening.channel, "Show to NPC", said)
    turns = await evening.rows(TurnRow)
    assert [(turn.source, turn.speaker) for turn in turns if turn.npc is None] == [("channel", "bo")]
    assert evening.spoken[-1].content == "Still a fine catch."


async def test_lore_is_written_by_the_gm_and_not_copied_from_a_player(begin: Begin) -> None:
    evening = await begin("The flood took it, they say.")
    await evening.summon()
    said = await evening.ana.send(evening.channel, "the flood took the mill, remember")
    chosen = await evening.gm.context_menu(evening.channel, "Lore, or reply as…", said)
    opened = await evening.gm.click(chosen.response.message, label="Add to lore")
    assert opened.modal is not None
    assert "remember" not in str(opened.modal)
    await evening.gm.submit_modal(opened, {"text": "The flood took the old mill."})
    (fact,) = [row for row in await evening.rows(Memory) if row.kind == "told"]
    assert (fact.npc, fact.text) == (None, "The flood took the old mill.")
    await evening.ana.slash(evening.channel, "talk", text="What became of the mill?")
    assert "The flood took the old mill." in evening.engine.history[-1].prompt


async def test_the_gm_replies_as_an_npc(begin: Begin) -> None:
    evening = await begin()
    await evening.summon()
    said = await evening.ana.send(evening.channel, "Mira, is the cellar dry?")
    chosen = await evening.gm.context_menu(evening.channel, "Lore, or reply as…", said)
    opened = await evening.gm.click(chosen.response.message, label="Reply as…")
    await evening.gm.submit_modal(opened, {"text": "As a bone."})
    assert evening.spoken[-1].content == "As a bone."
    assert await evening.transcript() == ["Mira, is the cellar dry?", "As a bone."]


@pytest.mark.parametrize("menu", ["Edit line", "Not canon", "Lore, or reply as…"])
async def test_menus_of_the_gm_refuse_a_player(begin: Begin, menu: str) -> None:
    evening = await begin()
    await evening.summon()
    said = await evening.ana.send(evening.channel, "Hello there.")
    refused = await evening.bo.context_menu(evening.channel, menu, said)
    assert "Only the GM" in refused.response.content
