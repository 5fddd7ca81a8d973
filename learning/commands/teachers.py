"""Which teacher does a task: what the settings, or the command line, say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from learning.teachers.errors import TeacherUnset

if TYPE_CHECKING:
    from db.store import Store
    from learning.commands.place import Place
    from learning.teachers.desk import Desk
    from learning.teachers.progress import Progress
    from learning.teachers.protocol import Teacher

Task = Literal["bootstrap", "document", "clean", "judge", "grow"]
KINDS = ("offline", "local", "openai")


def teacher_for(place: Place, task: Task, kind: str | None = None) -> Teacher:
    """The teacher of a task.

    Args:
        kind: another one than the settings name.

    Raises:
        TeacherUnset: the settings lack its address or model.
    """
    chosen = kind or cast("str", getattr(place.settings.teacher, task))
    if chosen == "openai":
        return _server(place)
    if chosen == "local":
        from learning.teachers.local_teacher import LocalTeacher

        return LocalTeacher(place.engine(), place.base.name)
    from learning.teachers.offline.teacher import OfflineTeacher

    return OfflineTeacher()


def _server(place: Place) -> Teacher:
    from learning.teachers.openai_teacher import OpenAITeacher
    from learning.teachers.protocol import Prices

    told = place.settings.teacher
    for name in ("url", "model"):
        if not getattr(told, name):
            raise TeacherUnset(
                f"No teacher.{name} is set; write it under [teacher] in {place.home.settings_file}, "
                "or choose --teacher offline."
            )
    prices = Prices(told.prompt_price, told.completion_price)
    return OpenAITeacher(told.url, told.model, place.teacher_key, prices=prices, patience=told.patience)


async def open_desk(  # noqa: PLR0913  (what a run is made of)
    place: Place, store: Store, campaign: int, teacher: Teacher, run: str, progress: Progress,
    *, budget: float | None = None,
) -> Desk:  # fmt: skip
    """A desk for one run, with what may not leave the machine behind its guard.

    Raises:
        TeacherUnset: a budget was named, and no prices.
    """
    from db.provenance import Policy
    from db.queries import teaching
    from learning.commands.place import now
    from learning.teachers.desk import Desk
    from learning.teachers.guard import Guard
    from learning.teachers.protocol import NANO

    if budget is not None and teacher.remote and teacher.prices.free:
        raise TeacherUnset(
            "A budget can only be kept where prices are known; set teacher.prompt_price and teacher.completion_price."
        )
    async with store.session() as session:
        said = await teaching.everything_said(session, campaign)
    desk = Desk(
        store, teacher, campaign, run, Guard(said, Policy(place.settings.privacy.channel_text)), progress, now,
        budget=round(budget * NANO) if budget is not None else None,
        concurrency=place.settings.teacher.concurrency if teacher.remote else 1,
    )  # fmt: skip
    await desk.open()
    return desk
