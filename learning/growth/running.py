"""Runs growth: prompt by prompt, round by round, until there are rows enough or the gate says stop.

A row is written as soon as it is made, and says which prompt it came of; whoever runs the same again
goes on behind it, with the pool as it was. Only rows of depth 0 are seeds: nothing grown is ever grown
from as a seed, and every grown row has depth 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from characters.messages import Scene, Turn
from characters.prompt import Budget, Part, Prompt
from db.queries import teaching
from db.tonight import REJECTED
from db.values import TaughtRow
from learning.errors import LearningError, NothingToLearn
from learning.filters.novelty import Novelty, NoveltyFilter
from learning.growth.answers import LIKE_ANOTHER, Answers, judged
from learning.growth.gate import Round, diversity, reason_to_stop
from learning.growth.questions import draw, fault_of, list_request, read_questions
from learning.taught import Lesson, row_turns
from learning.teachers.desk import Desk
from learning.teachers.errors import Rejected
from learning.teachers.growth_prompts import SHOWN
from learning.teachers.protocol import Answer

SIGNAL = "grow"
ROUND = 60  # accepted rows a round
_BARREN = 25  # prompts in a row of which nothing came


class GrowthStopped(LearningError):
    """The gate, or a model of whom nothing comes, ended the growth; what was accepted stays."""


@dataclass
class Growth:
    """One run.

    Attributes:
        budget: of the prompt the NPC answers by.
        asker: what the askers are called.
        rounds: those that ended in this sitting.
        grown: questions of grown rows, this sitting's and earlier ones'.
        samples: what was accepted in this sitting.
    """

    desk: Desk
    part: Part
    budget: Budget
    seed: int
    asker: str = "You"
    rounds: list[Round] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)
    samples: list[dict[str, str]] = field(default_factory=list)
    _next: int = 0
    _proposed: int = 0
    _new: list[tuple[str, float, float]] = field(default_factory=list)  # question, score, similarity

    async def open(self) -> int:
        """Read the seeds and what was grown before; returns how many rows there are.

        Raises:
            NothingToLearn: there are fewer seeds than a prompt shows.
        """
        async with self.desk.store.session() as session:
            rows = await teaching.taught_rows(session, self.desk.campaign, self.part.slug)
        wanted = [row for row in rows if row.kind == "sft" and row.trainable and row.human != REJECTED]
        seeds = [row for row in wanted if not row.payload.get("depth")]
        if len(seeds) < SHOWN:
            raise NothingToLearn(
                f"{self.part.sheet.name} has {len(seeds)} rows to grow from and needs {SHOWN}; "
                f"run `understudy teach bootstrap {self.part.slug}` first."
            )
        before = [row for row in wanted if row.payload.get("depth")]
        self.seeds, self.grown = _questions(seeds), _questions(before)
        ours = [row.payload["prompt"] for row in before if row.origin.startswith(f"{self.desk.run}/")]
        self._next = 1 + max(ours, default=-1)
        self._pool = NoveltyFilter([*self.seeds, *self.grown])
        self._answers = Answers(self.part, self.budget)
        for row in wanted:
            self._answers.add(row_turns(row)[-1].text, row.payload["completion"])
        self.desk.progress.before = len(wanted)
        return len(wanted)

    async def to(self, rows: int) -> None:
        """Grow until there are so many rows, seeds included.

        Raises:
            GrowthStopped: the gate stopped it; one sentence why.
            LearningError: the budget or the teacher.
        """
        progress, barren = self.desk.progress, 0
        progress.wanted = rows
        while progress.before + progress.accepted < rows:
            room = rows - progress.before - progress.accepted
            try:
                accepted = await self._prompt(room)
            except Rejected as rejected:
                progress.reject(rejected.reason)
                accepted = 0
            self._next += 1
            barren = 0 if accepted else barren + 1
            if barren >= _BARREN:
                self._end_round()
                raise GrowthStopped(
                    f"Growth stops at {progress.before + progress.accepted} rows: of {_BARREN} prompts in a row "
                    f"nothing came (rejected: {_reasons(progress.rejected)}); choose a larger model with --teacher."
                )
            if len(self._new) >= ROUND:
                self._end_round()
                if why := reason_to_stop(self.rounds):
                    raise GrowthStopped(f"Growth stops at {progress.before + progress.accepted} rows: {why}.")
        if self._new:
            self._end_round()

    async def _prompt(self, room: int) -> int:
        """Everything that comes of one prompt; returns how many rows."""
        drawn = draw(self._next, self.seed, self.part, self.seeds, self.grown)
        request, made = list_request(self.part, drawn, self.seed), 0
        answer = await self.desk.ask(request, lambda found: found, attempts=1)
        for place, question in enumerate(read_questions(answer)):
            if made == room:
                break
            self._proposed += 1
            try:
                made += await self._row(question, place, (answer.call,))
            except Rejected as rejected:
                self.desk.progress.reject(rejected.reason)
        return made

    async def _row(self, question: str, place: int, calls: tuple[int, ...]) -> int:
        if fault := fault_of(question):
            raise Rejected(fault)
        if not self._pool.decide(question):
            raise Rejected("question like another one")
        prompt = self._answers.prompt(self.asker, question)
        line, answer = await self._answered(question, prompt)
        novelty = self._pool.score(question)
        row = self._lesson(question, line, f"{self._next}.{place}", (*calls, answer.call), answer.made_by, novelty)
        async with self.desk.store.session() as session:
            new = await teaching.add_rows(session, self.desk.campaign, self.part.slug, [row], self.desk.clock())
        if new:
            self._join(question, line, prompt, novelty)
        return new

    async def _answered(self, question: str, prompt: Prompt) -> tuple[str, Answer]:
        request = self._answers.request(prompt, self.seed)
        answer = await self.desk.answer(request)
        try:
            return self._answers.read(answer, question, prompt), answer
        except Rejected as rejected:
            if rejected.reason != LIKE_ANOTHER:
                raise
            self.desk.progress.reject(f"{rejected.reason} (asked again)")
        answer = await self.desk.answer(self._answers.freely(request, self._next))
        return self._answers.read(answer, question, prompt), answer

    def _join(self, question: str, line: str, prompt: Prompt, novelty: Novelty) -> None:
        self._pool.add(question)
        self._answers.add(question, line)
        self.grown.append(question)
        self.samples.append({"asked": question, "line": line})
        self._new.append((question, judged(line, prompt), novelty.mean_similarity))
        self.desk.progress.accept()

    def _lesson(
        self, question: str, line: str, name: str, calls: Sequence[int], made_by: str, novelty: Novelty
    ) -> TaughtRow:
        """The row as it is stored, with its ten most similar questions as the published filter keeps them."""
        origin = f"{self.desk.run}/{name}"
        more: dict[str, Any] = {
            "prompt": self._next, "most_similar": dict(novelty.most_similar), "avg_similarity": novelty.mean_similarity,
        }  # fmt: skip
        return Lesson(
            origin, origin, SIGNAL, self.desk.teacher.source, Scene(), [Turn(self.asker, question)], line, made_by,
            calls=calls, depth=1, more=more,
        ).row()  # fmt: skip

    def _end_round(self) -> None:
        """Sum a round up and tell it."""
        count = max(1, len(self._new))
        found = Round(
            len(self.rounds) + 1, self._proposed, len(self._new), sum(score for _, score, _ in self._new) / count,
            diversity([question for question, *_ in self._new]), sum(near for *_, near in self._new) / count,
        )  # fmt: skip
        self.rounds.append(found)
        self._proposed, self._new = 0, []
        self.desk.progress.say(str(found))


def _questions(rows: Sequence[TaughtRow]) -> list[str]:
    return list(dict.fromkeys(row_turns(row)[-1].text for row in rows))


def _reasons(rejected: Any) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in rejected.most_common(3))
