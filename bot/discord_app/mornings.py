"""The morning report on the GM's screen: what a night made of the evening, with *promote* and *undo*.

Nights run in a process of their own and write into tables; the bot looks there every few minutes,
and empties channel text that has had its days on the same round.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Self

import discord

from bot.discord_app import drafts
from bot.discord_app.catalogue import words
from bot.discord_app.errors import Refusal
from bot.discord_app.rooms import guild_place
from bot.discord_app.stage import Stage, stage_of
from db.queries import adapters, nights, play
from db.queries.adapters import Version
from db.queries.nights import NightRecord

Context = discord.Interaction[Any]
log = logging.getLogger(__name__)

LOOK = 120.0
_REASON = 1200
_ROOM = 80  # for names in a control, of which Discord keeps a hundred characters


class VoiceButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"voice:(?P<act>promote|undo):(?P<npc>[\w-]+):(?P<adapter>[\w.-]*)",
):
    """Lets what the night made speak, or brings the voice before back."""

    def __init__(self, act: str, npc: str, adapter: str, label: str = "?") -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=f"voice:{act}:{npc}:{adapter}"))
        self.act, self.npc, self.adapter = act, npc, adapter

    @classmethod
    async def from_custom_id(cls, interaction: Context, item: Any, match: re.Match[str], /) -> Self:
        """The button again."""
        return cls(match["act"], match["npc"], match["adapter"])

    async def callback(self, interaction: Context) -> None:
        """Do it."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            house, guild = desk.rooms.house, interaction.guild_id or 0
            name = (await desk.rooms.library(guild)).get(self.npc).name
            async with house.store.session() as session:
                campaign = await play.campaign_id(session, desk.rooms.campaign(guild), house.clock())
                if self.act == "undo":
                    if await adapters.active_adapter(session, campaign, self.npc) is None:
                        raise Refusal("npc.no_adapter", name=name)
                    await adapters.roll_back(session, campaign, self.npc, house.clock())
                else:
                    version = await _version(session, campaign, self.npc, self.adapter)
                    if version is None or version.state not in {"candidate", "held"}:
                        raise Refusal("morning.gone")
                    await adapters.promote(session, campaign, version, house.clock())
            await answer.say(f"morning.done.{self.act}", name=name)


async def _version(session: Any, campaign: int, npc: str, adapter: str) -> Version | None:
    known = await adapters.versions(session, campaign, npc)
    return next((one for one in known if one.adapter == adapter), None)


async def watch(stage: Stage, client: discord.Client) -> None:
    """Look for nights that ended, for as long as the bot runs."""
    while True:
        await asyncio.sleep(LOOK)
        await _tried("Channel text was not expired", stage.desk.rooms.expire_channel_text())
        for guild in client.guilds:
            await _tried(f"There is no morning report for {guild.id}", report(stage, guild))


async def _tried(missed: str, work: Awaitable[Any]) -> None:
    """Do what is done again at the next look: a network or a database that is away now comes back."""
    try:
        await work
    except Exception:  # nobody else would look again
        log.exception("%s; the next look tries again.", missed)


async def report(stage: Stage, guild: discord.Guild) -> int:
    """Tell a server's GM of every night that ended since the last report; how many there were."""
    rooms, locale = stage.desk.rooms, guild.preferred_locale
    screen = await drafts.screen(stage, guild)
    if screen is None:
        return 0
    seen = int(await rooms.setting(guild_place(guild.id), "nights_told", 0))
    library = await rooms.library(guild.id)
    async with rooms.house.store.session() as session:
        campaign = await play.campaign_id(session, rooms.campaign(guild.id), rooms.house.clock())
        found = [await nights.last_night(session, campaign, npc) for npc in library.slugs()]
        ended = sorted((n for n in found if n and n.ended_at and n.id > seen), key=lambda night: night.id)
        made = [await outcome(session, night) for night in ended]
        active = [await adapters.active_adapter(session, campaign, night.npc) for night in ended]
    for night, version, speaking in zip(ended, made, active, strict=True):
        view = _choices(version, night.npc, speaking.adapter if speaking else None, locale)
        options: dict[str, Any] = {} if view is None else {"view": view}
        text = told(night, version, library.get(night.npc).name, locale)
        await screen.send(text, allowed_mentions=discord.AllowedMentions.none(), **options)
        await rooms.set(guild_place(guild.id), "nights_told", night.id)
    return len(ended)


async def outcome(session: Any, night: NightRecord) -> Version | None:
    """What a night trained, with the gate's verdict; None where nothing was trained."""
    return await _version(session, night.campaign, night.npc, str(night.report.get("adapter") or ""))


def told(night: NightRecord, version: Version | None, name: str, locale: discord.Locale | str | None) -> str:
    """A night in a few lines: what was learnt from, and the verdict; or why nothing was."""
    if night.state != "done":
        state = night.state if night.state in {"running", "failed"} else "abandoned"
        return words(locale, f"morning.{state}", name=name, reason=night.reason[:_REASON])
    if version is None:
        return words(locale, "morning.untrained", name=name, missing=str(night.report.get("missing", ""))[:_REASON])
    counts = {"sft": 0, "pair": 0, "label": 0, **night.report.get("counts", {})}
    fields = {"lines": counts["sft"], "pairs": counts["pair"], "votes": counts["label"]}
    verdict = "morning.passed" if version.report.get("passed") else "morning.held"
    reason = str(version.report.get("reason", ""))[:_REASON]
    return words(locale, "morning.learnt", name=name, **fields) + "\n" + words(locale, verdict, reason=reason)


def _choices(version: Version | None, npc: str, active: str | None, locale: Any) -> discord.ui.View | None:
    view = discord.ui.View(timeout=None)
    free = version is not None and version.adapter != active and version.state in {"candidate", "held"}
    if version is not None and free and len(npc) + len(version.adapter) <= _ROOM:
        view.add_item(VoiceButton("promote", npc, version.adapter, words(locale, "morning.promote")))
    if active is not None:
        view.add_item(VoiceButton("undo", npc, "", words(locale, "morning.undo")))
    return view if view.children else None


@contextlib.asynccontextmanager
async def watching(stage: Stage, client: discord.Client) -> AsyncIterator[None]:
    """Look for ended nights while the bot runs."""
    task = asyncio.create_task(watch(stage, client))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
