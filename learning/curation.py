"""Curating by hand: draw a question, hear the answer, keep it, correct it or reject it.

What is kept or corrected is shown to the NPC from its next line on, as an example of how it speaks,
and is a row for its training at once. What is rejected is a row that says "not like this".
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from characters.messages import Scene, Turn
from characters.prompt import Part
from db.queries import reactions, teaching
from db.store import Store
from db.values import TaughtRow
from learning.bootstrap.grid import draw
from learning.bootstrap.prompts import scene_of
from learning.harvest import too_alike
from learning.taught import Lesson, row_turns
from learning.teachers.offline.acting import play

Choice = Literal["keep", "correct", "reject"]
_TRIES = 500


@dataclass(frozen=True)
class Drawn:
    """A question out of the pool, and who asks it."""

    asker: str
    text: str

    @property
    def name(self) -> str:
        """What its rows are there once by."""
        return hashlib.sha256(self.text.casefold().encode()).hexdigest()[:12]


def questions(part: Part, rows: Sequence[TaughtRow], seed: int) -> Iterator[Drawn]:
    """Questions nobody has curated yet: those of the NPC's rows first, then ever new ones from the grid."""
    rng = random.Random(seed)
    curated = {row.origin.rpartition("/")[2].partition(".")[0] for row in rows if row.origin.startswith("curate")}
    known = [Drawn(turns[0].speaker, turns[0].text) for row in rows if len(turns := row_turns(row)) == 1]
    rng.shuffle(known)
    seen = set(curated)
    for drawn in [*known, *_from_the_grid(part, rng)]:
        if drawn.name not in seen:
            seen.add(drawn.name)
            yield drawn


def _from_the_grid(part: Part, rng: random.Random) -> Iterator[Drawn]:
    start = rng.randrange(1_000_000)
    bare = Part(part.slug, part.sheet, part.world)
    for number in range(start, start + _TRIES):
        cell = draw(number, 1, part.sheet, part.world)
        kind = cell.aim if cell.temper == "ordinary" else cell.temper
        for played in play(bare, scene_of(cell), cell.name, (kind,), number)[:1]:
            yield Drawn(cell.name, played.asked)


@dataclass(frozen=True)
class Curated:
    """What a person made of an answer; `line` is how it should have gone where it was corrected."""

    drawn: Drawn
    said: str
    choice: Choice
    line: str = ""


async def record(store: Store, campaign: int, part: Part, done: Curated, now: datetime) -> list[str]:
    """Write it down; returns what came of it: ``style example``, ``row``, ``pair``, ``label``."""
    lessons = _lessons(campaign, part, done)
    made = [{"sft": "row"}.get(lesson.kind, lesson.kind) for lesson in lessons]
    example = reactions.Taught(campaign, part.slug, done.drawn.text, done.line or done.said, "curated")
    async with store.session() as session:
        await teaching.add_rows(session, campaign, part.slug, [lesson.row() for lesson in lessons], now)
        if done.choice == "reject":
            return made
        await reactions.teach(session, example, now)
    return ["style example", *made]


def _lessons(campaign: int, part: Part, done: Curated) -> list[Lesson]:
    origin = f"curate-{campaign}-{part.slug}/{done.drawn.name}"
    turns = [Turn(done.drawn.asker, done.drawn.text)]
    scene, signal = Scene(), f"curate_{done.choice}"
    if done.choice == "reject":
        return [Lesson(origin, origin, signal, "npc", scene, turns, done.said, "the NPC", kind="label", label=False,
                       weight=2)]  # fmt: skip
    if done.choice == "keep":
        return [Lesson(origin, origin, signal, "npc", scene, turns, done.said, "the NPC, kept by a person")]
    found = [Lesson(origin, origin, signal, "gm", scene, turns, done.line, "a person", weight=3)]
    if not too_alike(done.line, done.said):
        found.append(Lesson(f"{origin}.pair", origin, signal, "gm", scene, turns, done.line, "a person", kind="pair",
                            rejected=done.said))  # fmt: skip
    return found
