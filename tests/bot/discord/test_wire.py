"""The bot on the wire: the real program and an unmodified discord.py against a stand-in for Discord."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from characters.library import Library
from tests.bot.discord.wire import Program, running
from tests.fakes.discord_payloads import CHANNEL
from tests.fakes.discord_standin import Asked, DiscordStandIn
from tests.fakes.model_server import ModelServer


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def discord() -> AsyncIterator[DiscordStandIn]:
    async with DiscordStandIn() as standin:
        yield standin
    assert standin.faults == []  # every request and every answer is one Discord describes


def told(discord: DiscordStandIn, asked: Asked, text: str) -> bool:
    return bool(asked.original) and text in discord.messages[asked.original or ""]["content"]


async def summon(discord: DiscordStandIn, channel: int = CHANNEL) -> None:
    asked = await discord.slash("olga", "npc summon", channel=channel, name="mira")
    await discord.until(lambda: told(discord, asked, "is here"))


async def talk(discord: DiscordStandIn, person: str, text: str, channel: int = CHANNEL) -> Asked:
    asked = await discord.slash(person, "talk", channel=channel, text=text)
    await discord.until(lambda: told(discord, asked, "answered"))
    return asked


async def ended_well(program: Program) -> str:
    status, errors = await program.stop()
    assert status == 0, errors
    assert "Traceback" not in errors, errors[errors.index("Traceback") - 200 :][:3000]
    return errors


async def test_the_first_path_over_the_wire(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append("Four copper for the ale.")
    async with running(discord, model) as program:
        await summon(discord)
        talked = await talk(discord, "ana", "What does the ale cost?")
        line = discord.spoken[-1]
        assert line["content"] == "> **ana** What does the ale cost?\nFour copper for the ale."
        assert line["author"]["username"] == "Mira Dunmore"
        assert talked.answered_after is not None
        assert talked.answered_after < 3
        pressed = await discord.click("bo", line, next(
            item["custom_id"] for item in line["components"][0]["components"] if item["custom_id"].endswith(":up")
        ))  # fmt: skip
        await discord.until(lambda: told(discord, pressed, "counted"))
        await ended_well(program)


async def test_while_the_model_is_busy_everybody_is_answered_in_time_and_hearts_beat(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script += [("slow", 0.15, "This takes a while. " + "word " * 20), "Quick.", "Quicker."]
    async with running(discord, model) as program:
        await summon(discord)
        await summon(discord, CHANNEL + 1)
        beats = len(discord.heartbeats)
        first = await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: len(discord.spoken) > 2)
        others = [await discord.slash("bo", "talk", text="And me?"),
                  await discord.slash("olga", "talk", channel=CHANNEL + 1, text="Anybody?")]  # fmt: skip
        await discord.until(lambda: told(discord, others[0], "come first"))
        await discord.until(lambda: all(told(discord, asked, "answered") for asked in [first, *others]))
        assert all(asked.answered_after < 3 for asked in [first, *others])
        assert len(discord.heartbeats) - beats >= 4
        edits = [sent for sent in discord.requests if sent.method == "PATCH" and "token-" in sent.path]
        gaps = [later.at - sooner.at for sooner, later in itertools.pairwise(edits) if later.path == sooner.path]
        assert gaps
        assert sum(gap < 1.0 for gap in gaps) <= 1  # only the last edit may follow at once
        assert discord.spoken[2]["content"].endswith("word")
        await ended_well(program)


async def test_stop_cuts_the_line_and_the_rest_is_kept(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append(("slow", 0.1, "First sentence here. " + "word " * 60))
    async with running(discord, model) as program:
        await summon(discord)
        asked = await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: any("First sentence" in message["content"] for message in discord.spoken))
        thinking = discord.messages[asked.original or ""]
        await discord.click("bo", thinking, thinking["components"][0]["components"][0]["custom_id"])
        await discord.until(lambda: told(discord, asked, "answered"))
        assert len(discord.spoken[-1]["content"].split()) < 50
        await ended_well(program)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_rate_limit_is_waited_out_and_nothing_is_lost(discord: DiscordStandIn, model: ModelServer, *, everywhere: bool) -> None:
    model.script += ["One.", "Two."]
    async with running(discord, model) as program:
        await summon(discord)
        discord.limit("POST", "/webhooks/", after=0.4, everywhere=everywhere)
        await talk(discord, "ana", "First?")
        await talk(discord, "bo", "Second?")
        said = [message["content"].splitlines()[-1] for message in discord.spoken[1:]]
        assert said == ["One.", "Two."]
        await ended_well(program)


async def test_a_broken_connection_is_resumed_and_what_was_said_meanwhile_is_heard_once(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script += ["Back again.", "And again."]
    async with running(discord, model, UNDERSTUDY_DISCORD_MESSAGE_CONTENT="true", UNDERSTUDY_DISCORD_GATHER_IDLE="0.1") as program:
        await summon(discord)
        opened = await discord.slash("olga", "gm listen", on=True)
        await discord.until(lambda: told(discord, opened, "I read this channel"))
        await discord.drop()
        await discord.say("ana", "Mira, are you there?")
        await discord.until(lambda: discord.resumed == 1)
        await discord.until(lambda: discord.spoken[-1]["content"] == "Back again.")
        await discord.send(7)
        await discord.until(lambda: discord.resumed == 2)
        await discord.say("bo", "Mira, and me?")
        await discord.until(lambda: discord.spoken[-1]["content"] == "And again.")
        assert [message["content"] for message in discord.spoken[1:]] == ["Back again.", "And again."]
        assert discord.identified == 1
        assert len(model.requests) == 2
        await ended_well(program)


async def test_an_invalid_session_is_begun_anew(discord: DiscordStandIn, model: ModelServer) -> None:
    async with running(discord, model) as program:
        await discord.send(9, data=False)
        await discord.until(lambda: discord.identified == 2)
        await summon(discord)
        puts = [sent for sent in discord.requests if sent.method == "PUT" and sent.path.endswith("/commands")]
        assert len(puts) == 1
        await ended_well(program)


async def test_pictures_of_this_machine_go_to_at_most_ten_webhooks_the_longest_unused_first(
    discord: DiscordStandIn, model: ModelServer, home: Path
) -> None:
    for folder in ("avatars", "sheets"):
        (home / folder).mkdir(parents=True)
    text = Library().path("mira").read_text("utf-8")
    for number in range(12):
        (home / "avatars" / f"face{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]))
        named = text.replace("name: Mira Dunmore", f"name: Face{number}")
        (home / "sheets" / f"npc{number}.yaml").write_text(f"{named}\navatar: face{number}.png\n", "utf-8")
    async with running(discord, model) as program:
        for number in [*range(10), 0, 10, 11]:
            asked = await discord.slash("olga", "npc summon", name=f"npc{number}")
            await discord.until(lambda asked=asked: told(discord, asked, "is here"))
            await discord.until(lambda number=number: discord.spoken and discord.spoken[-1]["author"]["username"] == f"Face{number}")
        names = {hook["name"] for hook in discord.webhooks.values()}
        assert len(discord.webhooks) == 10
        assert names == {f"Face{number}" for number in range(12)} - {"Face1", "Face2"}
        avatars = [sent.body["avatar"] for sent in discord.requests if sent.body and "avatar" in sent.body]
        assert all(avatar.startswith("data:image/png;base64,") for avatar in avatars)
        await ended_well(program)


async def test_a_picture_of_the_web_goes_with_each_message_and_files_as_multipart(
    discord: DiscordStandIn, model: ModelServer, home: Path
) -> None:
    (home / "sheets").mkdir(parents=True)
    text = Library().path("mira").read_text("utf-8")
    (home / "sheets" / "mira.yaml").write_text(f"{text}\navatar: https://example.org/mira.png\n", "utf-8")
    model.script.append("Aye.")
    async with running(discord, model) as program:
        await summon(discord)
        await talk(discord, "ana", "Hello?")
        said = [sent for sent in discord.requests if sent.method == "POST" and "/webhooks/" in sent.path and sent.body.get("username")]
        assert {sent.body["avatar_url"] for sent in said} == {"https://example.org/mira.png"}
        assert len(discord.webhooks) == 1
        asked = await discord.slash("ana", "mydata export")
        await discord.until(lambda: told(discord, asked, "Everything kept"))
        files = [sent.files for sent in discord.requests if sent.files]
        assert [list(sent) for sent in files] == [["mydata.json"]]
        assert b"Hello?" in files[0]["mydata.json"]
        await ended_well(program)


async def test_in_a_thread_the_webhook_is_its_channels_and_lines_stand_in_the_thread(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script += ["Four copper.", "Five."]
    async with running(discord, model) as program:
        corner = await discord.open_thread()
        await summon(discord, corner)
        await talk(discord, "ana", "What does the ale cost?", corner)
        line = discord.spoken[-1]
        assert line["channel_id"] == str(corner)
        assert [hook["channel_id"] for hook in discord.webhooks.values()] == [str(CHANNEL)]
        retaken = await discord.menu("ana", "Another take", line)
        await discord.until(lambda: told(discord, retaken, "Another take"))
        edits = [sent for sent in discord.requests if sent.method == "PATCH" and sent.path.endswith(line["id"])]
        assert {sent.params["thread_id"] for sent in edits} == {str(corner)}
        assert discord.spoken[-1]["content"].endswith("Five.")
        await ended_well(program)


async def test_a_reaction_to_a_line_that_is_still_spoken_is_not_lost(discord: DiscordStandIn, model: ModelServer, home: Path) -> None:
    model.script += [("slow", 0.08, "First sentence here. " + "word " * 30)] * 2
    async with running(discord, model) as program:
        await summon(discord)
        asked = await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: any("First sentence" in message["content"] for message in discord.spoken))
        await discord.react("bo", discord.spoken[-1], "👍")
        await discord.until(lambda: told(discord, asked, "answered"))
        again = await discord.slash("ana", "talk", text="And again.")
        await discord.until(lambda: any("And again" in message["content"] for message in discord.spoken))
        await discord.react("bo", discord.spoken[-1], "✖️")
        await discord.until(lambda: told(discord, again, "says nothing"))
        assert not any("And again" in message["content"] for message in discord.spoken)
        await discord.until(lambda: kinds(home) == ["thumbs_up", "safety_x"])
        await ended_well(program)


def kinds(home: Path) -> list[str]:
    with sqlite3.connect(home / "db.sqlite") as database:
        return [kind for (kind,) in database.execute("select kind from feedback order by id")]


async def test_a_hush_silences_those_who_wait_too(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script += [("slow", 0.1, "First sentence here. " + "word " * 40), "Never heard."]
    async with running(discord, model) as program:
        await summon(discord)
        first = await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: any("First sentence" in message["content"] for message in discord.spoken))
        second = await discord.slash("bo", "talk", text="And me?")
        await discord.until(lambda: told(discord, second, "come first"))
        await discord.slash("olga", "npc hush")
        await discord.until(lambda: told(discord, first, "answered") and told(discord, second, "says nothing"))
        assert len(model.requests) == 1
        await ended_well(program)


async def test_a_stop_lets_the_line_that_is_spoken_end_and_takes_nothing_new_on(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append(("slow", 0.1, "First sentence here. " + "word " * 15 + "end."))
    async with running(discord, model) as program:
        await summon(discord)
        await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: any("First sentence" in message["content"] for message in discord.spoken))
        program.process.terminate()
        await asyncio.sleep(0.1)
        late = await discord.slash("bo", "talk", text="And me?")
        await discord.until(lambda: told(discord, late, "about to stop"))
        await ended_well(program)
        assert discord.spoken[-1]["content"].endswith("end.")


async def test_after_a_kill_in_mid_line_the_bot_comes_back_and_goes_on(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script += [("slow", 0.1, "First sentence here. " + "word " * 60), "There you are.", "Another way."]
    async with running(discord, model) as program:
        await summon(discord)
        await discord.slash("ana", "talk", text="Tell me everything.")
        await discord.until(lambda: any("First sentence" in message["content"] for message in discord.spoken))
        program.process.kill()
        await program.process.wait()
    async with running(discord, model) as program:
        await talk(discord, "ana", "Are you there?")
        assert discord.spoken[-1]["content"].endswith("There you are.")
        await ended_well(program)


# --- what is missing ---------------------------------------------------------------------------


async def failed(discord: DiscordStandIn, model: ModelServer, *options: str, **settings: str) -> str:
    async with running(discord, model, *options, ready=False, **settings) as program:
        assert program.process.stdout is not None
        errors = await asyncio.wait_for(program.errors(), 30)
        assert await program.process.wait() == 1
    assert "Traceback" not in errors
    return errors.splitlines()[-1]


async def test_a_wrong_token_is_one_sentence(discord: DiscordStandIn, model: ModelServer) -> None:
    said = await failed(discord, model, DISCORD_TOKEN="bad.token.here")
    assert said.startswith("Discord refuses the token in DISCORD_TOKEN; copy it anew")


async def test_no_token_is_one_sentence(discord: DiscordStandIn, model: ModelServer) -> None:
    said = await failed(discord, model, DISCORD_TOKEN="")
    assert said.startswith("DISCORD_TOKEN is not set; make an application")


async def test_a_missing_intent_is_one_sentence(discord: DiscordStandIn, model: ModelServer) -> None:
    discord.privileged = False
    said = await failed(discord, model, UNDERSTUDY_DISCORD_MESSAGE_CONTENT="true")
    assert "the Message Content intent: switch it on under Bot" in said


async def test_the_check_says_what_is_missing_and_how_to_invite(discord: DiscordStandIn, model: ModelServer) -> None:
    async with running(discord, model, "--check", ready=False, UNDERSTUDY_DISCORD_MESSAGE_CONTENT="true") as program:
        found = await program.event("check")
        assert await program.process.wait() == 0
    assert "Message Content intent" in found["missing"][0]
    assert "invite it with https://discord.com/oauth2/authorize" in found["missing"][1]
    assert f"client_id={found['application']}" in found["invite"]
    assert discord.identified == 0


async def test_the_check_names_the_permissions_a_server_does_not_give(discord: DiscordStandIn, model: ModelServer) -> None:
    discord.invited, discord.permissions = True, str(1 << 10 | 1 << 11)  # to see, and to speak
    async with running(discord, model, "--check", ready=False) as program:
        found = await program.event("check")
        assert await program.process.wait() == 0
    (lacking,) = found["missing"]
    assert lacking.startswith("in the server Highcairn: ")
    assert "manage_webhooks (so that NPCs have a name and a face of their own)" in lacking
    assert "send_messages (" not in lacking


async def test_a_reaction_taken_back_after_a_restart_is_taken_back(discord: DiscordStandIn, model: ModelServer, home: Path) -> None:
    model.script.append("Four copper.")
    async with running(discord, model) as program:
        await summon(discord)
        await talk(discord, "ana", "What does the ale cost?")
        line = discord.spoken[-1]
        await discord.react("bo", line, "👍")
        await discord.until(lambda: kinds(home) == ["thumbs_up"])
        await ended_well(program)
    async with running(discord, model) as program:
        await discord.react("bo", line, "👍", remove=True)
        await discord.until(lambda: any(sent.path.endswith("/members/7") for sent in discord.requests))
        await ended_well(program)
    with sqlite3.connect(home / "db.sqlite") as database:
        assert [when is not None for (when,) in database.execute("select withdrawn_at from feedback")] == [True]
