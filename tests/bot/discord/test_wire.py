"""The bot on the wire: the real program and an unmodified discord.py against a stand-in for Discord."""

from tests.bot.discord.wire import running
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer


async def test_the_first_path_over_the_wire(home: object) -> None:
    async with ModelServer() as model, DiscordStandIn() as discord:
        model.script.append("Four copper for the ale.")
        async with running(discord, model) as program:
            summoned = await discord.slash("olga", "npc summon", name="mira")
            await discord.until(lambda: summoned.original and "is here" in discord.messages[summoned.original]["content"])
            talked = await discord.slash("ana", "talk", text="What does the ale cost?")
            await discord.until(lambda: talked.original and "answered" in discord.messages[talked.original]["content"])

            line = discord.spoken[-1]
            assert line["content"] == "> **ana** What does the ale cost?\nFour copper for the ale."
            assert line["author"]["username"] == "Mira Dunmore"
            assert talked.answered_after is not None
            assert talked.answered_after < 3
            status, errors = await program.stop()
        assert status == 0, errors
        assert "Traceback" not in errors
    assert discord.faults == []
