"""The NPC's own answers to grown questions: asked for as serving asks, and filtered.

As published: temperature 0, presence penalty 1.5; dropped where empty, cut off, equal to the question, or
ending on a colon. Voices repeat themselves by design, so an answer is compared only with answers to the
same thing (what the question calls for), and at 0.85, not 0.7. A price that stands nowhere in the
prompt is dropped too: a small model invents numbers readily, and would be taught its own.

One thing is not as published: an answer that is like another one is drawn once more, with chance. A small model has one
likeliest answer to everything of a kind, and every third of its new questions was lost to that
(learning/EXPERIMENTS.md, 23).
"""

import re
from dataclasses import replace

from characters.inference.stopping import loops
from characters.intents import intents
from characters.messages import Turn
from characters.prices import Price
from characters.prompt import Budget, Part, Prompt, build_prompt
from characters.words import terms
from learning.filters.novelty import NoveltyFilter
from learning.teachers.errors import Rejected
from learning.teachers.protocol import Answer, TeacherRequest, TeacherSampling
from learning.teachers.reading import check_language, check_refusal, one_line

ANSWER_THRESHOLD = 0.85
LIKE_ANOTHER = "answer like another one to the same thing"
_MOST_WORDS = 90
_FREELY = 0.7
_PRICE = re.compile(r"\b\d[\d,]*\s*(?:pieces? of )?(?:copper|silver|gold|platinum|[csgp]p)\b", re.IGNORECASE)


class Answers:
    """Asks for lines and keeps those of one cluster apart from each other.

    Args:
        budget: of the serving prompt.
    """

    def __init__(self, part: Part, budget: Budget) -> None:
        self.part, self._budget = part, budget
        self._clusters: dict[str, NoveltyFilter] = {}

    def add(self, question: str, line: str) -> None:
        """Let a line join the cluster of its question."""
        self._cluster(question).add(line)

    def prompt(self, asker: str, question: str) -> Prompt:
        """What the NPC reads before it answers, without the template."""
        return build_prompt(self.part, [Turn(asker, question)], budget=self._budget)

    def request(self, prompt: Prompt, seed: int) -> TeacherRequest:
        """Ask for a line."""
        sampling = TeacherSampling(temperature=0.0, top_p=1.0, presence_penalty=1.5, max_tokens=self._budget.reply,
                                   stop=prompt.stop, seed=seed)  # fmt: skip
        return TeacherRequest("grow.answer", prompt.messages, sampling)

    def freely(self, request: TeacherRequest, seed: int) -> TeacherRequest:
        """Ask for a line once more, not for the likeliest."""
        again = request.again()
        return replace(again, sampling=replace(again.sampling, temperature=_FREELY, seed=seed))

    def read(self, answer: Answer, question: str, prompt: Prompt) -> str:
        """The line of an answer.

        Raises:
            Rejected: it is dropped; the reason.
        """
        if answer.finish == "length":
            raise Rejected("answer cut off by its length", final=True)
        line = one_line(answer.text, self.part.sheet.first_name)
        check_refusal(line)
        check_language(line, self.part.sheet.speech.voice)
        if fault := self._fault(line, question, prompt):
            raise Rejected(fault, final=True)
        return line

    def _fault(self, line: str, question: str, prompt: Prompt) -> str:
        if line.casefold().strip(" .?!") == question.casefold().strip(" .?!"):
            return "answer repeats the question"
        if line.endswith(":") or len(line.split()) > _MOST_WORDS or loops(line):
            return "answer without form"
        read = " ".join(message.content for message in prompt.messages)
        known = {str(Price.find(found.group())) for found in _PRICE.finditer(read)}
        if any(str(Price.find(found.group())) not in known for found in _PRICE.finditer(line)):
            return "a price that stands nowhere"
        return "" if self._cluster(question).decide(line) else LIKE_ANOTHER

    def _cluster(self, question: str) -> NoveltyFilter:
        prompt = self.prompt("You", question)
        called_for = next((fact.key for fact in prompt.at_hand if fact.source != "style"), "")
        name = called_for or ",".join(sorted(intents(question)))
        return self._clusters.setdefault(name, NoveltyFilter(threshold=ANSWER_THRESHOLD))


def judged(line: str, prompt: Prompt) -> float:
    """A rule's score of a line that was kept: 1 where it takes up a fact at hand, −1 where it passes it by.

    Where nothing is at hand a rule cannot tell, which counts as 0.
    """
    facts = {term for fact in prompt.at_hand if fact.source not in {"style", "direction"} for term in terms(fact.text)}
    if not facts:
        return 0.0
    return 1.0 if facts & set(terms(line)) else -1.0
