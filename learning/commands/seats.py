"""Opens the judge of the settings for a night or a training, on connections of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from learning.commands.place import now
from learning.commands.teach_bootstrap import part_of, run_name
from learning.commands.teach_judge import FOLDER, open_judge
from learning.commands.teachers import teacher_for

if TYPE_CHECKING:
    from learning.commands.place import Place
    from learning.judges.seat import OpenSeat, Seat


def seats(place: Place, campaign: int, npc: str) -> OpenSeat:
    """What opens the judge that `teacher.judge` names, for an NPC of a campaign; its budget is this night's."""
    began = now()

    @contextlib.asynccontextmanager
    async def open_seat(criteria: str) -> AsyncIterator[Seat]:
        from db.queries import told
        from db.store import Store
        from learning.judges import agreement
        from learning.judges.seat import Seat
        from learning.teachers.progress import Progress

        store = await Store.open(place.settings.database.url or place.home.database_url)
        teacher = teacher_for(place, "judge")
        try:
            part = await part_of(place, store, campaign, npc, leaves=teacher.remote)
            run = run_name("night-judge", part, campaign, teacher.name, began)
            judge = await open_judge(place, store, campaign, part, teacher, Progress(), criteria=criteria or None,
                                     budget=place.settings.nights.judge_budget or None, run=run)  # fmt: skip
            async with store.session() as session:
                lore = [fact.text for fact in await told.known(session, campaign, npc)]
            standing = agreement.known(place.home.folder(FOLDER), campaign, judge.name, npc)
            yield Seat(judge, standing, part, lore)
        finally:
            await teacher.close()
            await store.close()

    return open_seat
