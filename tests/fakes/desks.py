"""Desks for tests: a teacher, an open database, and a run of its own."""

from datetime import UTC, datetime

from db.provenance import Policy
from db.queries import play
from db.queries.teaching import Said
from db.store import Store
from learning.teachers.desk import Desk
from learning.teachers.guard import Guard
from learning.teachers.progress import Progress
from learning.teachers.protocol import Afford, Answer, Prices, Teacher, TeacherRequest, TeacherSource, Usage, always


def now() -> datetime:
    return datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


class ListTeacher:
    """Says what it was given, one text after the other; remembers what it was asked."""

    name, remote, prices = "list", False, Prices()
    source: TeacherSource = "teacher"

    def __init__(self, *texts: str, remote: bool = False, prices: Prices = prices) -> None:
        self.texts, self.remote, self.prices = list(texts), remote, prices
        self.asked: list[TeacherRequest] = []

    async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
        self.asked.append(request)
        return Answer(self.texts.pop(0) if self.texts else "Aye.", usage=Usage(1000, 100), made_by="list")

    async def close(self) -> None:
        """Nothing."""


async def desk_of(
    store: Store, teacher: Teacher, *, run: str = "run", said: tuple[Said, ...] = (), budget: int | None = None, progress: Progress | None = None
) -> Desk:
    async with store.session() as session:
        campaign = await play.campaign_id(session, "home", now())
    desk = Desk(store, teacher, campaign, run, Guard(said, Policy()), progress or Progress(), now, budget=budget)
    await desk.open()
    return desk
