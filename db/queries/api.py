"""The API's keys, its players' consent, and the conversations that programs hold through it.

A key's handle stands in the keys of its players (`api:HANDLE:PLAYER`) and in the places of its
conversations (`api:HANDLE/CONVERSATION`); so one key never sees what was said with another.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from characters.errors import UnderstudyError
from db.models import ApiKeyRow, Conversation, Participant, PlaySession, SceneRow, Take, TurnRow

_TALKS = 32  # newest conversations of a key that a client's history may belong to
_TAIL = 8  # turns of each that are compared


class KeyUnknown(UnderstudyError):
    """No key, or several, go by what was given."""


@dataclass(frozen=True)
class ApiKey:
    """A key, without its secret.

    Attributes:
        handle: names it in what is logged.
        campaign: the one it may speak in; None for all.
        role: "player", or "gm" whose edits teach at once.
        consent: "given" if what its players say may be trained on, else "refused".
    """

    handle: str
    name: str
    campaign: str | None
    role: str
    consent: str
    made_at: datetime
    revoked_at: datetime | None = None


def hashed(secret: str) -> str:
    """A secret as it is kept; it has 256 random bits, so one round of a fast hash is enough."""
    return "sha256-" + hashlib.sha256(secret.encode()).hexdigest()


def place_prefix(handle: str) -> str:
    """What the places of a key's conversations begin with."""
    return f"api:{handle}/"


def player_key(handle: str, player: str) -> str:
    """The key a key's player goes by."""
    return f"api:{handle}:{player}"


async def add_key(session: AsyncSession, key: ApiKey, secret: str) -> None:
    """Keep a new key.

    Raises:
        KeyUnknown: a key of that name is in use.
    """
    taken = select(ApiKeyRow.id).where(ApiKeyRow.name == key.name, ApiKeyRow.revoked_at.is_(None))
    if await session.scalar(taken.limit(1)) is not None:
        raise KeyUnknown(f"A key named {key.name!r} is in use; choose another name, or revoke that one first.")
    session.add(ApiKeyRow(
        handle=key.handle, name=key.name, secret_hash=hashed(secret), campaign=key.campaign, role=key.role,
        consent=key.consent, made_at=key.made_at, revoked_at=None,
    ))  # fmt: skip
    await session.flush()


async def keys(session: AsyncSession) -> list[ApiKey]:
    """All keys, revoked ones included, oldest first."""
    return [_key(row) for row in await session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.id))]


async def key_of(session: AsyncSession, secret: str) -> ApiKey | None:
    """The key of a secret, if it is one that stands."""
    row = await session.scalar(
        select(ApiKeyRow).where(ApiKeyRow.secret_hash == hashed(secret), ApiKeyRow.revoked_at.is_(None))
    )
    return _key(row) if row else None


async def revoke(session: AsyncSession, wanted: str, now: datetime) -> ApiKey:
    """Revoke a key, by name or handle; it opens nothing from the next request on."""
    row = await _find(session, wanted)
    row.revoked_at = now
    return _key(row)


async def set_key_consent(session: AsyncSession, wanted: str, consent: str, now: datetime) -> ApiKey:
    """Let what a key's players said, and will say, be trained on, or not; a player's own refusal stands.

    Raises:
        KeyUnknown: there is no such key, or it is a GM's, whose edits teach by their nature.
    """
    row = await _find(session, wanted)
    if row.role == "gm" and consent != "given":
        raise KeyUnknown(f"The key {row.name!r} is a GM's and teaches by its nature; revoke it, and let `understudy "
                         f"privacy forget` take back what came with it (api:{row.handle}:…).")  # fmt: skip
    row.consent = consent
    theirs = select(Participant).where(Participant.key.startswith(player_key(row.handle, ""), autoescape=True))
    for person in await session.scalars(theirs):
        if person.consent != "refused":
            person.consent, person.consent_at = ("given" if consent == "given" else "unasked"), now
    return _key(row)


async def _find(session: AsyncSession, wanted: str) -> ApiKeyRow:
    meant = (ApiKeyRow.name == wanted) | (ApiKeyRow.handle == wanted)
    rows = list(await session.scalars(select(ApiKeyRow).where(meant, ApiKeyRow.revoked_at.is_(None))))
    if len(rows) == 1:
        return rows[0]
    if rows:
        raise KeyUnknown(f"{len(rows)} keys go by {wanted!r}; give one's handle: "
                         f"{', '.join(row.handle for row in rows)}.")  # fmt: skip
    raise KeyUnknown(f"No key in use goes by {wanted!r}; `understudy serve key list` shows them.")


