"""The morning report on the GM's screen: what a night made of the evening, with *promote* and *undo*.

Nights run in a process of their own and write into tables; the bot looks there every few minutes,
and empties channel text that has had its days on the same round.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Self

import discord

from bot.discord_app import drafts
from bot.discord_app.catalogue import words
from bot.discord_app.errors import Refusal
from bot.discord_app.rooms import guild_place
from bot.discord_app.stage import Stage, stage_of
from characters.errors import UnderstudyError
from db.queries import adapters, nights, play
from db.queries.nights import NightRecord

Context = discord.Interaction[Any]
log = logging.getLogger(__name__)

LOOK = 120.0


class VoiceButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"voice:(?P<act>promote|undo):(?P<npc>[\w-]{1,40}):(?P<adapter>[\w.-]{0,40})",
):
    """Lets what the night made speak, or brings the voice before back."""

    def __init__(self, act: str, npc: str, adapter: str, label: str = "?") -> None:
        custom = f"voice:{act}:{npc[:40]}:{adapter[:40]}"
        super().__init__(discord.ui.Button(label=label, custom_id=custom))
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
            async with house.store.session() as session:
                campaign = await play.campaign_id(session, desk.rooms.campaign(guild), house.clock())
                if self.act == "undo":
                    if await adapters.active_adapter(session, campaign, self.npc) is None:
                        raise Refusal("npc.no_adapter", name=self.npc)
                    await adapters.roll_back(session, campaign, self.npc, house.clock())
                else:
                    known = await adapters.versions(session, campaign, self.npc)
                    wanted = (one for one in known if one.adapter == self.adapter)
                    version = next((one for one in wanted if one.state in {"candidate", "held"}), None)
                    if version is None:
                        raise Refusal("morning.gone")
                    await adapters.promote(session, campaign, version, house.clock())
            await answer.say(f"morning.done.{self.act}", name=self.npc)


async def watch(stage: Stage, client: discord.Client) -> None:
    """Look for nights that ended, for as long as the bot runs."""
    while True:
        await asyncio.sleep(LOOK)
        with contextlib.suppress(UnderstudyError):  # a database that is busy now is not so the next time
            await stage.desk.rooms.expire_channel_text()
        for guild in client.guilds:
            try:
                await report(stage, guild)
            except (UnderstudyError, discord.HTTPException) as error:
                log.warning("No morning report for %s: %s", guild.id, error)


async def report(stage: Stage, guild: discord.Guild) -> int:
    """Tell a server's GM of every night that ended since the last report; how many there were."""
    rooms = stage.desk.rooms
    screen = await drafts.screen(stage, guild)
    if screen is None:
        return 0
    seen = int(await rooms.setting(guild_place(guild.id), "nights_told", 0))
    library = await rooms.library(guild.id)
    async with rooms.house.store.session() as session:
        campaign = await play.campaign_id(session, rooms.campaign(guild.id), rooms.house.clock())
        found = [await nights.last_night(session, campaign, npc) for npc in library.slugs()]
        active = {npc: await adapters.active_adapter(session, campaign, npc) for npc in library.slugs()}
    ended = sorted((n for n in found if n and n.ended_at and n.id > seen), key=lambda night: night.id)
    for night in ended:
        speaking = active[night.npc]
        view = _choices(night, speaking.adapter if speaking else None, guild.preferred_locale)
        options: dict[str, Any] = {} if view is None else {"view": view}
        text = told(night, library.get(night.npc).name, guild.preferred_locale)
        await screen.send(text, allowed_mentions=discord.AllowedMentions.none(), **options)
        await rooms.set(guild_place(guild.id), "nights_told", night.id)
    return len(ended)


def told(night: NightRecord, name: str, locale: discord.Locale | str | None) -> str:
    """A night in a few lines."""
    verdict = str(night.report.get("verdict", night.state))
    reason = night.reason or str(night.report.get("reason", ""))
    return words(locale, "morning.report", name=name, verdict=verdict, reason=reason[:1500] or "–")


def _choices(night: NightRecord, active: str | None, locale: Any) -> discord.ui.View | None:
    adapter = str(night.report.get("adapter") or "")
    view = discord.ui.View(timeout=None)
    if adapter and adapter != active and len(adapter) <= 40:
        view.add_item(VoiceButton("promote", night.npc, adapter, words(locale, "morning.promote")))
    if active is not None:
        view.add_item(VoiceButton("undo", night.npc, "", words(locale, "morning.undo")))
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
