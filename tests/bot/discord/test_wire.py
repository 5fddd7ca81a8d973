"""The bot on the wire: one real program and an unmodified discord.py against a stand-in for Discord.

The tests here share the program, each in a channel of its own; what starts or ends one is in `test_wire_ends.py`.
"""

import itertools
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from characters.library import Library
from tests.bot.discord.wire import Program, Tavern, ended_well, running
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACES = 12


@dataclass
class Wire:
    """Everything at both ends."""

    discord: DiscordStandIn
    model: ModelServer
    program: Program
    home: Path

    def reactions(self, after: int = 0) -> list[str]:
        """The kinds of feedback that were stored after a number of them."""
        with sqlite3.connect(self.home / "db.sqlite") as database:
            return [kind for (kind,) in database.execute("select kind from feedback order by id")][after:]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> AsyncIterator[Wire]:
    home = tmp_path_factory.mktemp("wire") / "home"
    make_home(home, migrated)
    settings = {"UNDERSTUDY_HOME": str(home), "UNDERSTUDY_DISCORD_MESSAGE_CONTENT": "true", "UNDERSTUDY_DISCORD_GATHER_IDLE": "0.1"}
    async with ModelServer() as model, DiscordStandIn() as discord, running(discord, model, **settings) as program:
        yield Wire(discord, model, program, home)
        await ended_well(program)


