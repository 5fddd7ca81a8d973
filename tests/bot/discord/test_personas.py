"""NPCs have a name and a face of their own, in channels and threads, and where webhooks are not allowed."""

from types import SimpleNamespace

import discord
import pytest

from bot.discord_app.lines import split
from bot.discord_app.personas import webhook_name
from characters.library import Library
from db.models import Feedback
from tests.bot.discord.conftest import Begin


def calls(evening, method: str, part: str) -> list[object]:
    return [request for request in evening.env.http_requests if request.method == method and part in request.path]


async def test_one_webhook_of_a_channel_speaks_for_everybody(begin: Begin) -> None:
    evening = await begin("Ale is four copper.", "Hm.")
    await evening.summon("mira")
    await evening.summon("brug")
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?", npc="mira")
    await evening.ana.slash(evening.channel, "talk", text="And you, what do you sell?", npc="brug")
    names = [message.author.name for message in evening.spoken]
    assert names[-2:] == ["Mira Dunmore", Library().get("brug").name]
    assert len(calls(evening, "POST", "/webhooks")) >= 1
    made = [request for request in calls(evening, "POST", f"/channels/{evening.channel.id}/webhooks") if request.path.endswith("webhooks")]
    assert len(made) == 1


async def test_nothing_an_npc_says_pings_anybody(begin: Begin) -> None:
    evening = await begin("Ask @everyone, or <@&1>.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Whom do I ask?")
    said = [request.json for request in evening.env.http_requests if request.json and "content" in request.json]
    assert said
    assert all(body["allowed_mentions"]["parse"] == [] for body in said)


async def test_a_webhook_that_was_deleted_is_made_anew_once(begin: Begin) -> None:
    evening = await begin("First.", "Second.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="One?")
    backend = evening.env.backend
    backend.delete_webhook(next(iter(backend.webhooks)))
    await evening.ana.slash(evening.channel, "talk", text="Two?")
    assert evening.spoken[-1].content.endswith("Second.")


async def test_without_the_permission_the_bot_speaks_under_a_bold_name_and_the_gm_is_told(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.forbid(manage_webhooks=True)
    by_a_player = await evening.ana.slash(evening.channel, "npc summon", name="mira")
    assert all("Manage Webhooks" not in followup.content for followup in by_a_player.followups)
    summoned = await evening.gm.slash(evening.channel, "npc summon", name="mira")
    assert "Manage Webhooks" in summoned.followups[-1].content
    again = await evening.gm.slash(evening.channel, "npc summon", name="brug")
    assert all("Manage Webhooks" not in followup.content for followup in again.followups)
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?", npc="mira")
    line = evening.channel.last_message
    assert line.webhook_id is None
    assert line.content == "> **ana** What does the ale cost?\n**Mira Dunmore:** Four copper."


async def test_where_a_channel_has_no_room_for_a_webhook_the_bot_speaks_itself(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    evening = await begin("Four copper.")

    async def full(*_: object, **__: object) -> None:
        answer = SimpleNamespace(status=400, reason="Bad Request")
        raise discord.HTTPException(answer, {"code": 30007, "message": "Maximum number of webhooks reached (15)"})  # type: ignore[arg-type]

    monkeypatch.setattr(discord.TextChannel, "create_webhook", full)
    await evening.gm.slash(evening.channel, "npc summon", name="mira")
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?", npc="mira")
    assert evening.channel.last_message.content.endswith("**Mira Dunmore:** Four copper.")


@pytest.mark.parametrize(("given", "taken"), [
    ("Mira", "Mira"), ("", "Somebody"), ("The Discord of Clyde", "The Dis-cord of Cly-de"), ("x" * 200, "x" * 80),
])  # fmt: skip
def test_names_discord_refuses_are_changed(given: str, taken: str) -> None:
    assert webhook_name(given) == taken


def test_long_lines_are_split_at_sentences_and_nothing_is_lost() -> None:
    text = " ".join(f"Sentence number {number} is here, and it is not short at all." for number in range(120))
    parts = split(text)
    assert all(len(part) <= 1900 for part in parts)
    assert all(part.endswith(".") for part in parts)
    assert " ".join(parts) == text
    assert split("a" * 4000) == ["a" * 1900, "a" * 1900, "a" * 200]


async def test_a_long_line_becomes_several_messages_and_all_of_them_are_the_line(begin: Begin) -> None:
    long = " ".join(["The road to the old mill is long and full of holes, mind your ankles."] * 40)
    evening = await begin(long)
    evening.bot.stage.desk.rooms.house.settings.sampling.__dict__["max_tokens"] = 2000
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="How is the road?")
    parts = [message for message in evening.spoken if "mill" in message.content]
    assert len(parts) == 2
    await evening.ana.react(parts[0], "👍")
    await evening.bo.react(parts[1], "👎")
    given = await evening.rows(Feedback)
    assert len({row.turn_id for row in given}) == 1
    assert len(given) == 2


async def test_a_line_is_cut_where_the_setting_says_sentences(begin: Begin) -> None:
    evening = await begin("One thing first. Then another. And that is all", stream="sentences")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Tell me.")
    said = [message.content.splitlines()[-1] for message in evening.spoken[1:]]
    assert said == ["One thing first.", "Then another.", "And that is all"]
    assert evening.spoken[-1].components
    await evening.bo.react(evening.spoken[1], "✖️")
    assert len(evening.spoken) == 1
