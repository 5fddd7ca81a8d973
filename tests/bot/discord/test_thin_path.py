"""Summon, talk, thumbs up: the first path through the Discord bot, on a simulated server."""

from db.models import ChatMessage, Feedback, TurnRow
from tests.bot.discord.conftest import Begin


async def test_a_summoned_npc_answers_under_its_own_name_and_everything_is_stored(begin: Begin) -> None:
    evening = await begin("Four copper for the ale.")
    summoned = await evening.gm.slash(evening.channel, "npc summon", name="mira")
    assert summoned.ephemeral
    assert "is here" in summoned.response.content

    talked = await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")

    assert talked.ephemeral
    line = evening.spoken[-1]
    assert line.author.name == "Mira Dunmore"
    assert line.content == "> **ana** What does the ale cost?\nFour copper for the ale."
    turns = await evening.rows(TurnRow)
    assert [(turn.source, turn.text) for turn in turns] == [
        ("interaction", "What does the ale cost?"), ("npc", "Four copper for the ale."),
    ]  # fmt: skip
    assert [(row.message, row.turn_id) for row in await evening.rows(ChatMessage)] == [(str(line.id), turns[1].id)]


async def test_a_thumbs_up_counts_and_its_removal_takes_it_back(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    line = evening.spoken[-1]

    await evening.ana.react(line, "👍")
    (given,) = await evening.rows(Feedback)
    assert (given.kind, given.withdrawn_at) == ("thumbs_up", None)

    await evening.ana.unreact(line, "👍")
    (given,) = await evening.rows(Feedback)
    assert given.withdrawn_at is not None
