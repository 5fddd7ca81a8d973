"""`/npc tell`, `improvise`, `compare` and `rollback`: what the GM does to NPCs."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import drafts
from bot.discord_app.catalogue import described
from bot.discord_app.commands.npc import anybody, those_here
from bot.discord_app.desk import Answer
from bot.discord_app.errors import Refusal
from bot.discord_app.stage import stage_of
from bot.table import improvise as making
from db.queries import adapters

Context = discord.Interaction[Any]


@app_commands.command(name="tell", description=described("cmd.npc.tell"))
@app_commands.describe(name=described("opt.npc"), fact=described("opt.fact"), since=described("opt.since"))
@app_commands.autocomplete(name=anybody)
async def tell(
    interaction: Context, name: str, fact: app_commands.Range[str, 3, 500],
    since: app_commands.Range[str, 2, 100] | None = None,
) -> None:  # fmt: skip
    """Put a fact into one head."""
    desk = stage_of(interaction).desk
    async with desk.answering(interaction) as answer:
        room, hand = await desk.sit(interaction, gm=True)
        npc, sheet = room.npc(name)
        await room.table.backstage.tell(npc, fact, by=hand, known_since=since or "")
        await answer.say("npc.told", name=sheet.name)


@app_commands.command(name="improvise", description=described("cmd.npc.improvise"))
@app_commands.describe(who=described("opt.who"))
async def improvise(interaction: Context, who: app_commands.Range[str, 3, 120]) -> None:
    """Make an NPC up and bring it in."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction, gm=True)
        state = room.table.state
        somebody = state.library.get(state.speaker or stage.desk.rooms.house.settings.table.npc)
        slug, sheet = making.improvise(who, somebody.world, state.library, state.rng)
        await stage.desk.rooms.add_improvised(room.guild, slug, sheet)
        await room.table.summon(slug)
        room.partner[hand.person.key] = slug
        await answer.say("npc.improvised", keeping(answer, slug), name=sheet.name, about=sheet.description)


def keeping(answer: Answer, slug: str) -> discord.ui.View:
    """A button that keeps an improvised NPC as a draft sheet."""
    view = discord.ui.View(timeout=3600)
    view.add_item(_Keep(answer.words("npc.keep"), slug))
    return view


class _Keep(discord.ui.Button[Any]):
    def __init__(self, label: str, slug: str) -> None:
        super().__init__(label=label, emoji="📌")
        self.slug = slug

    async def callback(self, interaction: Context) -> None:
        """Write the draft."""
        desk = stage_of(interaction).desk
        async with desk.answering(interaction) as answer:
            room, _ = await desk.sit(interaction, gm=True)
            path = making.keep(room.table.sheet(self.slug), self.slug, desk.home / "sheets")
            await answer.say("npc.kept", file=path.name)


@app_commands.command(name="compare", description=described("cmd.npc.compare"))
@app_commands.describe(name=described("opt.npc"))
@app_commands.autocomplete(name=those_here)
async def compare(interaction: Context, name: str | None = None) -> None:
    """Yesterday's voice against tonight's, blind."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, _ = await stage.desk.sit(interaction, gm=True)
        if name is not None and room.npc(name)[0] != (await room.table.correcting.line(None)).npc:
            raise Refusal("npc.compare_newest")
        await drafts.taste(stage, room, interaction.channel)
        await answer.say("npc.compared")


@app_commands.command(name="banter", description=described("cmd.npc.banter"))
@app_commands.describe(
    first=described("opt.npc"), second=described("opt.npc"), about=described("opt.about"), turns=described("opt.turns")
)
@app_commands.autocomplete(first=those_here, second=those_here)
async def banter(
    interaction: Context, first: str, second: str, about: app_commands.Range[str, 2, 300],
    turns: app_commands.Range[int, 2, 6] = 4,
) -> None:  # fmt: skip
    """Let two NPCs talk with each other, for so many lines; hush ends it."""
    stage = stage_of(interaction)
    async with stage.desk.answering(interaction) as answer:
        room, hand = await stage.desk.sit(interaction, gm=True)
        pair = [room.table.switch(first), room.table.switch(second)]
        if pair[0] == pair[1]:
            raise Refusal("npc.banter_alone")
        opening = await room.table.hear(about, to=pair[0], by=hand)
        said = await stage.banter(room, interaction.channel, pair, opening.turn, turns)
        await answer.say("npc.bantered", count=said)


@app_commands.command(name="rollback", description=described("cmd.npc.rollback"))
@app_commands.describe(name=described("opt.npc"))
@app_commands.autocomplete(name=anybody)
async def rollback(interaction: Context, name: str) -> None:
    """Bring the voice before the last promotion back."""
    desk = stage_of(interaction).desk
    async with desk.answering(interaction) as answer:
        room, _ = await desk.sit(interaction, gm=True)
        (npc, sheet), state = room.npc(name), room.table.state
        async with state.store.session() as session:
            if await adapters.active_adapter(session, state.campaign, npc) is None:
                raise Refusal("npc.no_adapter", name=sheet.name)
            before = await adapters.roll_back(session, state.campaign, npc, state.clock())
        await answer.say("npc.rolled_back", name=sheet.name, adapter=before or "–")


GM_COMMANDS: tuple[Any, ...] = (tell, improvise, banter, compare, rollback)