def make_home(home: Path, migrated: Path) -> None:
    """NPCs with pictures of this machine, and one with a picture of the web."""
    for folder in ("avatars", "sheets"):
        (home / folder).mkdir(parents=True)
    shutil.copy(migrated, home / "db.sqlite")
    text = Library().path("mira").read_text("utf-8")
    for number in range(FACES):
        (home / "avatars" / f"face{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]))
        named = text.replace("name: Mira Dunmore", f"name: Face{number}")
        (home / "sheets" / f"npc{number}.yaml").write_text(f"{named}\navatar: face{number}.png\n", "utf-8")
    named = text.replace("name: Mira Dunmore", "name: Vera")
    (home / "sheets" / "vera.yaml").write_text(f"{named}\navatar: https://example.org/vera.png\n", "utf-8")


@pytest_asyncio.fixture(loop_scope="module")
async def tavern(wire: Wire) -> AsyncIterator[Tavern]:
    """A channel nobody was in before."""
    wire.model.script.clear()
    yield Tavern(wire.discord, await wire.discord.open_channel())
    assert wire.discord.faults == []  # every request and every answer is one Discord describes
    assert "Traceback" not in wire.program.errors


async def test_the_first_path_over_the_wire(wire: Wire, tavern: Tavern) -> None:
    wire.model.script.append("Four copper for the ale.")
    await tavern.summon()
    talked = await tavern.talk("ana", "What does the ale cost?")
    line = tavern.spoken[-1]
    assert line["content"] == "> **ana** What does the ale cost?\nFour copper for the ale."
    assert line["author"]["username"] == "Mira Dunmore"
    assert talked.answered_after is not None
    assert talked.answered_after < 3
    up = next(item["custom_id"] for item in line["components"][0]["components"] if item["custom_id"].endswith(":up"))
    await tavern.until_told(await wire.discord.click("bo", line, up), "counted")


async def test_while_the_model_is_busy_everybody_is_answered_in_time_and_hearts_beat(wire: Wire, tavern: Tavern) -> None:
    wire.model.script += [("slow", 0.15, "This takes a while. " + "word " * 20), "Quick.", "Quicker."]
    elsewhere = Tavern(wire.discord, await wire.discord.open_channel())
    await tavern.summon()
    await elsewhere.summon()
    beats = len(wire.discord.heartbeats)
    first = await tavern.slash("ana", "talk", text="Tell me everything.")
    await tavern.until_heard("This takes a while.")
    others = [await tavern.slash("bo", "talk", text="And me?"), await elsewhere.slash("olga", "talk", text="Anybody?")]
    await tavern.until_told(others[0], "come first")
    for asked in [first, *others]:
        await tavern.until_told(asked, "answered")
        assert asked.answered_after is not None
        assert asked.answered_after < 3
    assert len(wire.discord.heartbeats) - beats >= 4
    edits = [sent for sent in tavern.sent("PATCH", "/messages/") if "token-" in sent.path]
    gaps = [later.at - sooner.at for sooner, later in itertools.pairwise(edits) if later.path == sooner.path]
    assert gaps
    assert sum(gap < 1.0 for gap in gaps) <= 2  # only the last edit, and the loss of its controls, may follow at once
    assert next(message for message in tavern.spoken if "a while" in message["content"])["content"].endswith("word")


async def test_stop_cuts_the_line_and_the_rest_is_kept(wire: Wire, tavern: Tavern) -> None:
    wire.model.script.append(("slow", 0.1, "First sentence here. " + "word " * 60))
    await tavern.summon()
    asked = await tavern.slash("ana", "talk", text="Tell me everything.")
    await tavern.until_heard("First sentence")
    thinking = wire.discord.messages[asked.original or ""]
    await wire.discord.click("bo", thinking, thinking["components"][0]["components"][0]["custom_id"])
    await tavern.until_told(asked, "answered")
    assert len(tavern.spoken[-1]["content"].split()) < 50


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_rate_limit_is_waited_out_and_nothing_is_lost(wire: Wire, tavern: Tavern, *, everywhere: bool) -> None:
    wire.model.script += ["One.", "Two."]
    await tavern.summon()
    wire.discord.limit("POST", "/webhooks/", after=0.4, everywhere=everywhere)
    await tavern.talk("ana", "First?")
    await tavern.talk("bo", "Second?")
    assert [message["content"].splitlines()[-1] for message in tavern.spoken[1:]] == ["One.", "Two."]


async def test_a_broken_connection_is_resumed_and_what_was_said_meanwhile_is_heard_once(wire: Wire, tavern: Tavern) -> None:
    wire.model.script += ["Back again.", "And again."]
    discord, resumed, identified, lines = wire.discord, wire.discord.resumed, wire.discord.identified, len(wire.model.requests)
    await tavern.summon()
    await tavern.until_told(await tavern.slash("olga", "gm listen", on=True), "I read this channel")
    await discord.drop()
    await discord.say("ana", "Mira, are you there?", tavern.channel)
    await discord.until(lambda: discord.resumed == resumed + 1)
    await tavern.until_heard("Back again.")
    await discord.send(7)
    await discord.until(lambda: discord.resumed == resumed + 2)
    await discord.say("bo", "Mira, and me?", tavern.channel)
    await tavern.until_heard("And again.")
    assert [message["content"] for message in tavern.spoken[1:]] == ["Back again.", "And again."]
    assert discord.identified == identified
    assert len(wire.model.requests) == lines + 2


async def test_an_invalid_session_is_begun_anew(wire: Wire, tavern: Tavern) -> None:
    identified = wire.discord.identified
    await wire.discord.send(9, data=False)
    await wire.discord.until(lambda: wire.discord.identified == identified + 1)
    await tavern.summon()
    puts = [sent for sent in wire.discord.requests if sent.method == "PUT" and sent.path.endswith("/commands")]
    assert len(puts) == 1


async def test_pictures_of_this_machine_go_to_at_most_ten_webhooks_the_longest_unused_first(wire: Wire, tavern: Tavern) -> None:
    for number in [*range(10), 0, 10, 11]:
        await tavern.summon(f"npc{number}")
        await wire.discord.until(lambda number=number: tavern.spoken and tavern.spoken[-1]["author"]["username"] == f"Face{number}")
    assert len(tavern.hooks) == 10
    assert {hook["name"] for hook in tavern.hooks} == {f"Face{number}" for number in range(12)} - {"Face1", "Face2"}
    avatars = [sent.body["avatar"] for sent in wire.discord.requests if sent.body and "avatar" in sent.body and sent.body["avatar"]]
    assert avatars
    assert all(avatar.startswith("data:image/png;base64,") for avatar in avatars)


async def test_a_picture_of_the_web_goes_with_each_message_and_files_as_multipart(wire: Wire, tavern: Tavern) -> None:
    wire.model.script.append("Aye.")
    await tavern.summon("vera")
    await tavern.talk("ana", "Hello, Vera of the web?")
    assert {sent.body["avatar_url"] for sent in tavern.sent("POST", "/webhooks/") if sent.body.get("username")} == {"https://example.org/vera.png"}
    assert len(tavern.hooks) == 1
    await tavern.until_told(await tavern.slash("ana", "mydata export"), "Everything kept")
    files = [sent.files for sent in wire.discord.requests if sent.files]
    assert [list(sent) for sent in files] == [["mydata.json"]]
    assert b"Hello, Vera of the web?" in files[0]["mydata.json"]


@pytest.mark.parametrize("kind", [0, 15], ids=["thread", "forum post"])
async def test_in_a_thread_and_in_a_forum_post_the_parents_webhook_speaks(wire: Wire, tavern: Tavern, kind: int) -> None:
    wire.model.script += ["Four copper.", "Five."]
    parent = Tavern(wire.discord, await wire.discord.open_channel(kind))
    corner = Tavern(wire.discord, await wire.discord.open_thread(parent.channel))
    await corner.summon()
    await corner.talk("ana", "What does the ale cost?")
    line = corner.spoken[-1]
    assert (parent.spoken, corner.hooks) == ([], [])
    assert len(parent.hooks) == 1
    await corner.until_told(await wire.discord.menu("ana", "Another take", line), "Another take")
    edits = [sent for sent in wire.discord.requests if sent.method == "PATCH" and sent.path.endswith(line["id"])]
    assert {sent.params["thread_id"] for sent in edits} == {str(corner.channel)}
    assert corner.spoken[-1]["content"].endswith("Five.")
    await wire.discord.react("bo", line, "✖️")
    await wire.discord.until(lambda: len(corner.spoken) == 1)  # the greeting


async def test_an_italian_is_answered_in_italian(wire: Wire, tavern: Tavern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire.discord, "locale", "it")
    await tavern.until_told(await tavern.slash("ana", "npc hush"), "Silenzio.")
    await tavern.until_told(await tavern.slash("ana", "scene end"), "Può farlo solo il GM")


async def test_a_reaction_to_a_line_that_is_still_spoken_is_not_lost(wire: Wire, tavern: Tavern) -> None:
    wire.model.script += [("slow", 0.06, "First sentence here. " + "word " * 25)] * 2
    before = len(wire.reactions())
    await tavern.summon()
    asked = await tavern.slash("ana", "talk", text="Tell me everything.")
    await tavern.until_heard("First sentence")
    await wire.discord.react("bo", tavern.spoken[-1], "👍")
    await tavern.until_told(asked, "answered")
    again = await tavern.slash("ana", "talk", text="And again.")
    await tavern.until_heard("And again")
    await wire.discord.react("bo", tavern.spoken[-1], "✖️")
    await tavern.until_told(again, "says nothing")
    assert not any("And again" in message["content"] for message in tavern.spoken)
    await wire.discord.until(lambda: wire.reactions(before) == ["thumbs_up", "safety_x"])


async def test_a_hush_silences_those_who_wait_too(wire: Wire, tavern: Tavern) -> None:
    wire.model.script += [("slow", 0.1, "First sentence here. " + "word " * 40), "Never heard."]
    before = len(wire.model.requests)
    await tavern.summon()
    first = await tavern.slash("ana", "talk", text="Tell me everything.")
    await tavern.until_heard("First sentence")
    second = await tavern.until_told(await tavern.slash("bo", "talk", text="And me?"), "come first")
    await tavern.slash("olga", "npc hush")
    await tavern.until_told(first, "answered")
    await tavern.until_told(second, "says nothing")
    assert len(wire.model.requests) == before + 1
