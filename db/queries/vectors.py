"""Vectors of memories: kept beside them, gone with them, and asked which memories are like a question.

A vector is kept as 16-bit floats, of length 1. All vectors of an NPC are read for a question and compared
at once: nothing of them is held in memory between two lines, so that nothing outlives what was forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from characters.finding import Hit
from db.models import Memory, MemoryVector

_AT_ONCE = 500
_LIKEST = 20
# How far above the average of all memories, in standard deviations, one begins to be like a question, and fully is.
_BEGINS, _FULLY = 2.5, 5.0
_WORTH = 0.6  # of the fullest likeness, beside the best of the words
_HALF = 16  # memories; in a younger campaign their average says less than this
_Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Like:
    """A question's vector, and the model that made it; those of other models are not compared with it."""

    model: str
    vector: Sequence[float]


async def missing(session: AsyncSession, campaign: int, model: str, limit: int) -> list[tuple[int, str]]:
    """Memories of a campaign that have no vector of this model, newest first; summaries need none."""
    has = select(MemoryVector.memory_id).where(MemoryVector.memory_id == Memory.id, MemoryVector.model == model)
    rows = await session.execute(
        select(Memory.id, Memory.text)
        .where(Memory.campaign_id == campaign, Memory.kind != "summary", Memory.text != "", ~has.exists())
        .order_by(Memory.id.desc()).limit(limit)
    )  # fmt: skip
    return [(number, text) for number, text in rows.all()]


async def put(session: AsyncSession, model: str, made: Mapping[int, tuple[str, Sequence[float]]]) -> int:
    """Keep vectors, by memory: its text as it was read, and the vector; returns how many.

    What was forgotten or reworded in the meantime gets none.
    """
    held = select(Memory.id, Memory.text).where(Memory.id.in_(list(made))).with_for_update()
    stands = [number for number, text in (await session.execute(held)).all() if text == made[number][0]]
    await remove(session, stands)
    session.add_all(
        MemoryVector(memory_id=number, model=model, vector=np.asarray(made[number][1], "<f2").tobytes())
        for number in stands
    )
    return len(stands)


async def remove(session: AsyncSession, memories: Iterable[int]) -> None:
    """Let the vectors of memories go."""
    numbers = list(memories)
    for start in range(0, len(numbers), _AT_ONCE):
        gone = delete(MemoryVector).where(MemoryVector.memory_id.in_(numbers[start : start + _AT_ONCE]))
        await session.execute(gone, None, execution_options={"synchronize_session": False})


async def nearest(session: AsyncSession, owners: Sequence[str], like: Like) -> dict[int, float]:
    """The memories of any of the owners that are most like a question, and how much, 0 to 1."""
    rows = (await session.execute(
        select(MemoryVector.memory_id, MemoryVector.vector).join(Memory, Memory.id == MemoryVector.memory_id)
        .where(Memory.owner.in_(list(owners)), MemoryVector.model == like.model)
    )).all()  # fmt: skip
    asked = np.asarray(like.vector, np.float32)
    rows = [row for row in rows if len(row.vector) == 2 * len(asked)]
    if len(rows) < 2:
        return {}
    kept = np.frombuffer(b"".join(row.vector for row in rows), "<f2").reshape(len(rows), -1).astype(np.float32)
    near = likeness(kept, asked)
    likest = np.argsort(-near, kind="stable")[:_LIKEST]
    return {rows[at].memory_id: float(near[at]) for at in likest if near[at] > 0}


def likeness(kept: _Vectors, asked: _Vectors) -> _Vectors:
    """How much each vector (rows) is like one that is asked for, 0 to 1: by how far it stands out from all others.

    Models differ in what angle means alike, and many give every text nearly the same direction; what
    all memories have in common is taken away before they are compared.
    """
    common = kept.mean(axis=0) * (len(kept) / (len(kept) + _HALF))
    angles = _directions(kept - common) @ _directions((asked - common)[None, :])[0]
    outstanding = (angles - angles.mean()) / max(float(angles.std()), 1e-6)
    found: _Vectors = np.clip((outstanding - _BEGINS) / (_FULLY - _BEGINS), 0.0, 1.0)
    return found


def _directions(vectors: _Vectors) -> _Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: _Vectors = vectors / np.maximum(lengths, 1e-9)
    return found


def together(hits: Sequence[Hit], near: Mapping[int, float]) -> list[Hit]:
    """What full text found and what is like the question, best first: either may bring a memory."""
    if not near:
        return list(hits)
    best = max((hit.score for hit in hits), default=1.0)
    found = {hit.id: hit for hit in hits}
    joined = [
        Hit(number, (hit.score if hit else 0.0) + _WORTH * best * near.get(number, 0.0),
            max(hit.share if hit else 0.0, near.get(number, 0.0)), hit.words if hit else ())
        for number in {**found, **near} for hit in [found.get(number)]
    ]  # fmt: skip
    return sorted(joined, key=lambda hit: (-hit.score, -hit.id))
