"""`understudy play`: open the local table."""

import asyncio
import contextlib

import click

from bot.errors import TableError
from bot.wiring import find_house, open_table


@click.command()
@click.option("--terminal", is_flag=True, help="Play in the terminal.")
@click.option("--npc", metavar="SLUG", help="Who is there when the table opens.")
@click.option("--as", "as_name", metavar="NAME", help="Play as a player of this name instead of the GM.")
@click.option("--campaign", metavar="NAME", help="Which campaign to go on with.")
@click.option("--model", metavar="FILE", help="A GGUF to speak from instead of the starter.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines in and out (with --terminal).")
@click.option("--no-nights", is_flag=True, help="Do not run the nightly service beside the table.")
def play(  # noqa: PLR0913  (click hands over one argument an option)
    terminal: bool, npc: str | None, as_name: str | None, campaign: str | None, model: str | None,
    as_json: bool, no_nights: bool,
) -> None:  # fmt: skip
    """Open the table: talk to an NPC.

    What is typed here stays on this machine; your NPCs may learn from it.
    """
    house = find_house({"table.campaign": campaign, "engine.model": model})
    if as_name is not None and not as_name.strip():
        raise TableError("--as needs a name, such as `--as Ana`.")
    from bot.table.table import Seat

    name = house.settings.table.name
    seat = Seat(as_name.strip(), f"local:{as_name.strip().casefold()}", "player") if as_name else Seat(name)

    async def run() -> None:
        from bot.commands.beside import nights_beside
        from db.errors import StoreError

        async with open_table(house, seat, npc) as table:
            beside = contextlib.nullcontext() if no_nights else nights_beside(house, table)
            async with beside:
                if as_json:
                    from bot.terminal.json_lines import play_json

                    await play_json(table)
                else:
                    from bot.terminal.screen import Screen

                    await Screen(table, house.home.folder("logs") / "history").play()
            with contextlib.suppress(StoreError):  # all that was said is stored; who left is told by the silence too
                await table.leave()

    asyncio.run(run())
