"""How a client's own history joins what is kept here, so that nothing is kept twice.

Clients such as SillyTavern send the whole conversation with every request; game engines send one
message and name the conversation. Both end as one question:

- Only what comes after the client's last `assistant` message is said now, and stored.
- A history whose end is the end of a conversation kept here goes on with that conversation. All of
  it that lies before what is kept is read (`earlier`), and not stored.
- A history that ends with an NPC's line in another of its takes keeps that take.
- A history that ends one line earlier, with the question that line answers, asks for another take.
- A history that fits nothing (begun elsewhere, edited, rewound) begins a new conversation and is
  read, not stored.

System messages are left out: an NPC is who its sheet says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.api.errors import ApiError
from bot.api.schemas import ChatMessage
from characters.messages import Turn
from db.queries.api import SaidThere, Talk

_MOST_EARLIER = 200
_SURE = 2  # turns that must agree before one question is taken for another asked before


@dataclass(frozen=True)
class Brought:
    """A client's messages.

    Attributes:
        past: what was said before, oldest first.
        now: what is said now, oldest first.
    """

    past: tuple[ChatMessage, ...]
    now: tuple[ChatMessage, ...]


@dataclass(frozen=True)
class Joined:
    """What a client's messages mean here.

    Attributes:
        place: of the conversation that goes on; None begins one.
        earlier: how many messages of the past are read and not stored.
        keep: (line, take) the client went on from, where it is not the one kept here.
        another: the line that is asked for once more.
    """

    place: str | None
    earlier: int
    keep: tuple[int, int] | None = None
    another: int | None = None


def brought(messages: Sequence[ChatMessage]) -> Brought:
    """Part the past from what is said now.

    Raises:
        ApiError: nothing is said now.
    """
    said = [message for message in messages if message.role in {"user", "assistant"} and message.content.strip()]
    last = max((index for index, message in enumerate(said) if message.role == "assistant"), default=-1)
    past, now = said[: last + 1], said[last + 1 :]
    if not now:
        raise ApiError("The last message must be the user's, for there is nothing to answer; add one with some words.")
    return Brought(tuple(past), tuple(now))


def turns(past: Sequence[ChatMessage], npc: str, name: str, player: str) -> tuple[Turn, ...]:
    """The past as the NPC reads it: its own lines, and everybody else's."""
    return tuple(
        Turn(name, message.content, npc) if message.role == "assistant"
        else Turn(message.name or player, message.content)
        for message in past[-_MOST_EARLIER:]
    )  # fmt: skip


def join(said: Brought, npc: str, talks: Sequence[Talk]) -> Joined:
    """Find the conversation a history belongs to.

    Args:
        talks: the key's conversations with this NPC, newest first.
    """
    if not said.past:
        return Joined(None, 0)
    found = [(_agree(said.past, talk.tail, npc), talk) for talk in talks if talk.tail]
    going_on = max(found, key=lambda pair: pair[0], default=None)
    if going_on is not None and going_on[0]:
        overlap, talk = going_on
        return Joined(talk.place, len(said.past) - overlap, _other_take(said.past[-1], talk.tail[-1]))
    asked = (*said.past, *said.now)
    for talk in talks:
        line = talk.tail[-1] if talk.tail else None
        if line is not None and line.npc == npc and len(said.now) == 1:
            overlap = _agree(asked, talk.tail[:-1], npc)
            if overlap >= _SURE:
                return Joined(talk.place, len(asked) - overlap, another=line.id)
    return Joined(None, len(said.past))


def goes_on(said: Brought, npc: str, place: str, tail: Sequence[SaidThere]) -> Joined:
    """What messages mean in a conversation the client named: what is kept here is the history, if there is any."""
    if not tail:
        return Joined(place, len(said.past))
    found = join(said, npc, [Talk(place, tuple(tail))])
    return found if found.place else Joined(place, 0)


def _agree(past: Sequence[ChatMessage], tail: Sequence[SaidThere], npc: str) -> int:
    """How many turns agree, counted from the end; 0 where any differs in as far as both have it."""
    length = min(len(past), len(tail))
    pairs = zip(past[len(past) - length :], tail[len(tail) - length :], strict=True)
    return length if all(_same(message, turn, npc) for message, turn in pairs) else 0


def _same(message: ChatMessage, turn: SaidThere, npc: str) -> bool:
    said = _plain(message.content)
    if message.role == "user":
        return turn.npc is None and said == _plain(turn.text)
    if turn.npc != npc:
        return False
    known = {_plain(turn.text), *(_plain(text) for _, text in turn.takes)}
    return said in known or (turn.cut and _plain(turn.text).startswith(said))


def _other_take(message: ChatMessage, turn: SaidThere) -> tuple[int, int] | None:
    said = _plain(message.content)
    if said == _plain(turn.text):
        return None
    takes = [number for number, text in turn.takes if _plain(text) == said and number != turn.kept]
    return (turn.id, takes[-1]) if takes else None


def _plain(text: str) -> str:
    return " ".join(text.split())
