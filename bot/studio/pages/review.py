"""The review desk's page."""

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio.faces import npc_face
from bot.studio.frame import PATIENCE, framed, gm_table
from bot.studio.pages.page import Page, What, number, text
from bot.studio.studio import OpenTable, Studio
from bot.table.practice import Practice
from bot.table.reviewing import Desk, Entry
from characters.errors import SheetError
from db.provenance import Policy
from db.tonight import ACCEPTED, REJECTED

_PAGE = 50
_REASONS = 8  # why rows are left out, the commonest first


def register(studio: Studio) -> None:
    """The page at /review."""

    @ui.page("/review", title="Review · Understudy", response_timeout=PATIENCE)
    async def page(table: str = "") -> None:
        with framed("/review", table):
            if (opened := gm_table(studio, table)) is not None:
                await Reviewing(studio, opened).show()


class Part(Element, component="../parts/review.js"):
    """The desk on the page."""


class Reviewing(Page):
    """One open desk."""

    def __init__(self, studio: Studio, opened: OpenTable) -> None:
        super().__init__()
        self.studio, self.opened = studio, opened
        self.desk = Desk(opened.table, Policy(studio.settings.privacy.channel_text))
        self._practice: Practice | None = None
        self._undoable = 0
        self._reading = False
        self.acts = {
            "opened": self.refresh, "page": self.page, "decide": self.decide, "correct": self.correct,
            "undo": self.undo, "draw": self.draw, "curate": self.curate,
        }  # fmt: skip

    async def show(self) -> None:
        """Put the desk up; what is new since the last harvest is fetched when it stands."""
        self.desk.hand = await self.studio.hand(self.opened)
        await self.desk.open()
        self._reading = bool(await self.desk.stale())
        everybody = list(self._everybody())
        word = self.opened.table.state.speaker
        who = word or (everybody[0]["slug"] if everybody else "")
        self.put(Part(), {**self._state(), "everybody": everybody, "who": who})

    def _everybody(self) -> Any:
        library = self.opened.table.state.library
        for slug in library.slugs():
            try:
                yield npc_face(slug, library.get(slug))
            except SheetError:
                continue

    def _state(self) -> What:
        entries = list(self.desk.entries.values())
        outlook = self.desk.outlook()
        trained = {one.npc for one in outlook if one.trains}
        counts = Counter(
            "left" if not entry.trains else "learn" if entry.npc in trained else "wait" for entry in entries
        )  # fmt: skip
        return {
            "top": [self._shown(self.desk.entries[key]) for key in self.desk.top if key in self.desk.entries],
            "reasons": Counter(entry.reason for entry in entries if not entry.trains).most_common(_REASONS),
            "reading": self._reading, "counts": {name: counts[name] for name in ("learn", "wait", "left")},
            "minutes": self.desk.minutes_left(), "undo": self._undoable > 0,
            "npcs": [{"slug": one.npc, "name": self._name(one.npc), "trains": one.trains, "missing": one.missing}
                     for one in outlook],
        }  # fmt: skip

    def _name(self, npc: str) -> str:
        try:
            return self.opened.table.state.library.get(npc).name
        except SheetError:
            return npc

    def _shown(self, entry: Entry) -> What:
        shown = asdict(entry)
        del shown["rows"], shown["worth"]
        return {**shown, "name": self._name(entry.npc), "why": entry.worth.why}

    def _tell(self) -> None:
        self.send({"is": "state", "state": self._state()})

    # --- doing -------------------------------------------------------------------------------

    async def refresh(self, what: What) -> None:
        try:
            await self.desk.refresh()
        finally:
            self._reading = False
            self._tell()

    async def page(self, what: What) -> None:
        npc, which, search = text(what, "npc"), text(what, "what"), text(what, "search", 200).casefold()
        offset = what.get("offset")
        start = offset if isinstance(offset, int) and offset > 0 else 0
        found = [e for e in self.desk.entries.values() if _wanted(e, npc, which, search)]
        rows = [self._shown(entry) for entry in found[start : start + _PAGE]]
        self.send({"is": "page", "page": {"rows": rows, "total": len(found), "offset": start}})

    async def decide(self, what: What) -> None:
        verdict = text(what, "verdict")
        if verdict not in {ACCEPTED, REJECTED}:
            raise TableError("A row is accepted or rejected; use 1 or 3.")
        await self.desk.decide(text(what, "key"), verdict)
        self._undoable += 1
        self._tell()

    async def correct(self, what: What) -> None:
        await self.desk.correct(text(what, "key"), text(what, "text"), text(what, "asked", 1000) or None)
        self._undoable += 1
        self._tell()

    async def undo(self, what: What) -> None:
        if await self.desk.undo() is not None:
            self._undoable -= 1
        self._tell()

    async def _practiced(self) -> Practice:
        if self._practice is None:
            self._practice = Practice(await self.studio.practice(self.opened))
        return self._practice

    async def draw(self, what: What) -> None:
        practice, npc = await self._practiced(), self.opened.table.state.library.find(text(what, "npc"))
        question = await practice.draw(npc)
        self.send({"is": "question", "asked": question, "text": "", "line": 0})
        line = await practice.answer(npc, question)
        self.send({"is": "question", "asked": question, "text": line.text, "line": line.line_id})

    async def curate(self, what: What) -> None:
        table, line = (await self._practiced()).table, number(what, "line")
        if what.get("verdict") == "edit":
            await table.edit(text(what, "text"), line)
        else:
            await table.react("👍" if what.get("verdict") == ACCEPTED else "👎", line)
        await asyncio.sleep(0)


def _wanted(entry: Entry, npc: str, which: str, search: str) -> bool:
    if npc and entry.npc != npc:
        return False
    if search and search not in f"{entry.text} {entry.asked}".casefold():
        return False
    return {
        "learn": entry.trains, "left": not entry.trains, "open": entry.human is None,
        "decided": entry.human is not None,
    }.get(which, True)  # fmt: skip
