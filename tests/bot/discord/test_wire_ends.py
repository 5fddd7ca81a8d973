"""Beginnings and ends of the real bot on the wire: stops, kills, restarts, shards, and what is missing at the start."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from tests.bot.conftest import Command
from tests.bot.discord.wire import Tavern, ended_well, running
from tests.fakes import discord_rest
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer
from tests.fakes.program import Done


def feedback(home: Path, column: str) -> list[object]:
    with sqlite3.connect(home / "db.sqlite") as database:
        return [value for (value,) in database.execute(f"select {column} from feedback order by id")]


async def test_a_stop_lets_the_line_that_is_spoken_end_and_takes_nothing_new_on(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append(("slow", 0.1, "First sentence here. " + "word " * 15 + "end."))
    tavern = Tavern(discord)
    async with running(discord, model) as program:
        assert (await program.event("ready"))["bot"].startswith("Understudy")
        await tavern.summon()
        await tavern.slash("ana", "talk", text="Tell me everything.")
        await tavern.until_heard("First sentence")
        program.process.terminate()
        await asyncio.sleep(0.1)
        await tavern.until_told(await tavern.slash("bo", "talk", text="And me?"), "about to stop")
        await ended_well(program)
        assert tavern.spoken[-1]["content"].endswith("end.")


async def test_after_a_kill_in_mid_line_the_bot_comes_back_and_hears_of_reactions_to_what_was_said_before(
    discord: DiscordStandIn, model: ModelServer, home: Path
) -> None:
    model.script += ["Four copper.", ("slow", 0.1, "First sentence here. " + "word " * 60), "There you are."]
    tavern = Tavern(discord)
    async with running(discord, model) as program:
        await tavern.summon()
        await tavern.talk("ana", "What does the ale cost?")
        line = tavern.spoken[-1]
        await discord.react("bo", line, "👍")
        await discord.until(lambda: feedback(home, "kind") == ["thumbs_up"])
        await tavern.slash("ana", "talk", text="Tell me everything.")
        await tavern.until_heard("First sentence")
        program.process.kill()
        await program.process.wait()
    async with running(discord, model) as program:
        await tavern.talk("ana", "Are you there?")
        assert tavern.spoken[-1]["content"].endswith("There you are.")
        await discord.react("bo", line, "👍", remove=True)
        await discord.until(lambda: any(sent.path.endswith("/members/7") for sent in discord.requests))
        await ended_well(program)
    assert [when is not None for when in feedback(home, "withdrawn_at")] == [True]


async def test_two_processes_share_the_shards_and_the_commands_are_made_known_once(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append("Four copper.")
    settings = {"UNDERSTUDY_DISCORD_SHARDS": "4"}
    async with (
        running(discord, model, UNDERSTUDY_DISCORD_SHARD_IDS="2-3", **settings) as other,
        running(discord, model, UNDERSTUDY_DISCORD_SHARD_IDS="0", **settings) as ours,
    ):
        await discord.until(lambda: len(discord.shards) == 3, 60)  # each waits for its turn
        tavern = Tavern(discord)
        await tavern.summon()
        await tavern.talk("ana", "What does the ale cost?")
        assert len(tavern.spoken) == 2
        assert sorted(discord.shards) == [[0, 4], [2, 4], [3, 4]]
        assert len([sent for sent in discord.requests if sent.method == "PUT"]) == 1
        for program in (ours, other):
            await ended_well(program)


# --- what is missing ---------------------------------------------------------------------------


async def failed(discord: DiscordStandIn, model: ModelServer, **settings: str) -> str:
    async with running(discord, model, ready=False, **settings) as program:
        assert await asyncio.wait_for(program.process.wait(), 60) == 1
        assert "Traceback" not in program.errors
        return program.errors.splitlines()[-1]


async def test_a_missing_intent_is_one_sentence(discord: DiscordStandIn, model: ModelServer) -> None:
    discord.privileged = False
    said = await failed(discord, model, UNDERSTUDY_DISCORD_MESSAGE_CONTENT="true")
    assert "the Message Content intent: switch it on under Bot" in said


@pytest.fixture
def check(discord: DiscordStandIn, command: Command, monkeypatch: pytest.MonkeyPatch) -> object:
    """`understudy bot --check` in this process; it signs in, and has no gateway."""
    for part in ("discord.http.Route.BASE", "discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY"):
        owner, _, name = part.rpartition(".")
        module, _, cls = owner.rpartition(".")
        found = getattr(__import__(module, fromlist=[cls]), cls)
        monkeypatch.setattr(found, name, getattr(found, name))  # put back afterwards, for the command changes it

    async def run(**settings: str) -> Done:
        for name, value in {**discord.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        return await asyncio.to_thread(command, "bot", "--check", "--json")

    return run


async def test_a_wrong_token_is_one_sentence(check) -> None:
    done = await check(DISCORD_TOKEN="bad.token.here")
    assert done.status == 1
    assert done.err.splitlines()[-1].startswith("Discord refuses the token in DISCORD_TOKEN; copy it anew")


async def test_no_token_is_one_sentence(check) -> None:
    done = await check(DISCORD_TOKEN="")
    assert done.status == 1
    assert done.err.startswith("DISCORD_TOKEN is not set; make an application")


async def test_the_check_says_what_is_missing_and_how_to_invite(check, discord: DiscordStandIn) -> None:
    done = await check(UNDERSTUDY_DISCORD_MESSAGE_CONTENT="true")
    found = json.loads(done.out)
    assert "Message Content intent" in found["missing"][0]
    assert "invite it with https://discord.com/oauth2/authorize" in found["missing"][1]
    assert f"client_id={found['application']}" in found["invite"]
    assert discord.identified == 0


async def test_the_check_names_the_permissions_a_server_does_not_give(check, discord: DiscordStandIn) -> None:
    discord.invited, discord.permissions = True, str(1 << 10 | 1 << 11)  # to see, and to speak
    (lacking,) = json.loads((await check()).out)["missing"]
    assert lacking.startswith("in the server Highcairn: ")
    assert "manage_webhooks (so that NPCs have a name and a face of their own)" in lacking
    assert "send_messages (" not in lacking


async def test_shards_that_are_none_are_one_sentence(check) -> None:
    for given, said in (("two", "is no list of shards"), ("0-9", "is not within discord.shards (2)")):
        done = await check(UNDERSTUDY_DISCORD_SHARDS="2", UNDERSTUDY_DISCORD_SHARD_IDS=given)
        assert done.status == 1
        assert said in done.err


async def test_an_interaction_that_discord_forgot_is_one_warning_and_the_next_is_answered(
    discord: DiscordStandIn, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.script.append("Four copper.")
    tavern = Tavern(discord)
    async with running(discord, model) as program:
        await tavern.summon()
        with monkeypatch.context() as late:
            late.setattr(discord_rest, "DEADLINE", -1.0)
            await tavern.slash("ana", "roll", dice="1d20")
            await discord.until(lambda: "took no answer" in program.errors)
        await tavern.talk("ana", "What does the ale cost?")
        errors = await ended_well(program)
    assert errors.count("WARNING bot.discord_app.desk: Discord took no answer to an interaction (Unknown interaction)") == 1
