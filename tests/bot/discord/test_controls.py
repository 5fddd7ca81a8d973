"""The controls under the newest line, and plain reactions: counted once, taken back, alive after a restart."""

import pytest

from db.models import Feedback
from tests.bot.discord.conftest import Begin


async def kinds(evening) -> list[str]:
    return [row.kind for row in await evening.rows(Feedback) if row.withdrawn_at is None]


async def test_only_the_newest_line_has_controls(begin: Begin) -> None:
    evening = await begin("One.", "Two.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    await evening.ana.slash(evening.channel, "talk", text="Second?")
    *_, before, newest = evening.spoken
    assert not before.components
    assert len(newest.components[0].children) == 5


async def test_a_button_counts_and_the_other_one_replaces_it(begin: Begin) -> None:
    evening = await begin("One.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    line = evening.spoken[-1]
    pressed = await evening.bo.click(line, custom_id=evening.control("up"))
    assert pressed.ephemeral
    await evening.bo.click(line, custom_id=evening.control("down"))
    assert await kinds(evening) == ["thumbs_down"]


async def test_controls_work_after_a_restart(begin: Begin) -> None:
    evening = await begin("One.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    button = evening.control("up")
    await evening.restart("Two.")
    await evening.bo.click(evening.spoken[-1], custom_id=button)
    assert await kinds(evening) == ["thumbs_up"]
    await evening.bo.click(evening.spoken[-1], custom_id=evening.control("take"))
    assert evening.spoken[-1].content.endswith("Two.")
    await evening.bo.react(evening.spoken[-1], "👎")
    assert (await kinds(evening)).count("thumbs_down") == 1


async def test_after_a_restart_the_line_before_gives_its_controls_up_too(begin: Begin) -> None:
    evening = await begin("One.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    await evening.restart("Two.")
    await evening.ana.slash(evening.channel, "talk", text="Second?", npc="mira")
    *_, before, newest = evening.spoken
    assert not before.components
    assert newest.components


async def test_a_menu_does_the_same(begin: Begin) -> None:
    evening = await begin("One.", "Two.", controls="menu")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    await evening.bo.select(evening.spoken[-1], ["up"])
    assert await kinds(evening) == ["thumbs_up"]
    await evening.bo.select(evening.spoken[-1], ["down"])
    assert await kinds(evening) == ["thumbs_down"]
    await evening.bo.select(evening.spoken[-1], ["take"])
    assert evening.spoken[-1].content.endswith("Two.")
    assert (await evening.bo.select(evening.spoken[-1], ["reply"])).modal is not None
    await evening.restart()
    await evening.bo.select(evening.spoken[-1], ["x"])
    assert len(evening.spoken) == 1


async def test_reactions_are_offered_where_the_setting_says_so_and_our_own_do_not_count(begin: Begin) -> None:
    evening = await begin("One.", controls="reactions")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="First?")
    line = evening.spoken[-1]
    assert not line.components
    assert [str(reaction.emoji) for reaction in line.reactions] == ["👍", "👎", "✖️"]
    assert await kinds(evening) == []
    await evening.bo.react(line, "👍")
    assert await kinds(evening) == ["thumbs_up"]


@pytest.mark.parametrize("by", ["button", "reaction"])
async def test_an_x_takes_the_line_back_at_once_and_names_nobody(begin: Begin, by: str) -> None:
    evening = await begin("Something nasty.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What is in the cellar?")
    line = evening.spoken[-1]
    if by == "button":
        await evening.bo.click(line, custom_id=evening.control("x"))
    else:
        await evening.bo.react(line, "✖️")
    assert all(message.id != line.id for message in evening.channel.history())
    assert await evening.transcript() == ["What is in the cellar?"]
    assert await kinds(evening) == ["safety_x"]
    assert not any("bo" in message.content for message in evening.channel.history())


async def test_reactions_to_other_messages_are_nobodys_business(begin: Begin) -> None:
    evening = await begin()
    await evening.summon()
    said = await evening.ana.send(evening.channel, "Just us talking.")
    await evening.bo.react(said, "👍")
    assert await kinds(evening) == []