async def settle_consent(session: AsyncSession, person: int, consent: str, learn: bool | None, now: datetime) -> str:
    """Bring a player's consent in line with the key's; the player's own word may only narrow it.

    Args:
        consent: the key's.
        learn: the player's own word of this request: False refuses for good, True takes a refusal
            back, None leaves it.

    Returns:
        The consent as it stands now.
    """
    row = await session.get_one(Participant, person)
    wanted = row.consent
    if learn is False:
        wanted = "refused"
    elif row.consent != "refused" or learn:
        wanted = "given" if consent == "given" else "unasked"
    if wanted != row.consent:
        row.consent, row.consent_at = wanted, now
    return wanted


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.handle, row.name, row.campaign, row.role, row.consent, row.made_at, row.revoked_at)


# --- conversations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class SaidThere:
    """A turn of a conversation, as a client may remember it.

    Attributes:
        person: the key of whoever said it; None for NPCs.
        takes: an NPC's line in all its takes that came to an end: text by number.
        cut: the kept take was cut short, so the client may have heard less of it.
    """

    id: int
    npc: str | None
    text: str
    person: str | None = None
    kept: int | None = None
    takes: tuple[tuple[int, str], ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Talk:
    """A conversation with the end of what was said in it, oldest first."""

    place: str
    tail: tuple[SaidThere, ...]


async def talks(session: AsyncSession, campaign: int, prefix: str, npc: str) -> list[Talk]:
    """The newest conversations of places that begin with `prefix` in which an NPC takes part, newest first."""
    newest = (
        select(func.max(SceneRow.id).label("scene"), PlaySession.place)
        .join(PlaySession, PlaySession.id == SceneRow.session_id)
        .where(PlaySession.campaign_id == campaign, PlaySession.stopped_at.is_(None))
        .where(PlaySession.place.startswith(prefix, autoescape=True))
        .group_by(PlaySession.id, PlaySession.place).order_by(func.max(SceneRow.id).desc()).limit(4 * _TALKS)
    )  # fmt: skip
    places = {scene: place for scene, place in (await session.execute(newest)).all()}  # noqa: C416
    there = set(await session.scalars(
        select(Conversation.scene_id).where(Conversation.scene_id.in_(places), Conversation.npc == npc)
    ))  # fmt: skip
    scenes = [scene for scene in places if scene in there][:_TALKS]
    tails = await _tails(session, scenes)
    return [Talk(places[scene], tuple(tails.get(scene, ()))) for scene in scenes]


async def tail(session: AsyncSession, scene: int) -> tuple[SaidThere, ...]:
    """The end of what was said in a scene, oldest first."""
    return tuple((await _tails(session, [scene])).get(scene, ()))


async def _tails(session: AsyncSession, scenes: Sequence[int]) -> dict[int, list[SaidThere]]:
    nth = func.row_number().over(partition_by=TurnRow.scene_id, order_by=TurnRow.ordinal.desc()).label("nth")
    wanted = (
        select(TurnRow.id, nth).where(TurnRow.scene_id.in_(scenes), TurnRow.retracted_at.is_(None))
        .where(TurnRow.out_of_character.is_(False), TurnRow.npc.is_(None) | TurnRow.kept_take_id.is_not(None))
    ).subquery()  # fmt: skip
    rows = (await session.execute(
        select(TurnRow, Participant.key).join(wanted, wanted.c.id == TurnRow.id)
        .outerjoin(Participant, Participant.id == TurnRow.participant_id)
        .where(wanted.c.nth <= _TAIL).order_by(TurnRow.ordinal)
    )).all()  # fmt: skip
    lines = [row.id for row, _ in rows if row.npc]
    takes: dict[int, list[Take]] = {}
    for take in await session.scalars(select(Take).where(Take.turn_id.in_(lines)).order_by(Take.number)):
        takes.setdefault(take.turn_id, []).append(take)
    found: dict[int, list[SaidThere]] = {}
    for row, person in rows:
        ended = [take for take in takes.get(row.id, []) if take.state in {"complete", "cut"}]
        kept = next((take for take in ended if take.id == row.kept_take_id), None)
        found.setdefault(row.scene_id, []).append(SaidThere(
            row.id, row.npc, row.text, None if row.npc else person, kept.number if kept else None,
            tuple((take.number, take.text) for take in ended), bool(kept and kept.state == "cut"),
        ))  # fmt: skip
    return found


async def place_of_line(session: AsyncSession, line: int) -> tuple[str, int] | None:
    """(place, campaign id) in which a line was said; None where there is no such line."""
    row = (await session.execute(
        select(PlaySession.place, PlaySession.campaign_id)
        .join(SceneRow, SceneRow.session_id == PlaySession.id).join(TurnRow, TurnRow.scene_id == SceneRow.id)
        .where(TurnRow.id == line, TurnRow.npc.is_not(None))
    )).first()  # fmt: skip
    return (row[0], row[1]) if row else None
