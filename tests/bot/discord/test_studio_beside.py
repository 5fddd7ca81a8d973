"""`understudy bot --studio`: the real program, a channel at one end and a browser at the other, on one event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2

from tests.bot.discord.wire import Program, Tavern, ended_well, running
from tests.fakes.browser import Browser
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer

T = TypeVar("T")


@asynccontextmanager
async def beside(discord: DiscordStandIn, model: ModelServer, *options: str, **settings: str) -> AsyncIterator[tuple[Program, str]]:
    """The bot with its studio; yields it with the studio's address."""
    async with running(discord, model, "--studio", *options, UNDERSTUDY_STUDIO_PORT="0", **settings) as program:
        address = (await program.event("studio"))["address"]
        await program.event("ready")
        yield program, address
        await ended_well(program)


async def at(act: Callable[..., T], *arguments: Any) -> T:
    """Let the browser do something while the channel lives on."""
    return await asyncio.to_thread(act, *arguments)


async def test_what_is_said_in_the_channel_stands_on_the_page_and_another_host_is_refused(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append("Four copper for the ale.")
    tavern = Tavern(discord)
    async with beside(discord, model) as (_, address), httpx2.AsyncClient(timeout=60) as http:
        await tavern.summon()
        await tavern.talk("ana", "What does the ale cost?")
        page = (await http.get(address)).text
        assert "Four copper for the ale." in page
        assert "#tavern" in page
        assert (await http.get(address, headers={"host": "evil.example"})).status_code == 403


async def test_a_gm_steers_the_channel_from_the_page(discord: DiscordStandIn, model: ModelServer, browser: Browser) -> None:
    model.script += ["Four copper for the ale.", ("slow", 0.1, "It is a long story. " + "word " * 100), "Wet, as ever."]
    tavern = Tavern(discord)
    async with beside(discord, model) as (_, address):
        await at(browser.open, address, ".page *")
        await at(browser.until, lambda: "Nobody is here yet" in browser.texts(".empty h2"), "the room behind the scenes")
        await tavern.summon()  # the page goes to where people begin to play
        await at(browser.until, lambda: any("#tavern" in name for name in browser.texts("header option")), "the channel")
        await at(browser.until, lambda: browser.texts(".cast .who.word"), "Mira in the channel")
        await tavern.talk("ana", "What does the ale cost?")
        await at(browser.until, lambda: browser.texts(".spoken .words") == ["Four copper for the ale."], "the channel's line")

        await at(browser.click, "#drawer")  # a line of the GM's own
        await at(lambda: browser.write("#speak-as", "Five, since the flood.", enter=True))
        await tavern.until_heard("Five, since the flood.")
        assert tavern.spoken[-1]["author"]["username"] == "Mira Dunmore"

        asked = await tavern.slash("ana", "talk", text="Why the flood?")  # hushed in mid-line
        await tavern.until_heard("It is a long story.")
        await at(browser.click, "[aria-label='Hush']")
        await tavern.until_told(asked, "answered")
        assert len(tavern.spoken[-1]["content"].split()) < 90

        await at(lambda: browser.write("#direction", "weary", enter=True))
        await at(browser.until, lambda: "Next: weary" in browser.texts(".drawer .any"), "the direction")
        await at(lambda: browser.write("#say", "How is the weather?", enter=True))
        await tavern.until_heard("Wet, as ever.")
        assert "weary" in str(model.requests[-1]["messages"])
        await discord.until(lambda: any("How is the weather?" in m["content"] for m in discord.messages.values()))

        await at(browser.until, lambda: browser.texts(".spoken.last .words") == ["Wet, as ever."], "the newest line")
        await at(browser.click, ".spoken.last [data-do=safety]")  # ✖ takes it from the channel, too
        await discord.until(lambda: not any("Wet, as ever." in message["content"] for message in tavern.spoken))


async def test_while_nobody_plays_the_gm_reviews_and_looks_at_the_nights(discord: DiscordStandIn, model: ModelServer, browser: Browser) -> None:
    model.script.append("Four copper for the ale.")
    tavern = Tavern(discord)
    async with beside(discord, model) as _:
        await tavern.summon()
        await tavern.talk("ana", "What does the ale cost?")
        line = tavern.spoken[-1]
        up = next(item["custom_id"] for item in line["components"][0]["components"] if item["custom_id"].endswith(":up"))
        await tavern.until_told(await discord.click("olga", line, up), "counted")
    async with beside(discord, model) as (_, address):  # the morning after: no channel is open
        await at(browser.open, f"{address}review", ".page *")
        await at(browser.until, lambda: browser.texts("#counts"), "the desk")
        await at(browser.click, "#tab-all")
        await at(browser.until, lambda: "Four copper for the ale." in browser.texts("[data-row] .line"), "what was liked")
        await at(browser.open, f"{address}nights", "#start-night")


async def test_the_studio_and_the_api_are_beside_the_bot_together(discord: DiscordStandIn, model: ModelServer) -> None:
    model.script.append("Five copper.")
    async with running(discord, model, "--studio", UNDERSTUDY_API_BESIDE="true", UNDERSTUDY_STUDIO_PORT="0", UNDERSTUDY_API_PORT="0") as program:
        api = (await program.event("api"))["address"]
        studio = (await program.event("studio"))["address"]
        await program.event("ready")
        async with httpx2.AsyncClient(timeout=60) as http:
            body = {"model": "mira", "messages": [{"role": "user", "content": "What does the ale cost?"}]}
            answer = (await http.post(f"{api}/chat/completions", json=body)).json()
            assert answer["choices"][0]["message"]["content"] == "Five copper."
            assert (await http.get(f"{studio}machine")).status_code == 200
        await ended_well(program)


async def test_a_stop_lets_a_line_end_while_a_page_is_open(discord: DiscordStandIn, model: ModelServer, browser: Browser) -> None:
    model.script.append(("slow", 0.1, "First sentence here. " + "word " * 15 + "end."))
    tavern = Tavern(discord)
    async with beside(discord, model) as (program, address):
        await tavern.summon()
        await at(browser.open, address, "#say")
        await tavern.slash("ana", "talk", text="Tell me everything.")
        await tavern.until_heard("First sentence")
        await ended_well(program)
    assert tavern.spoken[-1]["content"].endswith("end.")
