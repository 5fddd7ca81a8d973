"""Conversations: each is a place with a table of its own, opened when it is first spoken in.

What is learnt is the campaign's; what was said stays in the conversation. The least used tables are
closed when there are many; what was said at them is in the database, so they open again as they were.
"""

import asyncio
import hashlib
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.api.errors import ApiError
from bot.api.host import Caller, Host
from bot.api.schemas import Player
from bot.table.limits import Limits
from bot.table.state import Hand
from bot.table.table import Seat, Table
from characters.prompt import clean_name
from db.queries import api, nights, places
from db.queries.api import player_key

SOURCE = "api"
_OPEN = 64  # tables at once
_GIVEN = re.compile(r"c-[0-9a-f]{16}")  # names we gave
_KEY = 64  # characters of a player's id that are kept as they are
_STRANGER = "Traveller"


@dataclass
class Talking:
    """A conversation that is open.

    Attributes:
        name: as the client knows it.
        turn: held by whoever speaks in it.
        waiting: how many wait for it, or hold it.
    """

    name: str
    place: str
    table: Table
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Conversations:
    """Opens conversations, and finds them again."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._open: OrderedDict[tuple[str, str], Talking] = OrderedDict()
        self._door = asyncio.Lock()

    async def campaigns(self, caller: Caller) -> list[str]:
        """The campaigns a caller may speak in, by name."""
        async with self.host.store.session() as session:
            known = list((await nights.campaigns(session)).values())
        if caller.campaign is not None:
            return [caller.campaign]
        return known or [self.host.campaign]

    async def model(self, caller: Caller, model: str) -> tuple[str, str]:
        """(campaign, NPC) of a model's name, `campaign/npc`, or `npc` in the campaign at hand.

        Raises:
            ApiError: there is no such model for this caller.
        """
        campaign, slash, npc = model.rpartition("/")
        if not slash:
            campaign = caller.campaign or self.host.campaign
        if campaign not in await self.campaigns(caller) or npc not in self.host.library.slugs():
            raise ApiError(f"There is no model {model[:100]!r} for this key; /v1/models lists them.", 404,
                           code="model_not_found")  # fmt: skip
        return campaign, npc

    async def talking(self, caller: Caller, campaign: str, place: str, seat: Seat, name: str = "") -> Talking:
        """The conversation of a place; whoever asks may sit down in it."""
        async with self._door:
            at = campaign, place
            if at not in self._open:
                self._open[at] = Talking(name, place, await self._table(campaign, place, seat))
            self._open.move_to_end(at)
            found = self._open[at]
            found.name = name or found.name
            found.waiting += 1  # before the door opens, so that it is not closed under the one who waits
            await self._close_the_least_used()
            return found

    async def _table(self, campaign: str, place: str, seat: Seat) -> Table:
        host = self.host
        table = await Table.open(
            host.store, host.engine, host.library, campaign=campaign, seat=seat, clock=host.clock, rng=host.rng,
            sampling=host.sampling, system_budget=host.system_budget, swap=host.swap, place=place, recover=False,
        )  # fmt: skip
        table.state.loaded = host.loaded
        table.state.limits = host.limits or await self._limits(campaign)
        return table

    async def _limits(self, campaign: str) -> Limits:
        """A campaign's own lines and veils; a chat server's are kept under its name."""
        async with self.host.store.session() as session:
            agreed = await places.settings(session, campaign)
        return Limits(tuple(agreed.get("lines") or ()), tuple(agreed.get("veils") or ()))

    async def hand(self, talking: Talking, caller: Caller, seat: Seat, learn: bool | None) -> Hand:
        """A player's hand at a conversation's table, with the consent that holds now."""
        table = talking.table
        person = await table.sit(seat)
        async with table.state.store.session() as session:
            await api.settle_consent(session, person.id, caller.consent, learn, table.state.clock())
        return Hand(person, SOURCE)

    async def _close_the_least_used(self) -> None:
        spare = [at for at, talking in self._open.items() if not talking.waiting]
        for at in spare[: max(0, len(self._open) - _OPEN)]:
            await _leave(self._open.pop(at))

    async def close(self) -> None:
        """Get up from all tables without ending their evenings."""
        async with self._door:
            while self._open:
                await _leave(self._open.popitem()[1])


async def _leave(talking: Talking) -> None:
    await talking.table.speaking.close()
    await talking.table.leave()


def seat_of(caller: Caller, player: Player | None, user: str | None, spoken_by: str | None) -> Seat:
    """Who speaks: the player the request names, else OpenAI's `user`, else somebody of that key.

    Args:
        spoken_by: the `name` of the message that is said now.
    """
    given = player or Player()
    shown = given.name.strip() or (spoken_by or "").strip() or _STRANGER
    who = (given.id or given.name or user or spoken_by or "player").strip() or "player"
    return Seat(clean_name(shown), player_key(caller.handle, _identity(who)), caller.role)


def _identity(who: str) -> str:
    """A player's id as it is kept: readable where it is plain, else a digest of it."""
    plain = re.sub(r"[^\w.@-]+", "-", who.casefold()).strip("-")
    same = plain == who.casefold() or plain == "-".join(who.casefold().split())
    if plain and same and len(plain) <= _KEY:
        return plain
    return "x-" + hashlib.sha256(who.encode()).hexdigest()[:16]


def place_of(caller: Caller, name: str) -> str:
    """The place of a conversation; a client's own name for it is not kept, only its digest."""
    if _GIVEN.fullmatch(name):
        return caller.prefix + name
    return f"{caller.prefix}n-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def new_name() -> str:
    """A name for a conversation the client gave none."""
    return f"c-{secrets.token_hex(8)}"


def name_of(caller: Caller, place: str) -> str:
    """The name a client may go on with; "" where it is the client's own."""
    rest = place.removeprefix(caller.prefix)
    return rest if _GIVEN.fullmatch(rest) else ""
