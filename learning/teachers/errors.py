"""What can go wrong with a teacher.

LearningError
├── TeacherRefused     it will answer nothing: key, model name, address (ends the run)
├── TeacherUnavailable it answers nothing now: overloaded, silent (ends the run, which can be gone on with)
├── BudgetReached      the next request might pass the budget (ends the run cleanly)
└── TeacherUnset       a setting is missing

Not for people, but counted by reason:

Rejected              an answer that is no use, or a request that may not be sent
TeacherBroke          no answer to one request after all tries
"""

from learning.errors import LearningError
from learning.teachers.protocol import Usage


class _Ended(LearningError):
    """A server ended the run; `usage` is what the request that met it had cost by then."""

    def __init__(self, told: str, usage: Usage = Usage()) -> None:
        super().__init__(told)
        self.usage = usage


class TeacherRefused(_Ended):
    """The server will not serve us."""


class TeacherUnavailable(_Ended):
    """The server does not serve anybody now."""


class BudgetReached(LearningError):
    """Another request might cost more than is left."""


class TeacherUnset(LearningError):
    """A setting of the teacher is missing."""


class Rejected(Exception):
    """An answer, or a request, that comes to nothing.

    Attributes:
        reason: a few words that stay the same, to be counted by.
        final: whether asking again would come to the same.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class TeacherBroke(Exception):
    """One request without an answer, and what it cost all the same."""

    def __init__(self, reason: str, usage: Usage) -> None:
        super().__init__(reason)
        self.reason = reason
        self.usage = usage
