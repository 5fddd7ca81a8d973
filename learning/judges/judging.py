"""Asks evaluators about lines: reasons first, then −1, 0 or +1; of two lines in both orders.

A line's score is the mean over the criteria. Of two lines one is better only if it is so in both
orders: what changes sides with the order was the order's doing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from characters.messages import Message
from learning.judges.criteria import CRITERIA, Criterion, Seen
from learning.teachers.desk import Desk
from learning.teachers.errors import Rejected
from learning.teachers.protocol import Answer, TeacherRequest, TeacherSampling

MATCHED = 1.5  # lines are of like length when the longer has at most so many times the words of the other
_VERDICT = re.compile(r"verdict[^\w+−–-]{0,6}(?P<verdict>[-−–+]?\s*[01])\b", re.IGNORECASE)
_BETTER = re.compile(r"verdict\W{0,6}(?P<verdict>first|second|tie|A|B)\b", re.IGNORECASE)
_SAMPLING = TeacherSampling(temperature=0.0, top_p=1.0, max_tokens=220, seed=1)
_BARE = re.compile(r"^\W*(?P<verdict>[-−–+]?[01])\W*$")


@dataclass(frozen=True)
class Opinion:
    """What one evaluator thinks of a line."""

    criterion: str
    reason: str
    score: int


@dataclass(frozen=True)
class Judged:
    """What all evaluators think of a line; those whose answer could not be read are missing."""

    opinions: tuple[Opinion, ...]
    calls: tuple[int, ...] = ()

    @property
    def score(self) -> float:
        """The mean, −1 to 1; 0 where nobody could be read."""
        return sum(opinion.score for opinion in self.opinions) / len(self.opinions) if self.opinions else 0.0

    def of(self, criterion: str) -> int | None:
        """One evaluator's score; None where it could not be read."""
        return next((opinion.score for opinion in self.opinions if opinion.criterion == criterion), None)


@dataclass(frozen=True)
class RuleBrief:
    """For the offline judge: a criterion's rule over one line, or over two."""

    criterion: Criterion
    seen: Seen
    other: Seen | None = None
    part: str = "rules"

    def fulfil(self) -> str:
        """Reason and verdict in the form a model is asked for."""
        reason, score = self.criterion.rule(self.seen)
        if self.other is None:
            return f"{reason} VERDICT: {score}"
        against, second = self.criterion.rule(self.other)
        better = "first" if score > second else "second" if second > score else "tie"
        return f"First: {reason} Second: {against} VERDICT: {better}"


@dataclass
class Judge:
    """Evaluators behind one desk."""

    desk: Desk
    criteria: Sequence[Criterion] = CRITERIA

    @property
    def name(self) -> str:
        """Who judges, and by what: another name has another standing."""
        return f"{self.desk.teacher.name}: {', '.join(criterion.name for criterion in self.criteria)}"

    def requests(self, lines: Sequence[Seen]) -> list[TeacherRequest]:
        """What would be asked about lines, to estimate what it costs."""
        return [_request(criterion, seen) for seen in lines for criterion in self.criteria]

    async def score(self, seen: Seen) -> Judged:
        """Ask every evaluator about a line."""
        opinions, calls = [], []
        for criterion in self.criteria:
            try:
                opinion, call = await self.desk.ask(_request(criterion, seen), _read)
            except Rejected as rejected:
                self.desk.progress.reject(f"judge: {rejected.reason}")
                continue
            opinions.append(Opinion(criterion.name, opinion[0], opinion[1]))
            calls.append(call)
        return Judged(tuple(opinions), tuple(calls))

    async def prefer(self, one: Seen, other: Seen) -> float:
        """Which of two lines is better, by every criterion in both orders.

        Returns:
            −1 to 1; above 0 the first is better.
        """
        found = []
        for criterion in self.criteria:
            try:
                forth = await self.desk.ask(_request(criterion, one, other), _read_better)
                back = await self.desk.ask(_request(criterion, other, one), _read_better)
            except Rejected as rejected:
                self.desk.progress.reject(f"judge: {rejected.reason}")
                continue
            found.append(forth if forth == -back else 0)
        return sum(found) / len(found) if found else 0.0


def like_length(one: str, other: str) -> bool:
    """Whether two lines are of like length, so that the longer is not liked for being long."""
    short, long = sorted((len(one.split()), len(other.split())))
    return long <= MATCHED * max(1, short)


def _request(criterion: Criterion, seen: Seen, other: Seen | None = None) -> TeacherRequest:
    system = (
        f"You judge lines of {seen.name}, a character in a tabletop role-playing game, by one criterion: whether "
        f"a line {criterion.wish}. Judge by nothing else; length is no merit."
    )
    dialogue = "\n".join(seen.dialogue)
    shown = f"What {seen.name} was told:\n{seen.told}\n{seen.hand}\n\nDialogue:\n{dialogue}\n\n"
    if other is None:
        shown += f"{seen.name}'s line: {seen.line}\n\n"
        wish = "Reason in one or two sentences. Then end with VERDICT: 1 (it does), 0 (neither) or -1 (it fails)."
    else:
        shown += f"First line: {seen.line}\nSecond line: {other.line}\n\n"
        wish = "Reason in one or two sentences. Then end with VERDICT: first, second or tie."
    messages = (Message("system", system), Message("user", shown + wish))
    return TeacherRequest("judge.pair" if other else "judge.line", messages, _SAMPLING,
                          brief=RuleBrief(criterion, seen, other))  # fmt: skip


def _read(answer: Answer) -> tuple[tuple[str, int], int]:
    found = [*_VERDICT.finditer(answer.text)] or [*_BARE.finditer(answer.text)]
    if not found:
        raise Rejected("no verdict")
    written = re.sub(r"[\s+]", "", found[-1]["verdict"]).replace("−", "-").replace("–", "-")
    return (answer.text[: found[-1].start()].strip(), int(written)), answer.call


def _read_better(answer: Answer) -> int:
    found = [*_BETTER.finditer(answer.text)]
    if not found:
        raise Rejected("no verdict")
    return {"first": 1, "a": 1, "second": -1, "b": -1, "tie": 0}[found[-1]["verdict"].casefold()]
