"""Runs a document: chunk by chunk, several at a time; then what it says becomes lore.

Pairs are kept as they come, each under its chunk, so that the same command goes on where it was. Of
two pairs one is learnt by heart, with nothing at hand, and one with the chunk's fact in its prompt.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass

from characters.messages import Fact, Scene, Turn
from characters.prompt import Part
from characters.words import terms
from db.queries import teaching, told
from learning.documents.checking import check_against, check_names, clean_pair, known_names
from learning.documents.entries import Entry, entries_of
from learning.documents.prompts import LENGTHS, Counts, Variant, chunk_request, entity_request
from learning.documents.reading import Chunk
from learning.taught import Lesson
from learning.teachers.desk import Desk
from learning.teachers.errors import Rejected
from learning.teachers.protocol import Answer
from learning.teachers.reading import json_in, records

_ASKERS = ("Anna", "Bastian", "Cora", "Dorian")
_ROUNDS = 2  # a chunk whose answer was lost is asked in another variant


@dataclass
class Reading:
    """One run over a document.

    Attributes:
        desk: asks for the pairs; `cleaner`, where there is one, looks them over.
        licence: of the document; its rows say so.
    """

    desk: Desk
    part: Part
    chunks: list[Chunk]
    counts: Counts
    seed: int
    licence: str
    cleaner: Desk | None = None
    by_heart: float = 0.5
    _known: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Ask for every chunk's pairs; what is there already is not asked for again.

        Raises:
            LearningError: the budget or the server; what there is stays.
        """
        self._known = known_names(self.part, [chunk.text for chunk in self.chunks])
        async with self.desk.store.session() as session:
            rows = await teaching.taught_rows(session, self.desk.campaign, self.part.slug, f"{self.desk.run}/")
        self.desk.progress.before = len(rows)
        done = {row.payload["chunk"] for row in rows}
        left = [chunk for chunk in self.chunks if chunk.id not in done]
        work = iter(left)
        ended = await asyncio.gather(
            *(self._work(work) for _ in range(self.desk.concurrency)), return_exceptions=True
        )
        if fault := next((error for error in ended if isinstance(error, BaseException)), None):
            raise fault

    async def _work(self, work: Iterator[Chunk]) -> None:
        for chunk in work:  # one iterator, shared by all who work
            await self._chunk(chunk)

    async def _chunk(self, chunk: Chunk) -> None:
        entries = entries_of(chunk)
        for attempt in range(_ROUNDS):
            rng = random.Random(f"chunk {self.seed}/{chunk.id}/{attempt}")
            variant = Variant(rng.random() < 0.5, rng.choice(LENGTHS))
            seed = rng.randrange(1 << 30)
            request = chunk_request(self.part, chunk, tuple(entries), self.counts.draw(rng), variant, seed)
            try:
                pairs, answer = await self.desk.ask(request, _pairs)
            except Rejected as rejected:
                self.desk.progress.reject(rejected.reason)
                continue
            await self._keep(chunk, entries, variant, pairs, answer, rng)
            return

    async def _keep(
        self, chunk: Chunk, entries: list[Entry], variant: Variant, pairs: list[tuple[str, str]], answer: Answer,
        rng: random.Random,
    ) -> None:  # fmt: skip
        """All pairs of a chunk that stand up to it, in one transaction."""
        rows: list[Lesson] = []
        for number, (asked, said) in enumerate(pairs):
            try:
                question, line = await self._checked(chunk, entries, asked, said)
            except Rejected as rejected:
                self.desk.progress.reject(rejected.reason)
                continue
            dialogue = f"{self.desk.run}/{chunk.id}.{number}"
            heart = rng.random() < self.by_heart
            rows.append(Lesson(
                dialogue, dialogue, "document", self.desk.teacher.source, Scene(),
                (Turn(rng.choice(_ASKERS), question),), line, answer.made_by,
                at_hand=() if heart else facts_for(question, entries), calls=(answer.call,),
                licence=self.licence, more={"chunk": chunk.id, "where": chunk.where, "variant": str(variant)},
            ))  # fmt: skip
        async with self.desk.store.session() as session:
            stored = [row.row() for row in rows]
            new = await teaching.add_rows(session, self.desk.campaign, self.part.slug, stored, self.desk.clock())
        self.desk.progress.accept(new)

    async def _checked(self, chunk: Chunk, entries: list[Entry], asked: str, said: str) -> tuple[str, str]:
        sheet = self.part.sheet
        question, line = clean_pair(asked, said, sheet.first_name, chunk.text)
        check_names(line, self._known)
        check_against(line, f"{chunk.title}\n{chunk.text}", question, entries)
        if self.cleaner is not None:
            await self.cleaner.ask(entity_request(question, line, chunk, self.seed), _passes)
        return question, line


def facts_for(question: str, entries: list[Entry]) -> tuple[Fact, ...]:
    """What a question has at hand of its own chunk: the entries about what it names, else the first."""
    asked = set(terms(question))
    near = [entry for entry in entries if asked & set(terms(entry.subject))] or entries
    wanted = "price" if asked & {"cost", "price", "much"} else "recipe"
    ranked = sorted(near, key=lambda entry: entry.form != wanted)
    return tuple(Fact(f"document.{entry.subject}", entry.fact, "memory") for entry in ranked[:2])


async def tell_lore(desk: Desk, npc: str, chunks: list[Chunk]) -> int:
    """Put what the chunks say into the NPC's head, as facts that come to hand; returns how many are new."""
    texts = dict.fromkeys(entry.fact for chunk in chunks for entry in entries_of(chunk))
    new = 0
    async with desk.store.session() as session:
        known = {fact.text for fact in await told.known(session, desk.campaign, npc)}
        for text in reversed(list(texts)):
            if text not in known:
                await told.tell(session, desk.campaign, npc, text, desk.clock())
                new += 1
    return new


def _pairs(answer: Answer) -> tuple[list[tuple[str, str]], Answer]:
    found = records(json_in(answer.text), "question", "answer")
    return [(pair["question"], pair["answer"]) for pair in found], answer


def _passes(answer: Answer) -> None:
    """Raises Rejected where a model found an outsider; an answer without verdict passes, the rules have looked."""
    if "FAIL" in answer.text.upper().split()[-3:] or answer.text.upper().rstrip(" .!*").endswith("FAIL"):
        raise Rejected("a model found an outsider", final=True)
