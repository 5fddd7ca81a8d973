"""Places of a chat: which message carried which turn, and each place's own settings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import (
    ChatMessage,
    Feedback,
    Participant,
    PlaceSetting,
    PlaySession,
    SceneRow,
    StyleExampleRow,
    Take,
    TurnRow,
)
from db.prepared import Prepared
from db.queries import memories, reactions, secrets


@dataclass(frozen=True)
class Carried:
    """A message and the turn it carries (a part of)."""

    message: str
    place: str
    turn: int
    part: int


_NOTE = Prepared(insert(ChatMessage))


async def note_message(session: AsyncSession, message: str, place: str, turn: int, part: int = 0) -> None:
    """Remember which turn a message carries; each message is noted once."""
    await _NOTE(session, message=message, place=place, turn_id=turn, part=part)


async def carried(session: AsyncSession, message: str) -> Carried | None:
    """What a message carries, if it is one of ours."""
    row = await session.scalar(select(ChatMessage).where(ChatMessage.message == message))
    return Carried(row.message, row.place, row.turn_id, row.part) if row else None


async def messages_of(session: AsyncSession, turn: int) -> list[Carried]:
    """The messages that carry a turn, in order."""
    rows = await session.scalars(select(ChatMessage).where(ChatMessage.turn_id == turn).order_by(ChatMessage.part))
    return [Carried(row.message, row.place, row.turn_id, row.part) for row in rows]


async def newest_line(session: AsyncSession, place: str) -> int | None:
    """The newest line of an NPC that stands in a place."""
    found = select(func.max(ChatMessage.turn_id)).join(TurnRow, TurnRow.id == ChatMessage.turn_id)
    return await session.scalar(found.where(ChatMessage.place == place, TurnRow.npc.is_not(None)))


async def forget_message(session: AsyncSession, message: str) -> None:
    """Forget a message that is gone."""
    await session.execute(delete(ChatMessage).where(ChatMessage.message == message))


async def setting(session: AsyncSession, place: str, name: str) -> Any:
    """A setting of a place; None where it was never made."""
    row = await session.scalar(select(PlaceSetting).where(PlaceSetting.place == place, PlaceSetting.name == name))
    return row.value.get("is") if row else None


async def settings(session: AsyncSession, place: str) -> dict[str, Any]:
    """All settings of a place."""
    rows = await session.scalars(select(PlaceSetting).where(PlaceSetting.place == place))
    return {row.name: row.value.get("is") for row in rows}


async def set_setting(session: AsyncSession, place: str, name: str, value: Any) -> None:
    """Make a setting of a place."""
    done = await session.scalar(select(PlaceSetting.id).where(PlaceSetting.place == place, PlaceSetting.name == name))
    if done is None:
        session.add(PlaceSetting(place=place, name=name, value={"is": value}))
    else:
        await session.execute(update(PlaceSetting).where(PlaceSetting.id == done).values(value={"is": value}))


async def forget_place(session: AsyncSession, place: str) -> None:
    """Forget all settings of a place."""
    await session.execute(delete(PlaceSetting).where(PlaceSetting.place == place))


async def reword(session: AsyncSession, turn: int, text: str) -> None:
    """Let an edit of a person's own message follow into the story; one that changes nothing changes nothing here.

    What was promised in an answer was made of question and answer, and is remembered anew.
    """
    said = await _own_text(session, turn)
    if said is None or said == text:
        return
    await session.execute(update(TurnRow).where(TurnRow.id == turn).values(text=text))
    await memories.derive(session, turn)
    for line in list(await session.scalars(select(TurnRow.id).where(TurnRow.answers_id == turn).order_by(TurnRow.id))):
        await memories.derive(session, line)
    await session.execute(_quoting(turn, said).values(asked=text))
    await session.execute(_shown_for(turn, said).values(asked=text))


async def unsay(session: AsyncSession, turn: int, now: datetime) -> None:
    """Let a deletion of a message follow.

    A person's words go, also where they were kept beside, shown to an NPC or remembered; an NPC's line is out
    of the story, and no example of its manner any more.
    """
    said = await _own_text(session, turn)
    await session.execute(update(TurnRow).where(TurnRow.id == turn).values(retracted_at=now))
    await session.execute(update(TurnRow).where(TurnRow.id == turn, TurnRow.npc.is_(None)).values(text=""))
    await memories.forget_turns(session, [turn])
    await secrets.withdraw_turn(session, turn)
    if said is None:
        await reactions.unteach(session, turn)
        return
    await session.execute(_quoting(turn, said).values(asked=""))
    await session.execute(_shown_for(turn, said).values(asked="", active=False))


async def _own_text(session: AsyncSession, turn: int) -> str | None:
    """What a person said in a turn; None where it is an NPC's, or there is none."""
    text: str | None = await session.scalar(select(TurnRow.text).where(TurnRow.id == turn, TurnRow.npc.is_(None)))
    return text


