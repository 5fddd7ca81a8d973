"""`/gm`: how this server plays: the GM's screen, previews, lines and veils, who is a GM, and where the bot listens."""

from typing import Any, Literal

import discord
from discord import app_commands

from bot.discord_app.banner import listening
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import anybody, those_here
from bot.discord_app.errors import Refusal
from bot.discord_app.rooms import channel_place, guild_place
from bot.discord_app.stage import stage_of
from bot.table.limits import Limits

Context = discord.Interaction[Any]


class GmCommands(app_commands.Group):
    """The GM's own."""

    def __init__(self) -> None:
        super().__init__(name="gm", description=described("cmd.gm"), guild_only=True)

    @app_commands.command(description=described("cmd.gm.screen"))
    @app_commands.describe(channel=described("opt.channel"))
    async def screen(self, interaction: Context, channel: discord.TextChannel) -> None:
        """The private channel where drafts and morning reports go."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            assert interaction.guild is not None
            if channel.permissions_for(interaction.guild.default_role).view_channel:
                raise Refusal("gm.screen_is_public", channel=channel.mention)
            if not channel.permissions_for(interaction.guild.me).send_messages:
                raise Refusal("gm.screen_is_closed", channel=channel.mention)
            await desk.rooms.set(guild_place(interaction.guild.id), "gm_screen", channel.id)
            await answer.say("gm.screen_set", channel=channel.mention)

    @app_commands.command(description=described("cmd.gm.mode"))
    @app_commands.describe(mode=described("opt.mode"))
    async def mode(self, interaction: Context, mode: Literal["auto", "preview"]) -> None:
        """Whether lines of this channel wait for the GM."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            if mode == "preview" and not await desk.rooms.setting(guild_place(room.guild), "gm_screen"):
                raise Refusal("gm.no_screen")
            await desk.rooms.set(room.place, "mode", mode)
            await answer.say(f"gm.mode.{mode}")

    @app_commands.command(description=described("cmd.gm.listen"))
    @app_commands.describe(on=described("opt.on"))
    async def listen(self, interaction: Context, on: bool) -> None:
        """Table mode: whether ordinary messages of this channel are read."""
        stage = stage_of(interaction)
        desk = stage.desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            if on and not desk.settings.message_content:
                raise Refusal("gm.no_intent")
            await desk.rooms.set(channel_place(interaction.channel_id or 0), "listen", on)
            if on:  # whoever writes here is to know it, whenever it begins
                await stage.announce(interaction.channel, await listening(stage, interaction))
            await answer.say("gm.listening" if on else "gm.not_listening")

    @app_commands.command(description=described("cmd.gm.roles"))
    @app_commands.describe(names=described("opt.roles"))
    async def roles(self, interaction: Context, names: app_commands.Range[str, 1, 200]) -> None:
        """The names of the roles a GM has in this server."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            await desk.rooms.set(guild_place(interaction.guild_id or 0), "gm_roles", names)
            await answer.say("gm.roles_set", names=names)

    @app_commands.command(description=described("cmd.gm.limit"))
    @app_commands.describe(kind=described("opt.limit_kind"), text=described("opt.limit"))
    async def limit(
        self, interaction: Context, kind: Literal["line", "veil", "remove"], text: app_commands.Range[str, 2, 100]
    ) -> None:  # fmt: skip
        """Agree on a line (never) or a veil (not described), or take one back."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            await desk.need_gm(interaction)
            guild, text = interaction.guild_id or 0, " ".join(text.split())
            now = await desk.rooms.limits(guild)
            lines = [line for line in now.lines if line.casefold() != text.casefold()]
            veils = [veil for veil in now.veils if veil.casefold() != text.casefold()]
            if kind == "remove" and len(lines) + len(veils) == len(now.lines) + len(now.veils):
                raise Refusal("gm.no_limit")
            lines += [text] if kind == "line" else []
            veils += [text] if kind == "veil" else []
            await desk.rooms.set_limits(guild, Limits(tuple(lines), tuple(veils)))
            await answer.say("gm.limits", lines=", ".join(lines) or "–", veils=", ".join(veils) or "–")

    @app_commands.command(description=described("cmd.gm.direct"))
    @app_commands.describe(name=described("opt.npc"), direction=described("opt.direction"))
    @app_commands.autocomplete(name=those_here)
    async def direct(self, interaction: Context, name: str, direction: app_commands.Range[str, 2, 200]) -> None:
        """A stage direction for an NPC's next line."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            npc = room.table.switch(name)
            room.table.state.directions[npc] = direction.strip()
            await answer.say("gm.directed", name=room.table.sheet(npc).name)

    @app_commands.command(description=described("cmd.gm.secrets"))
    @app_commands.describe(name=described("opt.npc"), reveal=described("opt.reveal"), keep=described("opt.keep"))
    @app_commands.autocomplete(name=anybody)
    async def secrets(
        self, interaction: Context, name: str, reveal: app_commands.Range[int, 1, 99] | None = None,
        keep: app_commands.Range[int, 1, 99] | None = None,
    ) -> None:  # fmt: skip
        """What an NPC hides, for the GM's eyes alone; to let it tell one by its number, or to have it kept again."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            slug, sheet = room.npc(name)
            confiding = room.table.confiding
            if reveal is not None:
                await confiding.reveal(slug, reveal)
            if keep is not None:
                await confiding.close(slug, keep)
            rows = [f"{'🔓' if one.open else '🔒'} {one.line(whole=True)}" for one in await confiding.secrets(slug)]
            await answer.write("\n".join([f"**{sheet.name}**", *(rows or ["–"])]))
