"""The stage of the gate that counts what the table preferred blind, where it has heard both voices."""

from db.queries import votes
from learning.gate import Measure, Stage
from learning.gate.votes import NAME, votes_measure
from learning.nightly.values import Night


def blind_votes(night: Night, candidate: str, incumbent: str | None) -> Stage:
    """Votes between two voices; there are some where tonight's training came to a voice that was heard before."""

    async def count() -> list[Measure]:
        async with night.store.session() as session:
            cast = await votes.votes(session, night.campaign, night.npc)
        counted = votes.tally(cast, candidate, incumbent)
        found = votes_measure(counted.first, counted.second)
        return [found] if found else []

    return NAME, count
