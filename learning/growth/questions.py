"""The published mix, sampling and post-filters of Self-Instruct, with what an NPC needs instead of tasks.

As published (Wang et al. 2023 and its code): eight examples a prompt, six seeds and two machine-made
ones (fewer while there are fewer), shuffled; temperature 0.7, top-p 0.5, presence penalty 2; an answer cut
off by its length is dropped whole; a question of three words or fewer or more than 150, beginning with
punctuation or something other than ASCII, or with a blocked word is dropped. Instead of the published
blocked words, which a language model cannot draw or open, stand those that break the world: talk of
models and of things no world of ours has.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from characters.cues import cues
from characters.intents import intents
from characters.prompt import Part
from learning.teachers.errors import Rejected
from learning.teachers.growth_prompts import (
    SHOWN,
    SUBJECTS,
    WANTED,
    listed_questions,
    question_messages,
    subjects,
)
from learning.teachers.offline.asking_modern import MODERN
from learning.teachers.protocol import Answer, TeacherRequest, TeacherSampling

MACHINE_MADE = 2  # of the examples in a prompt
SAMPLING = TeacherSampling(
    temperature=0.7, top_p=0.5, presence_penalty=2.0, max_tokens=1024,
    stop=("\n\n", f"\n{SHOWN + WANTED + 1}", f"{SHOWN + WANTED + 1}.", f"{SHOWN + WANTED + 1} ."),
)  # fmt: skip
_FEWEST_WORDS, _MOST_WORDS = 4, 150
_BLOCKED = re.compile(
    r"\b(?:ai|chatbots?|language models?|prompts?|assistants?|role-?play(?:ing)?|game masters?|tokens?"
    rf"|{'|'.join(re.escape(thing) for thing in MODERN)})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Draw:
    """What one prompt shows.

    Attributes:
        number: of the prompt in its run; with the run's seed it decides everything else.
    """

    number: int
    shown: tuple[str, ...]
    about: tuple[str, ...]


def draw(number: int, seed: int, part: Part, seeds: Sequence[str], grown: Sequence[str]) -> Draw:
    """Draw the examples and subjects of a prompt.

    Args:
        seeds: questions of rows no small model had a part in.
        grown: questions that were accepted so far.
    """
    rng = random.Random(f"{seed}/{number}")
    machine = rng.sample(grown, min(MACHINE_MADE, len(grown)))
    shown = [*machine, *rng.sample(seeds, min(SHOWN - len(machine), len(seeds)))]
    rng.shuffle(shown)
    known = subjects(part)
    return Draw(number, tuple(shown), tuple(rng.sample(known, min(SUBJECTS, len(known)))))


def list_request(part: Part, drawn: Draw, seed: int) -> TeacherRequest:
    """Ask a model to go on with the list."""
    sampling = replace(SAMPLING, seed=1_000_003 * (seed + 1) + drawn.number)
    return TeacherRequest("grow.questions", question_messages(part, drawn.about, drawn.shown), sampling)


def read_questions(answer: Answer) -> list[str]:
    """The questions of an answer.

    Raises:
        Rejected: it was cut off, or holds none.
    """
    if answer.finish == "length":
        raise Rejected("list cut off by its length")
    found = listed_questions(answer.text)[:WANTED]
    if not found:
        raise Rejected("no list")
    return found


def fault_of(question: str) -> str:
    """Why a question is dropped before anybody compares it, "" where it is not."""
    words = question.split()
    if len(words) < _FEWEST_WORDS:
        return "question too short"
    if len(words) > _MOST_WORDS:
        return "question too long"
    if not question[0].isascii() or not question[0].isalnum():
        return "begins with punctuation"
    if _BLOCKED.search(question):
        return "breaks the world"
    if "?" not in question and not cues(question) and not intents(question):
        return "asks for nothing"  # a model that takes the list for talk answers it
    return ""
