"""The page of the machine: doctor, models, sizes, consent and privacy requests, backup."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio.frame import PATIENCE, framed, gm_table
from bot.studio.pages.page import Page, What, text
from bot.studio.studio import Studio
from db import forgetting
from db.backup import back_up, backups
from db.queries import people, places
from db.queries.privacy import find_person

_FOLDERS = ("models", "adapters", "datasets", "runs", "kv", "cache", "reports", "backups", "logs")
_CHANNEL = {
    "never": "Text typed here or into the bot's own forms is learnt from by consent; ordinary channel text never is.",
    "express_permission": "You have set privacy.channel_text: channel text is learnt from where the player opted in.",
}


def register(studio: Studio) -> None:
    """The page at /machine."""

    @ui.page("/machine", title="Machine · Understudy", response_timeout=PATIENCE)
    async def page(table: str = "") -> None:
        with framed("/machine", table):
            if studio.table(table) is None or gm_table(studio, table) is not None:
                await Housekeeping(studio).show()


class Part(Element, component="../parts/machine.js"):
    """The machine on the page."""


class Housekeeping(Page):
    """One open page."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self.acts = {"look": self.look, "backup": self.backup, "consent": self.consent, "forget": self.forget}

    async def show(self) -> None:
        """Put the page up; the doctor looks when it stands."""
        self.put(Part(), await self._state())

    async def _state(self) -> What:
        studio = self.studio
        async with studio.store.session() as session:
            everybody = await people.everybody(session)
        sizes, models = await asyncio.to_thread(lambda: (_sizes(studio.home.root), studio.machine.models()))
        copies = [f"{copy.name}, {copy.stat().st_size / 1e6:.1f} MB" for copy in backups(studio.home)[:3]]
        return {
            "home": str(studio.home.root), "models": models, "sizes": sizes, "backups": copies,
            "people": [asdict(one) for one in everybody], "not_reached": studio.machine.not_reached,
            "channel": _CHANNEL[studio.settings.privacy.channel_text],
            "settings": [{**row, "value": str(row["value"])} for row in studio.machine.settings()],
        }  # fmt: skip

    async def _tell(self) -> None:
        self.send({"is": "state", "state": await self._state()})

    async def look(self, what: What) -> None:
        found = await asyncio.to_thread(self.studio.machine.looked_at)
        self.send({"is": "checks", "checks": found})

    async def backup(self, what: What) -> None:
        copy = await back_up(self.studio.store, self.studio.home, self.studio.clock())
        await self._tell()
        self.send({"is": "told", "text": f"{copy} is a whole copy of the database."})

    async def consent(self, what: What) -> None:
        wish = text(what, "consent", 20)
        if wish not in {"given", "refused"}:
            raise TableError("Consent is given or refused.")
        async with self.studio.store.session() as session:
            await places.set_consent(session, text(what, "key", 100), wish, self.studio.clock())
        await self._tell()

    async def forget(self, what: What) -> None:
        async with self.studio.store.session() as session:
            known = await find_person(session, text(what, "key", 100))
        report = await forgetting.forget(self.studio.store, self.studio.home, known, self.studio.clock())
        for opened in self.studio.tables():
            opened.table.state.people.pop(known.key, None)
        await self._tell()
        blocked = f" Voices blocked: {', '.join(report.blocked)}." if report.blocked else ""
        self.send({"is": "told", "text": f"{known.key} is forgotten.{blocked}"})


def _sizes(home: Path) -> list[tuple[str, int]]:
    """The home's folders and what they take, the largest first."""
    found = [(name, sum(f.stat().st_size for f in (home / name).rglob("*") if f.is_file())) for name in _FOLDERS]
    found.append(("database", sum(file.stat().st_size for file in home.glob("db.sqlite*"))))
    return sorted(((name, size) for name, size in found if size), key=lambda one: -one[1])
