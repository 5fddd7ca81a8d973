"""Runs a bootstrap: cell by cell, several at a time, until there are rows enough.

A row is written as soon as it is made, under the cell it came of; whoever runs the same again goes on
behind it. What comes to nothing is counted by its reason, and the next cell is drawn.
"""

import asyncio
import re
from dataclasses import dataclass, field

from characters.messages import Turn
from characters.prices import Price
from characters.prompt import Part, look_up
from db.queries import teaching
from learning.bootstrap.grid import Cell, draw
from learning.bootstrap.prompts import answer_request, question_request, scene_of
from learning.errors import LearningError
from learning.taught import Lesson
from learning.teachers.desk import Desk
from learning.teachers.errors import Rejected
from learning.teachers.protocol import Answer, TeacherRequest
from learning.teachers.reading import check_language, check_refusal, one_line

_LONGEST_QUESTION, _LONGEST_ANSWER = 60, 90  # words
_HOPELESS = 60  # cells in a row without a row
_DIRECTION = re.compile(r"\*[^*]+\*|^\s*[\[(][^\])]*[\])]")
_PRICE = re.compile(r"\b\d[\d,]*\s*(?:pieces? of )?(?:copper|silver|gold|platinum|[csgp]p)\b", re.IGNORECASE)


class TeacherHopeless(LearningError):
    """Nothing comes of a teacher's answers."""


@dataclass(frozen=True)
class Exchange:
    """One question and the line that answers it.

    Attributes:
        number: its place in the cell's scene.
        turns: what was said before the line, the question last.
    """

    number: int
    turns: tuple[Turn, ...]
    line: str
    made_by: str
    calls: tuple[int, ...]


@dataclass
class Bootstrap:
    """One run.

    Attributes:
        rows: how many there are to be.
    """

    desk: Desk
    part: Part
    npc: str
    rows: int
    seed: int
    _next: int = 0
    _room: int = 0
    _barren: int = 0
    _done: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Draw cells until there are rows enough.

        Raises:
            LearningError: the budget, the server, or a teacher of whom nothing comes; what there is stays.
        """
        async with self.desk.store.session() as session:
            known = await teaching.taught_rows(session, self.desk.campaign, self.npc, f"{self.desk.run}/")
        self._done = {row.origin for row in known}
        self._asked = {row.payload["turns"][-1][1].casefold() for row in known}
        self._room = self.rows - len(known)
        self.desk.progress.wanted, self.desk.progress.before = self.rows, len(known)
        workers = [asyncio.create_task(self._work()) for _ in range(self.desk.concurrency)]
        ended = await asyncio.gather(*workers, return_exceptions=True)
        if fault := next((error for error in ended if isinstance(error, BaseException)), None):
            raise fault

    async def _work(self) -> None:
        while self._room > 0:
            cell = draw(self._next, self.seed, self.part.sheet, self.part.world)
            self._next += 1
            wanted = min(cell.exchanges, self._room)
            if self._known(cell, 0):
                continue
            self._room -= wanted
            made = 0
            try:
                made = await self._scene(cell, wanted)
            except Rejected as rejected:
                self.desk.progress.reject(rejected.reason)
            finally:
                self._room += wanted - made

    async def _scene(self, cell: Cell, wanted: int) -> int:
        """Play a cell; returns how many rows were made, all of them in one transaction."""
        turns: list[Turn] = []
        exchanges: list[Exchange] = []
        try:
            for number in range(wanted):
                exchanges.append(await self._exchange(cell, turns, number))
        except Rejected as rejected:
            self._barren = 0 if exchanges else self._barren + 1
            if self._barren >= _HOPELESS:
                raise TeacherHopeless(
                    f"Of {_HOPELESS} questions in a row nothing came (the last: {rejected.reason}); "
                    "look at the model or choose another --teacher."
                ) from rejected
            if not exchanges:
                raise
            self.desk.progress.reject(rejected.reason)
        self._barren = 0
        rows = [self._lesson(cell, exchange).row() for exchange in exchanges]
        async with self.desk.store.session() as session:
            new = await teaching.add_rows(session, self.desk.campaign, self.npc, rows, self.desk.clock())
        self.desk.progress.accept(new)
        return new

    async def _exchange(self, cell: Cell, turns: list[Turn], number: int) -> Exchange:
        part, sheet = self.part, self.part.sheet
        asked, by = await self._said(question_request(part, cell, turns), cell.name, _LONGEST_QUESTION)
        if number == 0:
            if asked.casefold() in self._asked:
                raise Rejected("a question asked before", final=True)
            self._asked.add(asked.casefold())
        turns.append(Turn(cell.name, asked))
        request = answer_request(part, cell, turns)
        line, answer = await self._said(request, sheet.first_name, _LONGEST_ANSWER, cell.name)
        exchange = Exchange(number, tuple(turns), line, answer.made_by, (by.call, answer.call))
        turns.append(Turn(sheet.name, line, part.slug, look_up(part, turns)))
        return exchange

    async def _said(
        self, request: TeacherRequest, speaker: str, longest: int, other: str = ""
    ) -> tuple[str, Answer]:  # fmt: skip
        read_in = "\n".join(message.content for message in request.messages)
        like = " ".join([self.part.sheet.description, self.part.sheet.backstory, self.part.sheet.speech.voice])

        def read(answer: Answer) -> tuple[str, Answer]:
            text = one_line(answer.text, speaker)
            check_refusal(text)
            check_language(text, like)
            if len(text.split()) > longest:
                raise Rejected("too long")
            if _DIRECTION.search(text):
                raise Rejected("stage directions")
            if other:
                _check_answer(text, other, read_in)
            return text, answer

        return await self.desk.ask(request, read)

    def _known(self, cell: Cell, exchange: int) -> bool:
        return f"{self.desk.run}/{cell.number}.{exchange}" in self._done

    def _lesson(self, cell: Cell, exchange: Exchange) -> Lesson:
        """The row of an exchange; the cell is its dialogue."""
        dialogue = f"{self.desk.run}/{cell.number}"
        return Lesson(
            f"{dialogue}.{exchange.number}", dialogue, "bootstrap", self.desk.teacher.source, scene_of(cell),
            exchange.turns, exchange.line, exchange.made_by, calls=exchange.calls, more={"cell": cell.as_json()},
        )  # fmt: skip


def _check_answer(text: str, other: str, read_in: str) -> None:
    """Refuse an answer that speaks for the other, breaks off, or names a price that stands nowhere."""
    if re.search(rf"(?:^|\s){re.escape(other)}:", text):
        raise Rejected("speaks for the other")
    if text[-1].isalnum() or text[-1] in ",;:-":
        raise Rejected("breaks off in mid-sentence")
    known = {str(Price.find(found.group())) for found in _PRICE.finditer(read_in)}
    if any(str(Price.find(found.group())) not in known for found in _PRICE.finditer(text)):
        raise Rejected("a price that stands nowhere")
