"""The page of the characters: a checked editor, the NPC beside it, and the door for cards."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio import record
from bot.studio.faces import face, npc_face
from bot.studio.files import MOST_CARD, home_world
from bot.studio.frame import PATIENCE, framed, gm_table
from bot.studio.pages.page import Page, What, text
from bot.studio.studio import OpenTable, Studio
from bot.table import nights as voices
from bot.table.importing import free_slug
from bot.table.practice import sheet_questions
from bot.table.sheets import KINDS, template
from bot.table.trying import try_out
from characters.errors import SheetError
from characters.files import write_whole
from characters.library import MAX_BYTES, SHIPPED, is_slug
from characters.messages import Turn
from characters.sheet_text import read_sheet_text, remarks

_MOST_TURNS = 12


def register(studio: Studio) -> None:
    """The page at /characters."""

    @ui.page("/characters", title="Characters · Understudy", response_timeout=PATIENCE)
    async def page(npc: str = "", table: str = "") -> None:
        with framed("/characters", table):
            if (opened := gm_table(studio, table)) is not None:
                Characters(studio, opened).show(npc)


class Part(Element, component="../parts/characters.js"):
    """The workshop on the page."""


class Characters(Page):
    """One open workshop."""

    def __init__(self, studio: Studio, opened: OpenTable) -> None:
        super().__init__()
        self.studio, self.opened, self.state = studio, opened, opened.table.state
        self.acts = {
            "open": self.open, "check": self.check, "save": self.save, "new": self.new, "try": self.attempt,
            "came": self.came,
        }  # fmt: skip

    def show(self, npc: str) -> None:
        """Put the workshop up."""
        everybody = self._everybody()
        slug = npc or self.state.speaker or ""
        known = {one["slug"] for one in everybody}
        start = {"everybody": everybody, "kinds": list(KINDS), "slug": slug if slug in known else "", "most": MOST_CARD}
        self.put(Part(), start)

    def _everybody(self) -> list[What]:
        library, found = self.state.library, []
        for slug in library.slugs():
            try:
                own = self._own(library.path(slug))
                shown = npc_face(slug, library.get(slug), self.studio.home.root)
            except SheetError:
                own, shown = True, {"slug": slug, "broken": True, **face(slug)}
            found.append({**shown, "own": own})
        return found

    def _own(self, path: Path) -> bool:
        return not path.is_relative_to(SHIPPED)

    def _slug(self, what: What) -> str:
        slug = text(what, "slug", 100)
        if not is_slug(slug) or slug != slug.casefold():
            raise TableError(f"{slug[:60]!r} cannot name a file; use small letters, digits, - and _.")
        return slug

    # --- doing -------------------------------------------------------------------------------

    async def open(self, what: What) -> None:
        slug = self._slug(what)
        try:
            path = self.state.library.path(slug)
        except SheetError:
            raise TableError(f"{slug} was made up and has no file yet; keep it as a draft sheet first.") from None
        content = path.read_text("utf-8", errors="replace")
        found = await self._remarks(content, slug)
        await self._open(slug, content, self._own(path), found)

    async def _open(self, slug: str, content: str, own: bool, found: list[What]) -> None:
        self.send({
            "is": "sheet", "slug": slug, "text": content, "own": own, "remarks": found,
            "questions": self._questions(content, slug), "exam": await self._exam(slug),
        })  # fmt: skip

    async def _exam(self, slug: str) -> list[What]:
        for version in await voices.versions(self.state, slug):
            found = [m for m in record.measures(version.report) if m["name"].startswith("exam")]
            if found:
                return [{**m, "name": m["name"].removeprefix("exam: ")} for m in found]
        return []

    async def _remarks(self, content: str, slug: str) -> list[What]:
        found = await asyncio.to_thread(remarks, content, slug, self.state.library)
        return [asdict(one) for one in sorted(found, key=lambda one: (one.level != "fault", one.line))]

    def _questions(self, content: str, slug: str) -> list[str]:
        try:
            return sheet_questions(read_sheet_text(content, slug))[:5]
        except SheetError:
            return []

    async def check(self, what: What) -> None:
        slug, content = self._slug(what), self._content(what)
        found = await self._remarks(content, slug)
        self.send({"is": "checked", "text": content, "remarks": found, "questions": self._questions(content, slug)})

    def _content(self, what: What) -> str:
        content = str(what.get("text") or "")
        if len(content.encode("utf-8", "replace")) > MAX_BYTES:
            raise TableError(f"A sheet has at most {MAX_BYTES // 1024} KiB; shorten it.")
        return content

    async def save(self, what: What) -> None:
        slug, content = self._slug(what), self._content(what)
        read_sheet_text(content, slug)  # what is broken is not saved over what is whole
        path = self.studio.home.folder("sheets") / f"{slug}.yaml"
        await asyncio.to_thread(write_whole, path, content)
        self.send({"is": "saved", "slug": slug, "text": content, "everybody": self._everybody()})

    async def new(self, what: What) -> None:
        name, kind = " ".join(text(what, "name", 40).split()), text(what, "kind", 40)
        if not name or kind not in KINDS:
            raise TableError("A new sheet needs a name and a kind.")
        slug = free_slug(name, self.state.library.slugs())
        content = template(name, kind, home_world(self.opened))
        path = self.studio.home.folder("sheets") / f"{slug}.yaml"
        await asyncio.to_thread(write_whole, path, content)
        self.send({"is": "everybody", "everybody": self._everybody()})
        await self._open(slug, content, own=True, found=await self._remarks(content, slug))

    async def came(self, what: What) -> None:
        self.send({"is": "everybody", "everybody": self._everybody()})
        await self.open(what)

    async def attempt(self, what: What) -> None:
        slug = self._slug(what)
        sheet = read_sheet_text(self._content(what), slug)
        turns = [_turn(one, slug, sheet.name) for one in _listed(what.get("turns"))[-_MOST_TURNS:]]
        turns.append(Turn(self.state.person.name, text(what, "ask", 500)))
        said, shown = "", 0.0
        async for said in try_out(self.state, slug, sheet, turns):
            if (now := asyncio.get_running_loop().time()) - shown > 0.08:
                shown = now
                self.send({"is": "tried", "text": said, "whole": False})
        self.send({"is": "tried", "text": said, "whole": True})


def _listed(value: Any) -> list[What]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _turn(one: What, slug: str, name: str) -> Turn:
    said = text(one, "text", 1000)
    return Turn("You", said) if one.get("you") else Turn(name, said, slug)
