"""What a teacher is told of a chunk: how many questions, for whom, and in which of six ways.

melee-bot's variants: technical or not × lengthy, concise or neither. How many pairs are asked for is drawn
from a Gaussian that is cut off on both sides, so that chunks are not all asked the same.
"""

import json
import random
from dataclasses import dataclass
from typing import Literal

from characters.messages import Message
from characters.prompt import Part
from learning.documents.entries import Entry
from learning.documents.reading import Chunk
from learning.teachers.offline.table_reader import Told, pairs_of
from learning.teachers.protocol import TeacherRequest, TeacherSampling

Length = Literal["lengthy", "concise", ""]
LENGTHS: tuple[Length, ...] = ("lengthy", "concise", "")
_TOKENS_A_PAIR = 110
SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["pairs"],
    "properties": {"pairs": {"type": "array", "items": {
        "type": "object", "additionalProperties": False, "required": ["question", "answer"],
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    }}},
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """A clipped Gaussian: how many pairs a chunk is asked for."""

    mean: float = 3.0
    deviation: float = 3.5
    least: int = 2
    most: int = 50

    def draw(self, rng: random.Random) -> int:
        """One draw, rounded and cut off on both sides."""
        return min(self.most, max(self.least, round(rng.gauss(self.mean, self.deviation))))


@dataclass(frozen=True)
class Variant:
    """How questions and answers are to sound."""

    technical: bool
    length: Length

    def __str__(self) -> str:
        return ("technical" if self.technical else "plain") + (f", {self.length}" if self.length else "")


@dataclass(frozen=True)
class ChunkBrief:
    """For the offline teacher: what the chunk says, and how many pairs there are to be."""

    npc: Part
    entries: tuple[Entry, ...]
    count: int
    seed: int
    part: str = "table reader"

    def fulfil(self) -> str:
        """Pairs as JSON, "" where the chunk says nothing it can read."""
        told = tuple(Told(entry.form, entry.subject, entry.fact) for entry in self.entries)
        pairs = pairs_of(self.npc, told, self.count, self.seed)
        return json.dumps({"pairs": [{"question": asked, "answer": line} for asked, line in pairs]}) if pairs else ""


def chunk_request(
    part: Part, chunk: Chunk, entries: tuple[Entry, ...], count: int, variant: Variant, seed: int
) -> TeacherRequest:
    """Ask for questions and answers on a chunk."""
    sheet = part.sheet
    how = {
        "lengthy": "Answers are thorough: three to five sentences.", "concise": "Answers are one short sentence.",
        "": "Answers are one to three sentences.",
    }[variant.length]  # fmt: skip
    kind = "Questions use the craft's own terms and go into detail." if variant.technical else (
        "Questions are those of people who know nothing of it, in everyday words.")  # fmt: skip
    system = (
        f"You write questions that people put to {sheet.name}, {sheet.description}, and the answers "
        f"{sheet.first_name} gives.\nVoice of the answers: {sheet.speech.voice}\n{kind} {how} Every answer rests on "
        "the text alone and keeps its numbers, prices, names and ingredients to the letter; a recipe is given whole. "
        f"Never mention that there is a text: {sheet.first_name} simply knows it. No other people, places or works "
        "than the text's own. Each question is put in other words than the one before. "
        'Answer with JSON: {"pairs": [{"question": "…", "answer": "…"}]}'
    )
    user = f"Text, headed “{' › '.join(chunk.path)}”:\n{chunk.text}\n\nWrite {count} questions with their answers."
    sampling = TeacherSampling(temperature=0.8, max_tokens=200 + _TOKENS_A_PAIR * count, seed=seed)
    brief = ChunkBrief(Part(part.slug, sheet, part.world), entries, count, seed)
    return TeacherRequest("document.pairs", (Message("system", system), Message("user", user)), sampling, SCHEMA, brief)


def entity_request(question: str, answer: str, chunk: Chunk, seed: int) -> TeacherRequest:
    """Ask whether a pair speaks of anything the text does not: pass or fail."""
    told = (
        "Does the answer below name any person, place, work or organisation that is not in the text? Reason in one "
        f"sentence, then end with PASS if it names none, or FAIL.\n\nText:\n{chunk.text}\n\n"
        f"Question: {question}\nAnswer: {answer}"
    )
    sampling = TeacherSampling(0.0, 1.0, max_tokens=120, seed=seed)
    return TeacherRequest("document.entities", (Message("user", told),), sampling)
