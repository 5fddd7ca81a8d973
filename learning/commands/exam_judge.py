"""`understudy exam --judge`: what evaluators think of an exam's replies, beside what matchers count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from learning.exam.sitting import Opinions, Sitting

if TYPE_CHECKING:
    from db.store import Store
    from learning.commands.place import Place

_MOST = 60  # replies; a judge is slow or dear, and its interval is narrow enough by then
_ASKED_OF = ("off-distribution", "provocation", "no false refusal", "identity", "grounding")


async def with_opinions(place: Place, store: Store, campaign: int, sitting: Sitting, kind: str) -> Sitting:
    """An exam with a judge's opinion of its replies, spread evenly over the kinds of question.

    Raises:
        LearningError: the teacher that judges is not set, refuses, or does not answer.
    """
    from characters.messages import Scene, Turn
    from db.night_lock import teach_lock
    from learning.commands.place import now
    from learning.commands.teach_bootstrap import makes_way, part_of
    from learning.commands.teach_judge import FOLDER, means_of, open_judge
    from learning.commands.teachers import teacher_for
    from learning.exam.running import PLAYER
    from learning.judges import agreement
    from learning.judges.looking import seen_line
    from learning.teachers.progress import Progress

    npc = sitting.result.npc
    teacher = teacher_for(place, "judge", kind)
    marks = [mark for mark in sitting.marks if mark.item.category in _ASKED_OF and not mark.item.before]
    marks = marks[:: max(1, -(-len(marks) // _MOST))]
    progress = Progress(len(marks), say=lambda text: click.echo(f"{npc}, judge: {text}", err=True))
    try:
        part = await part_of(place, store, campaign, npc, leaves=teacher.remote)
        with teach_lock(place.home, now, "Judging", makes_way):
            judge = await open_judge(place, store, campaign, part, teacher, progress)
            judged = []
            for mark in marks:
                seen = seen_line(part, [Turn(PLAYER, mark.item.question)], Scene(present=(PLAYER,)), mark.reply)
                judged.append(await judge.score(seen))
                progress.accept()
    finally:
        await teacher.close()
    standing = agreement.known(place.home.folder(FOLDER), campaign, judge.name, npc)
    return replace(sitting, opinions=Opinions(judge.name, str(standing), standing.decides, len(judged),
                                              means_of(judge, judged)))  # fmt: skip
