"""Campaigns, evenings and scenes; who was there is `db.queries.presence`."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from characters.knowing import When
from characters.messages import Scene
from db.models import Campaign, Participant, PlaySession, SceneRow
from db.queries import presence
from db.values import Person


async def campaign_id(session: AsyncSession, name: str, now: datetime) -> int:
    """The campaign of a name, begun if it is new."""
    found = await session.scalar(select(Campaign.id).where(Campaign.name == name))
    if found is not None:
        return found
    row = Campaign(name=name, created_at=now)
    session.add(row)
    await session.flush()
    return row.id


async def campaign_name(session: AsyncSession, campaign: int) -> str:
    """The name of a campaign that there is."""
    return (await session.get_one(Campaign, campaign)).name


async def person(session: AsyncSession, campaign: int, key: str, name: str, role: str) -> Person:
    """The participant behind a key, made known if new; name and role follow the latest."""
    found = await session.scalar(
        select(Participant).where(Participant.campaign_id == campaign, Participant.key == key)
    )
    if found is None:
        # Text typed at the own machine is the typist's own; the page and /help say so.
        consent = "given" if key.startswith("local:") else "unasked"
        found = Participant(campaign_id=campaign, key=key, name=name, role=role, consent=consent, consent_at=None)
        session.add(found)
    found.name, found.role = name, role
    await session.flush()
    return Person(found.id, found.key, found.name, found.role, found.consent)


async def open_session(session: AsyncSession, campaign: int, place: str = "") -> int | None:
    """The evening that was begun in a place and not ended, if any."""
    return await session.scalar(
        select(PlaySession.id)
        .where(PlaySession.campaign_id == campaign, PlaySession.place == place, PlaySession.stopped_at.is_(None))
        .order_by(PlaySession.id.desc())
    )


async def start_session(session: AsyncSession, campaign: int, now: datetime, place: str = "") -> int:
    """Begin an evening."""
    row = PlaySession(campaign_id=campaign, place=place, started_at=now, stopped_at=None)
    session.add(row)
    await session.flush()
    return row.id


async def stop_session(session: AsyncSession, evening: int, now: datetime) -> None:
    """End an evening."""
    await presence.end_scenes(session, select(SceneRow.id).where(SceneRow.session_id == evening), now)
    await session.execute(update(PlaySession).where(PlaySession.id == evening).values(stopped_at=now))


async def last_scene(session: AsyncSession, evening: int) -> tuple[int, Scene] | None:
    """The scene an evening is in."""
    row = await session.scalar(
        select(SceneRow).where(SceneRow.session_id == evening).order_by(SceneRow.id.desc()).limit(1)
    )
    if row is None:
        return None
    return row.id, scene_of(row)


def scene_of(row: SceneRow) -> Scene:
    """A scene's row as the value everybody else speaks of."""
    return Scene(row.place, row.reason, row.mood, row.familiarity, date=row.date)


async def start_scene(session: AsyncSession, evening: int, scene: Scene, now: datetime) -> int:
    """Begin a scene."""
    row = SceneRow(session_id=evening, place=scene.place, reason=scene.reason, mood=scene.mood,
                   familiarity=scene.familiarity, date=scene.date, started_at=now)  # fmt: skip
    session.add(row)
    await session.flush()
    return row.id


async def change_scene(
    session: AsyncSession, evening: int, scene: Scene, people: list[str], npcs: list[str], now: datetime
) -> int:
    """Begin a scene with whoever is at the table; nobody is in an earlier one of the evening any more."""
    await presence.end_scenes(session, select(SceneRow.id).where(SceneRow.session_id == evening), now)
    scene_id = await start_scene(session, evening, scene, now)
    for kind, everybody in (("person", people), ("npc", npcs)):
        for who in everybody:
            await presence.enter(session, scene_id, who, kind, now)
    return scene_id


async def story_so_far(session: AsyncSession, campaign: int, until: int | None = None) -> When:
    """How far a campaign has come, with a scene given by the end of it: its date, and the scenes that have been."""
    wanted = (
        select(SceneRow).join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign).order_by(SceneRow.id)
    )  # fmt: skip
    if until is not None:
        wanted = wanted.where(SceneRow.id <= until)
    rows = list(await session.scalars(wanted))
    names = dict.fromkeys(name for row in rows for name in (row.place, row.reason) if name)
    return When(next((row.date for row in reversed(rows) if row.date), ""), tuple(names))


async def stories(session: AsyncSession, campaign: int) -> dict[int, When]:
    """How far the story had come by the end of each scene of a campaign."""
    rows = await session.execute(
        select(SceneRow.id, SceneRow.date, SceneRow.place, SceneRow.reason)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign).order_by(SceneRow.id)
    )  # fmt: skip
    found: dict[int, When] = {}
    known, names, newest = dict[str, None](), tuple[str, ...](), ""
    for scene, date, place, reason in rows.all():
        fresh = dict.fromkeys(name for name in (place, reason) if name and name not in known)
        if fresh:
            known |= fresh
            names = tuple(known)
        newest = date or newest
        found[scene] = When(newest, names)
    return found
