"""The offline teacher behind the teacher protocol: it answers briefs, not texts.

Every answer says which of its parts made it: the *generator* (conversations from grammars), the
*table reader* (questions and answers from a document's own lists and tables) or the *rules* (verdicts by
matching). None of them is a model, and nothing leaves the program.
"""

from typing import Protocol

from learning.teachers.errors import Rejected
from learning.teachers.protocol import Afford, Answer, Prices, TeacherRequest, TeacherSource, Usage, always

VERSION = 1  # counted up when its answers change: what was kept of an earlier one is then asked anew


class Brief(Protocol):
    """A wish the offline teacher can fulfil."""

    @property
    def part(self) -> str:
        """What fulfils it: generator, table reader or rules."""

    def fulfil(self) -> str:
        """The answer in the form the request asks for, or "" where the part has none."""


class OfflineTeacher:
    """Answers from briefs."""

    name = f"offline {VERSION}"
    source: TeacherSource = "offline_teacher"
    remote = False
    prices = Prices()

    async def complete(self, request: TeacherRequest, afford: Afford = always) -> Answer:
        """Answer a request; see `Teacher.complete`.

        Raises:
            Rejected: this part of it has no answer.
        """
        brief: Brief | None = request.brief
        if brief is None:
            raise Rejected("the offline teacher cannot do this", final=True)
        text = brief.fulfil()
        if not text:
            raise Rejected(f"the {brief.part} has no answer", final=True)
        return Answer(text, "stop", Usage(0, 0), brief.part)

    async def close(self) -> None:
        """Nothing to give back."""