def _quoting(turn: int, said: str) -> Update:
    """Feedback to answers that keeps a question; of edits only the person's words, for others are the GM's."""
    answers = select(TurnRow.id).where(TurnRow.answers_id == turn)
    return update(Feedback).where(Feedback.turn_id.in_(answers), or_(Feedback.kind != "edit", Feedback.asked == said))


def _shown_for(turn: int, said: str) -> Update:
    """Examples of an NPC's manner that keep a person's question."""
    answers = select(TurnRow.id).where(TurnRow.answers_id == turn)
    return update(StyleExampleRow).where(StyleExampleRow.turn_id.in_(answers), StyleExampleRow.asked == said)


async def expire_channel_text(session: AsyncSession, before: datetime) -> int:
    """Empty ordinary channel text that was said before a moment; returns how many turns."""
    old = list(await session.scalars(
        select(TurnRow.id).where(TurnRow.source == "channel", TurnRow.said_at < before, TurnRow.text != "")
    ))  # fmt: skip
    for turn in old:
        await unsay(session, turn, before)
    return len(old)


async def count_sources(session: AsyncSession, evening: int) -> dict[str, int]:
    """How many turns of an evening came from each source, how many are lines, and how many answered channel text."""
    here = select(SceneRow.id).where(SceneRow.session_id == evening)
    rows = await session.execute(
        select(TurnRow.source, func.count()).where(TurnRow.scene_id.in_(here)).group_by(TurnRow.source)
    )
    found = {source: count for source, count in rows.all()}  # noqa: C416
    found["lines"] = await session.scalar(
        select(func.count()).select_from(TurnRow).where(TurnRow.scene_id.in_(here), TurnRow.npc.is_not(None))
    ) or 0  # fmt: skip
    of_channel = select(TurnRow.id).where(TurnRow.source == "channel")
    found["answers to channel"] = await session.scalar(
        select(func.count()).select_from(TurnRow)
        .where(TurnRow.scene_id.in_(here), TurnRow.npc.is_not(None), TurnRow.answers_id.in_(of_channel))
    ) or 0  # fmt: skip
    return found


async def open_places(session: AsyncSession) -> list[tuple[int, str]]:
    """(campaign, place) of every evening that is open in a chat."""
    rows = await session.execute(
        select(PlaySession.campaign_id, PlaySession.place)
        .where(PlaySession.stopped_at.is_(None), PlaySession.place != "")
    )  # fmt: skip
    return [(campaign, place) for campaign, place in rows.all()]


async def set_consent(session: AsyncSession, key: str, consent: str, now: datetime) -> int:
    """Set a person's consent in every campaign they take part in; returns in how many."""
    rows = list(await session.scalars(select(Participant).where(Participant.key == key)))
    for row in rows:
        row.consent, row.consent_at = consent, now
    return len(rows)


async def take_of(session: AsyncSession, turn: int) -> int | None:
    """The take of a line the table hears now."""
    return await session.scalar(select(TurnRow.kept_take_id).where(TurnRow.id == turn))


async def texts_of_takes(session: AsyncSession, turn: int) -> list[str]:
    """The texts of a line's takes that came to an end."""
    rows = select(Take.text).where(Take.turn_id == turn, Take.state.in_(("complete", "cut"))).order_by(Take.number)
    return list(await session.scalars(rows))
