"""What an NPC goes back to is the voice that spoke before, on the same base, whichever was trained last."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db.queries import adapters, play
from db.queries.adapters import Version
from db.store import Store

NOW = datetime(2026, 5, 2, 4, 0, tzinfo=UTC)


async def spoke(session: AsyncSession, order: Sequence[int], bases: Sequence[str] = ("one", "one", "one")) -> int:
    """Three adapters are trained, and promoted in an order."""
    campaign = await play.campaign_id(session, "home", NOW)
    trained = [
        Version(f"mira-{at}", "mira", f"/{at}.gguf", base, "candidate", {}, NOW) for at, base in enumerate(bases, 1)
    ]
    for version in trained:
        await adapters.add_version(session, campaign, version)
    for hour, number in enumerate(order):
        await adapters.promote(session, campaign, trained[number - 1], NOW + timedelta(hours=hour))
    return campaign


async def states(session: AsyncSession, campaign: int) -> dict[str, str]:
    return {version.adapter: version.state for version in await adapters.versions(session, campaign)}


async def test_a_rollback_brings_the_voice_back_that_spoke_before_and_not_the_newest(store: Store) -> None:
    async with store.session() as session:
        campaign = await spoke(session, (2, 1, 3))
        assert await adapters.roll_back(session, campaign, "mira", NOW) == "mira-1"
        assert await states(session, campaign) == {"mira-1": "active", "mira-2": "retired", "mira-3": "rolled_back"}
        assert await adapters.roll_back(session, campaign, "mira", NOW) == "mira-2"
        assert await adapters.roll_back(session, campaign, "mira", NOW) is None


async def test_a_rollback_brings_no_voice_of_another_base(store: Store) -> None:
    async with store.session() as session:
        campaign = await spoke(session, (1, 2, 3), ("one", "two", "one"))
        assert await adapters.roll_back(session, campaign, "mira", NOW) == "mira-1"
        active = await adapters.active_adapter(session, campaign, "mira")
        assert active is not None
        assert active.adapter == "mira-1"
