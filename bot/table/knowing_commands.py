"""`/memory`, `/lore` and `/secret`, parsed once for all faces without menus of their own."""

import dataclasses
from typing import Any

from bot.errors import TableError
from bot.table.events import SecretState
from bot.table.lore import look_up
from bot.table.outputs import Ack
from bot.table.state import Hand
from bot.table.table import Table
from characters.errors import SheetError
from db.queries.memories import Remembered

HELP: tuple[tuple[str, str], ...] = (
    ("/npc tell NAME FACT", "put a fact into one NPC's head"),
    ("/memory show [NAME] [WORDS]", "what an NPC remembers · /memory edit N TEXT · /memory forget N"),
    ("/lore add FACT · /lore search WORDS", "what everybody knows; the search reads lorebooks, too"),
    ("/secret [NAME]", "what an NPC hides · /secret open N [CONDITION] · /secret keep N"),
)
_DIGITS = 9


async def tell(table: Table, words: list[str], hand: Hand) -> Ack:
    """`/npc tell NAME FACT`."""
    _need_gm(hand)
    slug, rest = _named(table, words)
    if slug is None:
        raise TableError("Say whom to tell what: `/npc tell mira The bridge is down.`")
    since, fact = _known_since(" ".join(rest))
    number = await table.backstage.tell(slug, fact, by=hand, known_since=since)
    return Ack("npc tell", f"{table.sheet(slug).name} knows it now ({number}).", {"npc": slug, "id": number})


async def memory(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    """`/memory show|edit|forget`."""
    _need_gm(hand)
    verb, others = (words[0] if words else "show"), words[1:]
    if verb == "show":
        slug, about = _named(table, others)
        npc = slug or table.state.need_speaker()
        found = await table.backstage.told(npc, " ".join(about))
        rows = [_row(one) for one in found] or ["  nothing yet"]
        head = f"{table.sheet(npc).name} remembers (newest first; * everybody knows):"
        return Ack("memory show", "\n".join([head, *rows]), {"npc": npc, "memories": [_as_json(one) for one in found]})
    if verb == "edit" and len(others) > 1:
        number = _number(others[0], "memory edit")
        changed = await table.backstage.retell(number, " ".join(others[1:]))
        return Ack("memory edit", _row(changed), {"id": number, "text": changed.text})
    if verb == "forget" and others:
        number = _number(others[0], "memory forget")
        await table.backstage.untell(number)
        return Ack("memory forget", f"Memory {number} is gone.", {"id": number})
    raise TableError("/memory knows `show [NAME] [WORDS]`, `edit N TEXT` and `forget N`.")


async def lore(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    """`/lore add|search`."""
    verb, text = (words[0] if words else ""), rest.partition(" ")[2].strip()
    if verb == "add" and text:
        _need_gm(hand)
        since, text = _known_since(text)
        number = await table.backstage.tell(None, text, by=hand, known_since=since)
        return Ack("lore add", f"Everybody knows it now ({number}).", {"id": number, "known_since": since})
    if verb == "search":
        found, written = await look_up(table.state, text, gm=hand.gm)
        rows = [*(_row(one) for one in found), *(f"        {one.line()}" for one in written)]
        data = {"lore": [_as_json(one) for one in found], "written": [dataclasses.asdict(one) for one in written]}
        return Ack("lore search", "\n".join(rows) or "Nothing of the kind.", data)
    raise TableError("/lore knows `add FACT` and `search WORDS`; `add since=DATE|SCENE; FACT` is known from then on.")


def _known_since(text: str) -> tuple[str, str]:
    """Split "since=the first of Fog; The king is dead." into when and what."""
    if not text.startswith("since="):
        return "", text
    since, _, fact = text.removeprefix("since=").partition(";")
    return since.strip(), fact.strip()


async def secret(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    """`/secret [list] [NAME]`, `/secret open N [CONDITION]`, `/secret keep N`, the last two of whoever has the word."""
    _need_gm(hand)
    verb = words[0] if words else "list"
    if verb in {"open", "keep"} and len(words) > 1:
        npc, number = table.state.need_speaker(), _number(words[1], f"secret {verb}")
        condition = " ".join(words[2:])
        changed = await (table.confiding.reveal(npc, number, condition) if verb == "open"
                         else table.confiding.close(npc, number))  # fmt: skip
        return Ack(f"secret {verb}", changed.line(whole=True), {"npc": npc, **dataclasses.asdict(changed)})
    if verb in {"open", "keep"}:
        raise TableError(f"Say which secret: `/secret {verb} 1`; `/secret` lists them.")
    slug, others = _named(table, words[1:] if verb == "list" else words)
    npc = slug or table.state.need_speaker()
    if others:
        raise TableError("/secret knows `list [NAME]`, `open N [CONDITION]` and `keep N`.")
    found = await table.confiding.secrets(npc)
    rows = "\n".join(one.line(whole=True) for one in found) or f"{table.sheet(npc).name} hides nothing."
    return Ack("secret list", rows, {"npc": npc, "secrets": secrets_json(found, whole=True)})


def secrets_json(found: tuple[SecretState, ...], *, whole: bool) -> list[dict[str, Any]]:
    """Secrets for programs; the text of what is kept only for whoever may read it."""
    return [
        {"number": one.number, "condition": one.condition, "open": one.open, "steps": list(one.steps),
         **({"text": one.text} if whole or one.open else {})}
        for one in found
    ]  # fmt: skip


def _named(table: Table, words: list[str]) -> tuple[str | None, list[str]]:
    """The NPC that is named first, by slug or by name, and the words after it."""
    for size in range(min(4, len(words)), 0, -1):
        try:
            return table.state.library.find(" ".join(words[:size])), words[size:]
        except SheetError:
            continue
    return None, words


def _need_gm(hand: Hand) -> None:
    if not hand.gm:
        raise TableError("What NPCs know and hide is the GM's; play without `--as`.")


def _number(text: str, command: str) -> int:
    if not (text.isdecimal() and len(text) <= _DIGITS):
        raise TableError(f"/{command} takes a number, not {text[:30]!r}.")
    return int(text)


def _row(one: Remembered) -> str:
    turns = f", turn {', '.join(map(str, one.turns))}" if one.turns else ""
    since = f", since {one.known_since}" if one.known_since else ""
    about = f"{one.kind}{turns}{since}{', edited' if one.edited else ''}"
    return f"{' ' if one.npc else '*'} {one.id:>4}  {one.text}  ({about})"


def _as_json(one: Remembered) -> dict[str, Any]:
    return {**dataclasses.asdict(one), "turns": list(one.turns)}
