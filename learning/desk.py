"""Candidate rows as the review desk and the night agree on them: harvested, and then as people decided.

A rejected row is not learnt from. An accepted one is; but nobody at the desk can consent for somebody
else, so what is left out for its source stays out, and only a cap gives way. The desk reaches `refresh`
through the entry point group `understudy.desk`: there is no import edge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from db.provenance import Policy
from db.queries import desk, harvest
from db.queries.desk import ACCEPTED, REJECTED, Mark
from db.queries.harvest import CandidateRecord
from learning.harvest import OVER_THE_CAP, Candidate
from learning.harvest import harvest as to_candidates

_DECIDED = {ACCEPTED: "accepted at the review desk", REJECTED: "rejected at the review desk"}


async def refresh(
    session: Any, campaign: int, npc: str, policy: Policy, now: datetime
) -> list[Candidate]:  # fmt: skip
    """Harvest an NPC's rows anew, keep what people decided, and store both."""
    heard = await harvest.heard_lines(session, campaign, npc)
    found = obey(to_candidates(heard, policy), await desk.verdicts(session, campaign, npc))
    records = [CandidateRecord(c.kind, c.source, c.line, payload(c), c.trainable, c.reason) for c in found]
    await harvest.replace_candidates(session, campaign, npc, records, now)
    return found


def obey(candidates: Iterable[Candidate], verdicts: Mapping[Mark, str]) -> list[Candidate]:
    """The rows as people decided about them."""
    return [_obeyed(c, verdicts.get(desk.mark(c.line, c.kind, payload(c)))) for c in candidates]


def _obeyed(candidate: Candidate, verdict: str | None) -> Candidate:
    if verdict == REJECTED:
        return replace(candidate, trainable=False, reason=_DECIDED[REJECTED])
    if verdict == ACCEPTED and candidate.reason == OVER_THE_CAP:
        return replace(candidate, trainable=True, reason=_DECIDED[ACCEPTED])
    return candidate


def payload(candidate: Candidate) -> dict[str, Any]:
    """What is stored of a row besides its columns."""
    return {
        "signal": candidate.signal, "completion": candidate.completion, "rejected": candidate.rejected,
        "label": candidate.label, "weight": candidate.weight, "people": list(candidate.people),
        "asked": candidate.turns[-1].text if candidate.turns else "",
    }  # fmt: skip
