"""Candidate rows as the review desk and the night agree on them: harvested, and then as people decided.

What a person's verdict changes stands in `db.tonight`. The desk reaches `refresh` through the entry point
group `understudy.desk`: there is no import edge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from db.provenance import Policy
from db.queries import desk, harvest
from db.queries.desk import Mark
from db.queries.harvest import CandidateRecord
from db.tonight import decided
from learning.harvest import Candidate
from learning.harvest import harvest as to_candidates


async def refresh(
    session: Any, campaign: int, npc: str, policy: Policy, now: datetime
) -> list[Candidate]:  # fmt: skip
    """Harvest an NPC's rows anew and store them with their own verdict; returned they are as people decided."""
    found = to_candidates(await harvest.heard_lines(session, campaign, npc), policy)
    said = await desk.verdicts(session, campaign, npc)
    records = [CandidateRecord(c.kind, c.source, c.line, payload(c), c.trainable, c.reason) for c in found]
    await harvest.replace_candidates(session, campaign, npc, records, now)
    return obey(found, said)


def obey(candidates: Iterable[Candidate], verdicts: Mapping[Mark, str]) -> list[Candidate]:
    """The rows as people decided about them."""
    return [_obeyed(c, verdicts.get(desk.mark(c.line, c.kind, payload(c)))) for c in candidates]


def _obeyed(candidate: Candidate, human: str | None) -> Candidate:
    trains, reason = decided(candidate.trainable, candidate.reason, human, taught=False)
    return replace(candidate, trainable=trains, reason=reason)


def payload(candidate: Candidate) -> dict[str, Any]:
    """What is stored of a row besides its columns."""
    return {
        "signal": candidate.signal, "completion": candidate.completion, "rejected": candidate.rejected,
        "label": candidate.label, "weight": candidate.weight, "people": list(candidate.people),
        "asked": candidate.turns[-1].text if candidate.turns else "",
    }  # fmt: skip
