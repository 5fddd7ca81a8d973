"""The page of a table: what its buttons do, through the same use cases as every other face."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio.faces import face, npc_face
from bot.studio.frame import framed
from bot.studio.pages.asking import sheet_questions
from bot.studio.studio import OpenTable, Studio
from bot.table.commands import run_input
from bot.table.improvise import Ensemble, keep
from bot.table.outputs import Ack
from bot.table.state import Hand
from bot.table.table import Seat
from characters.errors import SheetError, UnderstudyError

log = logging.getLogger(__name__)
_OURS = "Something went wrong that is our fault; the terminal says where, please report it."


def register(studio: Studio) -> None:
    """The page at /."""

    @ui.page("/", title="Table · Understudy")
    async def page(table: str = "") -> None:
        opened = studio.table(table)
        with framed("/"):
            if opened is None:
                ui.label("No table is open yet; it appears here when somebody plays.").classes("scroll soft")
                return
            sitting = Sitting(studio, opened)
            sitting.show(await sitting.start())


class Part(Element, component="../parts/table.js"):
    """The table on the page."""


class Sitting:
    """One open page: whose hand it plays with, and what it was shown."""

    def __init__(self, studio: Studio, opened: OpenTable) -> None:
        self.studio, self.opened = studio, opened
        self.hand: Hand = opened.table.state.hand
        self._hands = {self.hand.person.key: self.hand}
        self._part: Part | None = None
        self._stop: Callable[[], None] = lambda: None

    # --- showing -----------------------------------------------------------------------------

    async def start(self) -> dict[str, Any]:
        """Everything the page begins with."""
        table, feed = self.opened.table, self.studio.feed(self.opened)
        return {
            "entries": await feed.evening(), "place": feed.place(), "everybody": self._everybody(),
            "gm": self.opened.gm, "me": self._me(self.hand), "people": self._people(),
            "tables": [{"key": one.key, "name": one.name} for one in self.studio.tables()], "table": self.opened.key,
            "learns": self.studio.learns(), "asks": self._asks(),
            "backstage": await self._backstage(table.state.speaker),
        }  # fmt: skip

    def show(self, start: dict[str, Any]) -> None:
        """Put the page up, and follow the table until it is closed."""
        self._part = Part()
        self._part.props["start"] = start
        self._part.on("go", self._go)
        self._stop = self.studio.feed(self.opened).add(self._send)
        ui.context.client.on_delete(self.close)

    def close(self) -> None:
        """Follow the table no longer."""
        self._stop()

    def _send(self, events: list[dict[str, Any]]) -> None:
        if self._part is not None:
            self._part.run_method("apply", events)

    def _everybody(self) -> list[dict[str, Any]]:
        library, found = self.opened.table.state.library, []
        for slug in library.slugs():
            try:
                found.append(npc_face(slug, library.get(slug)))
            except SheetError:  # the Characters page says what is wrong with it
                continue
        return found

    def _asks(self) -> dict[str, list[str]]:
        table = self.opened.table
        return {slug: sheet_questions(table.sheet(slug))[:3] for slug in table.state.present}

    def _me(self, hand: Hand) -> dict[str, Any]:
        return {"key": hand.person.key, "id": hand.person.id, "gm": hand.gm, **face(hand.person.name)}

    def _people(self) -> list[dict[str, Any]]:
        return [self._me(hand) for hand in self._hands.values()]

    async def _backstage(self, npc: str | None) -> dict[str, Any]:
        state = self.opened.table.state
        if npc is None or not self.opened.gm:
            return {"told": [], "secrets": [], "improvised": False}
        told = await self.opened.table.backstage.told(npc)
        secrets = [{"text": one.text, "condition": one.condition} for one in state.library.get(npc).secrets]
        made_up = isinstance(state.library, Ensemble) and npc in state.library.improvised
        return {"told": [{"id": one.id, "text": one.text} for one in told], "secrets": secrets, "improvised": made_up}

    # --- doing -------------------------------------------------------------------------------

    async def _go(self, event: Any) -> None:
        """Do what a button asks; whatever goes wrong ends as one sentence on this page."""
        what = event.args if isinstance(event.args, dict) else {}
        self.hand = self._hands.get(str(what.get("as")), self.hand)
        act = _ACTS.get(str(what.get("do")))
        try:
            if act is not None:
                if act in _GM_ONLY and not self.opened.gm:
                    raise TableError("Only the GM does that; play without `--as`.")
                await act(self, what)
        except UnderstudyError as error:
            self._fail(str(error))
        except Exception:
            log.exception("A button of the studio failed.")
            self._fail(_OURS)

    def _fail(self, text: str) -> None:
        self._send([{"is": "fail", "text": text}])

    async def say(self, what: dict[str, Any]) -> None:
        text, table = str(what.get("text", "")), self.opened.table
        if text.startswith("/") and not text.startswith("//"):
            await self._command(text)
        elif self.opened.stage is not None:
            await self.opened.stage.say(table, text, None)
        else:
            async for _ in table.say(text, by=self.hand):
                pass

    async def _command(self, text: str) -> None:
        """The words a terminal knows."""
        if not self.hand.gm:
            raise TableError("Commands are the GM's; write plain words, or use the buttons.")
        async for output in run_input(self.opened.table, text):
            if isinstance(output, Ack):
                self._send([{"is": "note", "text": output.text}])

    async def regen(self, what: dict[str, Any]) -> None:
        last = None
        async for event in self.opened.table.another_take(_number(what, "line"), by=self.hand):
            last = event
        await self._shown(last)

    async def keep_take(self, what: dict[str, Any]) -> None:
        line = await self.opened.table.keep(_number(what, "number"), _number(what, "line"), by=self.hand)
        await self._shown(line)

    async def edit(self, what: dict[str, Any]) -> None:
        line = await self.opened.table.edit(str(what.get("text", "")), _number(what, "line"), by=self.hand)
        await self._shown(line)

    async def _shown(self, line: Any) -> None:
        if self.opened.stage is not None and line is not None:
            await self.opened.stage.shown(self.opened.table, line)

    async def react(self, what: dict[str, Any]) -> None:
        mark, remove = str(what.get("mark", "")), bool(what.get("remove"))
        line = await self.opened.table.react(mark, _number(what, "line"), remove=remove, by=self.hand)
        if mark == "✖" and not remove and self.opened.stage is not None:
            await self.opened.stage.struck(self.opened.table, line)

    async def retcon(self, what: dict[str, Any]) -> None:
        line = await self.opened.table.retcon(_number(what, "line"), by=self.hand)
        if self.opened.stage is not None:
            await self.opened.stage.struck(self.opened.table, line)

    async def why(self, what: dict[str, Any]) -> None:
        why = await self.opened.table.why(_number(what, "line"))
        timings = {name: round(value) for name, value in why.timings.items() if isinstance(value, int | float)}
        rows = {
            "voice": why.adapter or "the base model alone", "base": why.base_id, "sheet": why.sheet_version,
            "sampling": ", ".join(f"{name} {value}" for name, value in why.sampling.items() if value is not None),
            "timings": ", ".join(f"{name} {value}" for name, value in timings.items()),
            "prompt": why.prompt_hash, "template": why.template_hash, "takes": str(len(why.takes)),
        }  # fmt: skip
        facts = [{"text": fact.text, "source": fact.source} for fact in why.facts]
        told = {"text": why.text, "facts": facts, "rows": [[name, value] for name, value in rows.items() if value]}
        self._send([{"is": "why", "why": told}])

    async def hush(self, what: dict[str, Any]) -> None:
        self.opened.table.hush()

    async def switch(self, what: dict[str, Any]) -> None:
        self.opened.table.switch(str(what.get("npc", "")))

    async def summon(self, what: dict[str, Any]) -> None:
        await self.opened.table.summon(str(what.get("npc", "")))

    async def dismiss(self, what: dict[str, Any]) -> None:
        await self.opened.table.dismiss(str(what.get("npc") or "") or None)

    async def scene(self, what: dict[str, Any]) -> None:
        given = what.get("scene")
        fields = given if isinstance(given, dict) else {}
        now = self.opened.table.state.scene
        changes = {name: str(value).strip() for name, value in fields.items() if hasattr(now, str(name))}
        changed = {name: value for name, value in changes.items() if value != getattr(now, name)}
        if changed:
            await self.opened.table.set_scene(changed)

    async def stop(self, what: dict[str, Any]) -> None:
        when = what.get("when")
        begins = await self.opened.table.stop_session(learn=when == "now", skip=when == "skip")
        told = {
            "now": "Your NPCs learn now, in the background; the page Nights shows how far they are." if begins
            else "A night is asked for; `understudy nights` takes it up.",
            "skip": "It is no reason for a night; it stays stored.",
        }  # fmt: skip
        text = told.get(str(when), "Your NPCs learn from it tonight.")
        self.studio.feed(self.opened).note(f"The evening is over. {text}")

    async def say_as(self, what: dict[str, Any]) -> None:
        text, npc = str(what.get("text", "")), str(what.get("npc") or "") or None
        await self._shown(await self.opened.table.speak_as(text, npc, by=self.hand))

    async def draft(self, what: dict[str, Any]) -> None:
        text, shown = "", 0.0
        try:
            async for text in self.opened.table.backstage.draft(str(what.get("npc", ""))):
                if (now := asyncio.get_running_loop().time()) - shown > 0.1:
                    shown = now
                    self._send([{"is": "draft", "text": text}])
        finally:
            self._send([{"is": "draft", "text": text}])

    async def direct(self, what: dict[str, Any]) -> None:
        self.opened.table.backstage.direct(str(what.get("npc", "")), str(what.get("text", "")))

    async def tell(self, what: dict[str, Any]) -> None:
        await self.opened.table.backstage.tell(str(what.get("npc", "")), str(what.get("text", "")), by=self.hand)
        await self.backstage(what)

    async def untell(self, what: dict[str, Any]) -> None:
        await self.opened.table.backstage.untell(_number(what, "id"))
        await self.backstage(what)

    async def backstage(self, what: dict[str, Any]) -> None:
        self._send([{"is": "backstage", **await self._backstage(self.opened.table.state.speaker)}])

    async def improvise(self, what: dict[str, Any]) -> None:
        slug, _ = await self.opened.table.backstage.improvise(str(what.get("text", "")))
        await self.opened.table.summon(slug)
        self._send([{"is": "everybody", "everybody": self._everybody()}])
        await self.backstage(what)

    async def keep_npc(self, what: dict[str, Any]) -> None:
        slug = str(what.get("npc", ""))
        path = keep(self.opened.table.sheet(slug), slug, self.studio.home.folder("sheets"))
        told = f"{path.name} is a draft sheet of yours now; the page Characters edits it."
        self._send([{"is": "note", "text": told}])

    async def roll(self, what: dict[str, Any]) -> None:
        _, how = await self.opened.table.roll(str(what.get("dice", "")), by=self.hand)
        self.studio.feed(self.opened).note(f"{self.hand.person.name}: {how}")

    async def sit(self, what: dict[str, Any]) -> None:
        name = " ".join(str(what.get("name", "")).split())[:40]
        if not name:
            raise TableError("A player needs a name.")
        person = await self.opened.table.sit(Seat(name, f"local:{name.casefold()}", "player"))
        self.hand = self._hands[person.key] = Hand(person)
        self._send([{"is": "people", "people": self._people(), "me": self._me(self.hand)}])

    async def change_table(self, what: dict[str, Any]) -> None:
        opened = self.studio.table(str(what.get("key", "")))
        if opened is None:
            return
        self._stop()
        self.opened, self.hand = opened, opened.table.state.hand
        self._hands = {self.hand.person.key: self.hand}
        self._stop = self.studio.feed(opened).add(self._send)
        self._send([{"is": "all", "start": await self.start()}])


def _number(what: dict[str, Any], name: str) -> int:
    value = what.get(name)
    if not isinstance(value, int) or not 0 < value < 2**31:
        raise TableError("That line is not known here; reload the page.")
    return value


Act = Callable[[Sitting, dict[str, Any]], Awaitable[None]]
_ACTS: dict[str, Act] = {
    "say": Sitting.say, "regen": Sitting.regen, "keep": Sitting.keep_take, "edit": Sitting.edit,
    "react": Sitting.react, "retcon": Sitting.retcon, "why": Sitting.why, "hush": Sitting.hush,
    "switch": Sitting.switch, "summon": Sitting.summon, "dismiss": Sitting.dismiss, "scene": Sitting.scene,
    "stop": Sitting.stop, "say_as": Sitting.say_as, "draft": Sitting.draft, "direct": Sitting.direct,
    "tell": Sitting.tell, "untell": Sitting.untell, "backstage": Sitting.backstage, "roll": Sitting.roll,
    "improvise": Sitting.improvise, "keep_npc": Sitting.keep_npc, "sit": Sitting.sit, "table": Sitting.change_table,
}  # fmt: skip
_GM_ONLY = (
    Sitting.edit, Sitting.retcon, Sitting.summon, Sitting.dismiss, Sitting.scene, Sitting.stop, Sitting.say_as,
    Sitting.draft, Sitting.direct, Sitting.tell, Sitting.untell, Sitting.backstage, Sitting.improvise,
    Sitting.keep_npc, Sitting.sit, Sitting.change_table,
)  # fmt: skip
