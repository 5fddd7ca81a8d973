"""`/scene` and `/session`: where the story is, and when the evening begins and ends."""

from typing import Any, Literal

import discord
from discord import app_commands

from bot.discord_app.banner import banner
from bot.discord_app.catalogue import described, words
from bot.discord_app.commands.npc import anybody
from bot.discord_app.rooms import Room
from bot.discord_app.stage import Stage, stage_of
from db.queries import nights, places

Context = discord.Interaction[Any]
Field = app_commands.Range[str, 1, 200]


class SceneCommands(app_commands.Group):
    """Where, why, and in what mood."""

    def __init__(self) -> None:
        super().__init__(name="scene", description=described("cmd.scene"), guild_only=True)

    @app_commands.command(name="set", description=described("cmd.scene.set"))
    @app_commands.describe(
        place=described("opt.place"), reason=described("opt.reason"), mood=described("opt.mood"),
        familiarity=described("opt.familiarity"), date=described("opt.date"),
    )  # fmt: skip
    async def set_scene(
        self, interaction: Context, place: Field | None = None, reason: Field | None = None,
        mood: Field | None = None, familiarity: Field | None = None, date: Field | None = None,
    ) -> None:  # fmt: skip
        """Begin a new scene."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, _ = await stage.desk.sit(interaction, gm=True)
            given = {"place": place, "reason": reason, "mood": mood, "familiarity": familiarity, "date": date}
            scene = await room.table.set_scene({name: value for name, value in given.items() if value})
            shown = ", ".join(text for text in (scene.place, scene.mood) if text) or "…"
            await stage.announce(interaction.channel, f"*— {shown} —*")
            await answer.say("scene.set")

    @app_commands.command(description=described("cmd.scene.show"))
    async def show(self, interaction: Context) -> None:
        """The scene as it is."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            scene = room.table.state.scene
            fields = {name: getattr(scene, name) for name in ("place", "reason", "mood", "familiarity", "date")}
            here = ", ".join(room.table.sheet(slug).name for slug in room.table.state.present) or "–"
            rows = [f"**{answer.words('opt.' + name)}**: {value}" for name, value in fields.items() if value]
            await answer.write("\n".join([*rows, f"**{answer.words('scene.here')}**: {here}"]))

    @app_commands.command(description=described("cmd.scene.end"))
    async def end(self, interaction: Context) -> None:
        """End the scene; the NPCs leave."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, _ = await stage.desk.sit(interaction, gm=True)
            for npc in list(room.table.state.present):
                await room.table.dismiss(npc)
            await room.table.set_scene({"place": "", "reason": "", "mood": "", "familiarity": ""})
            await stage.announce(interaction.channel, "*— ❦ —*")
            await answer.say("scene.ended")


class SessionCommands(app_commands.Group):
    """The evening."""

    def __init__(self) -> None:
        super().__init__(name="session", description=described("cmd.session"), guild_only=True)

    @app_commands.command(description=described("cmd.session.start"))
    async def start(self, interaction: Context) -> None:
        """Begin the evening, and say what is stored and what is learnt."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            await stage.desk.sit(interaction, gm=True)
            await stage.announce(interaction.channel, await banner(stage, interaction))
            await answer.say("session.started")

    @app_commands.command(description=described("cmd.session.stop"))
    @app_commands.describe(learn=described("opt.learn"))
    async def stop(self, interaction: Context, learn: Literal["now", "tonight", "skip"] | None = None) -> None:
        """End the evening; the NPCs learn from it now, tonight, or not."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction) as answer:
            room, _ = await stage.desk.sit(interaction, gm=True)
            if learn is None:
                await answer.say("session.ask", stop_choices(answer.words))
                return
            await answer.write(await stop_evening(stage, room, interaction, learn))

    @app_commands.command(description=described("cmd.session.recap"))
    @app_commands.describe(name=described("opt.recap"))
    @app_commands.autocomplete(name=anybody)
    async def recap(self, interaction: Context, name: str | None = None) -> None:
        """The evening so far, by a neutral chronicler or as an NPC tells it, who knows what it witnessed."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction)
            told = await room.table.recap(room.npc(name)[0] if name else None)
            await answer.write(told or answer.words("session.nothing"))


async def stop_evening(stage: Stage, room: Room, interaction: Context, learn: str) -> str:
    """End an evening; what is to be said about it."""
    state, locale = room.table.state, interaction.locale
    async with state.store.session() as session:
        heard = await places.count_sources(session, state.evening)
        news = await nights.npcs_with_news(session, state.campaign, now=state.clock())
    begins = await room.table.stop_session(learn=learn == "now", skip=learn == "skip")
    key = "session.stopped.now_waits" if learn == "now" and not begins else f"session.stopped.{learn}"
    told = words(locale, "session.cost", lines=heard["lines"], channel=heard["answers to channel"])
    nothing = "" if news or learn == "skip" else "\n" + words(locale, "session.no_news")
    return f"{words(locale, key)}\n{told}{nothing}"


def stop_choices(say: Any) -> discord.ui.View:
    """Learn now, tonight, or skip."""
    return StopChoices(say)


class StopChoices(discord.ui.View):
    """The choice at the evening's end; it is the GM's alone, and open for a quarter of an hour."""

    def __init__(self, say: Any) -> None:
        super().__init__(timeout=840)
        for choice in ("now", "tonight", "skip"):
            self.add_item(_Choice(choice, say(f"session.choice.{choice}")))


class _Choice(discord.ui.Button[Any]):
    def __init__(self, choice: str, label: str) -> None:
        super().__init__(label=label)
        self.choice = choice

    async def callback(self, interaction: Context) -> None:
        """End the evening."""
        stage = stage_of(interaction)
        async with stage.desk.answering(interaction, defer=False):
            await interaction.response.defer()
            room, _ = await stage.desk.sit(interaction, gm=True)
            told = await stop_evening(stage, room, interaction, self.choice)
            await interaction.edit_original_response(content=told, view=None)
