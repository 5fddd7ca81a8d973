"""Commands typed in the studio at a table that somebody else opened."""

from pathlib import Path
from typing import cast

import pytest

from bot.studio.pages.table import Sitting
from bot.studio.studio import OpenTable as Shown
from bot.studio.studio import Stage, Studio
from bot.table.table import Seat, Table
from db.home import Home
from db.models import Feedback, Take
from db.settings import Settings
from tests.bot.conftest import NOW, OpenTable
from tests.fakes.hearing import rows, said, transcript

PLAYER = Seat("Ana", "discord:7", "player")


@pytest.fixture
async def table(open_table: OpenTable) -> Table:
    """A table whose first comer is a player, with one line said."""
    table = await open_table("Four copper.", seat=PLAYER)
    await said(table, "What does the ale cost?")
    return table


async def sitting_at(table: Table, home: Path) -> Sitting:
    """The GM's page of a table that stands elsewhere, too; what is typed as a command asks nothing of that place."""
    state = table.state
    shown = Shown("channel", "#tavern", table, stage=cast(Stage, object()))
    studio = Studio(
        state.store, state.engine, state.library, Settings(), Home(home), home, lambda: NOW, lambda: [shown]
    )
    sitting = Sitting(studio, shown)
    await sitting.start()
    return sitting


async def test_what_the_gm_types_in_the_studio_is_the_gms_whoever_opened_the_table(table: Table, home: Path) -> None:
    sitting = await sitting_at(table, home)
    for typed in ("/react 👍", "/edit Five copper.", "/say Pay first."):
        await sitting.say({"text": typed})
    gm = sitting.hand.person.id
    assert gm != table.state.person.id
    assert [(row.kind, row.participant_id) for row in await rows(table, Feedback)] == [
        (kind, gm) for kind in ("thumbs_up", "edit", "gm_line")
    ]
    assert [take.origin for take in await rows(table, Take)] == ["npc", "gm", "gm"]
    assert await transcript(table) == ["What does the ale cost?", "Five copper.", "Pay first."]


async def test_the_gm_may_type_what_an_npc_is_to_know_at_a_players_table(table: Table, home: Path) -> None:
    sitting = await sitting_at(table, home)
    await sitting.say({"text": "/npc tell mira The bridge is down."})
    assert [fact.text for fact in await table.backstage.told("mira", "bridge")] == ["The bridge is down."]
