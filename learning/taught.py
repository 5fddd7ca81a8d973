"""Rows that teachers made: how they are kept, and how they become candidates beside the table's own.

A row holds structure, as every row does: the turns before, the scene, the line. `at_hand` is what its
prompt is to carry: None looks it up as serving would, an empty list leaves it out, so that the line must be
known by heart.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from characters.messages import Fact, Scene, Turn
from characters.prompt import Part, look_up
from db.provenance import Policy, verdict
from db.tonight import decided
from db.values import TaughtRow
from learning.harvest import Candidate, Kind

GROWN_SHARE = 0.5  # of an NPC's taught rows, at most

Source = Literal["teacher", "offline_teacher", "imported", "gm", "npc"]


@dataclass(frozen=True)
class Lesson:
    """One row as its maker has it.

    Attributes:
        conversation: its dialogue; whole dialogues go to one split.
        turns: what was said before, oldest first; the last turn is answered.
        made_by: the model, or the offline part, that wrote the line.
        calls: ids of the requests it came of, for forgetting.
        depth: 0 for a teacher's own work, 1 for what was grown from it.
        more: what else is worth knowing of it (grid cell, chunk, scores).
    """

    origin: str
    conversation: str
    signal: str
    source: Source
    scene: Scene
    turns: Sequence[Turn]
    completion: str
    made_by: str
    kind: Kind = "sft"
    rejected: str = ""
    label: bool = True
    weight: int = 1
    at_hand: Sequence[Fact] | None = None
    calls: Sequence[int] = ()
    licence: str = ""
    depth: int = 0
    trainable: bool = True
    reason: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> TaughtRow:
        """The row as it is stored."""
        scene = {"place": self.scene.place, "reason": self.scene.reason, "mood": self.scene.mood,
                 "familiarity": self.scene.familiarity}  # fmt: skip
        payload = {
            "signal": self.signal, "conversation": self.conversation, "scene": scene,
            "turns": [[turn.speaker, turn.text, turn.npc] for turn in self.turns], "completion": self.completion,
            "rejected": self.rejected, "label": self.label, "weight": self.weight,
            "at_hand": None if self.at_hand is None else [asdict(fact) for fact in self.at_hand],
            "made_by": self.made_by, "calls": [call for call in self.calls if call], "licence": self.licence,
            "depth": self.depth, "people": [], **self.more,
        }  # fmt: skip
        return TaughtRow(self.origin, self.kind, self.source, payload, self.trainable, self.reason)


def lesson_candidates(rows: Iterable[TaughtRow], part: Part, policy: Policy) -> list[Candidate]:
    """Candidates of stored rows; a person's verdict stands above the row's own, provenance above both.

    Args:
        part: the NPC without what it learnt at the table, for what its earlier lines had at hand.
    """
    kept = list(rows)
    return _capped(kept, [_candidate(row, part, policy) for row in kept])


def _capped(rows: Sequence[TaughtRow], candidates: list[Candidate]) -> list[Candidate]:
    """Leave out grown rows beyond as many as there are others: a set that feeds on itself narrows."""
    grown = [at for at, row in enumerate(rows) if row.payload.get("depth") and candidates[at].trainable]
    others = sum(c.trainable for c in candidates if c.kind == "sft") - len(grown)
    room = others * GROWN_SHARE / (1 - GROWN_SHARE)
    over = set(sorted(grown, key=lambda at: _seed(rows[at].origin))[int(room) :])
    reason = "as many rows are grown already as may be"
    return [replace(c, trainable=False, reason=reason) if at in over else c for at, c in enumerate(candidates)]


def licences(rows: Iterable[TaughtRow]) -> dict[str, str]:
    """The licence of every conversation that came of a document."""
    return {row.payload["conversation"]: row.payload["licence"] for row in rows if row.payload.get("licence")}


def row_turns(row: TaughtRow) -> list[Turn]:
    """What was said before a stored row's line."""
    return [Turn(speaker, text, npc) for speaker, text, npc in row.payload["turns"]]


def _candidate(row: TaughtRow, part: Part, policy: Policy) -> Candidate:
    told, judged = row.payload, verdict(row.source, "unasked", policy, accepted=True)
    turns = row_turns(row)
    before = [
        Turn(turn.speaker, turn.text, turn.npc, look_up(part, turns[:at])) if turn.npc and at else turn
        for at, turn in enumerate(turns)
    ]
    wanted, why = decided(row.trainable, row.reason, row.human, taught=True)
    why = judged.reason if wanted else why
    hand = told.get("at_hand")
    return Candidate(
        row.kind, told["signal"], row.source, _seed(row.origin), told["conversation"], Scene(**told["scene"]),  # type: ignore[arg-type]  # stored as one
        tuple(before), tuple(told.get("people", ())), told["completion"], told.get("rejected", ""),
        told.get("label", True), told.get("weight", 1), judged.trainable and wanted, why,
        at_hand=None if hand is None else tuple(Fact(**fact) for fact in hand),
    )  # fmt: skip


def _seed(origin: str) -> int:
    """In place of a line's id: what seeds a row's stand-in names; negative, for it is no line of the table."""
    return -int(hashlib.sha256(origin.encode()).hexdigest()[:8], 16)
