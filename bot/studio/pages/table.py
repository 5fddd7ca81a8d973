"""The page of a table: what its buttons do, through the same use cases as every other face."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio.faces import face, npc_face
from bot.studio.frame import PATIENCE, framed, wait_for_a_table
from bot.studio.pages.page import Page, What, number, text
from bot.studio.studio import OpenTable, Studio
from bot.table.commands import run_input
from bot.table.improvise import Ensemble, keep
from bot.table.outputs import Ack
from bot.table.practice import sheet_questions
from bot.table.state import Hand
from bot.table.table import Seat
from characters.errors import SheetError
from db.queries import nights, places

_LOOK = 3.0  # seconds between two looks at which tables are open


def register(studio: Studio) -> None:
    """The page at /."""

    @ui.page("/", title="Table · Understudy", response_timeout=PATIENCE)
    async def page(table: str = "") -> None:
        opened = studio.table(table)
        with framed("/", table):
            if opened is None:
                wait_for_a_table(studio)
                return
            sitting = Sitting(studio, opened)
            sitting.follows = not table
            sitting.show(await sitting.start())


class Part(Element, component="../parts/table.js"):
    """The table on the page."""


class Sitting(Page):
    """One open page: whose hand it plays with, and what it was shown.

    Attributes:
        follows: nobody chose this table, so the page goes to where people begin to play.
    """

    follows = False

    def __init__(self, studio: Studio, opened: OpenTable) -> None:
        super().__init__()
        self.acts = {name: getattr(self, act) for name, act in _ACTS.items()}
        self.studio, self.opened = studio, opened
        self._sit(opened.table.state.hand)
        self._stop: Callable[[], None] = lambda: None
        self._known: list[What] = []
        self._feed = studio.feed(opened)
        self._count = self._feed.count
        self._held: list[What] | None = None
        self._connected = False

    def _sit(self, hand: Hand) -> None:
        self.hand, self._hands = hand, {hand.person.key: hand}

    # --- showing -----------------------------------------------------------------------------

    async def start(self) -> dict[str, Any]:
        """Everything the page begins with."""
        self._sit(await self.studio.hand(self.opened))
        table, feed = self.opened.table, self._feed
        self._count = feed.count
        return {
            "entries": await feed.evening(), "place": feed.place(), "everybody": self._everybody(),
            "gm": self.opened.gm, "me": self._me(self.hand), "people": self._people(),
            "tables": self._tables(), "table": self.opened.key, "elsewhere": self.opened.stage is not None,
            "learns": self.studio.learns(), "asks": self._asks(),
            "backstage": await self._backstage(table.state.speaker),
        }  # fmt: skip

    def show(self, start: What) -> None:
        """Put the page up; it follows the table once somebody looks at it.

        What fetches a page without looking at it (a link's preview) never connects, and whatever is sent
        to it until it is given up only fills the memory.
        """
        self.put(Part(), start)
        self._known = start["tables"]
        ui.timer(_LOOK, self._look)
        ui.context.client.on_connect(self._follow)

    async def _follow(self) -> None:
        """Follow the table until the page is closed, and show what happened since the page was made."""
        if self._connected:  # it was away for a moment, and what was sent meanwhile is kept for it
            return
        self._connected = True
        feed = self._feed
        held: list[What] = []
        self._held = held if feed.count != self._count else None
        self._stop = feed.add(self._hear)
        if self._held is None:
            return
        now = {"entries": await feed.evening(), "place": feed.place(), "tables": self._tables()}
        self._held = None
        self._send([{"is": "anew", **now}, *held])

    def _hear(self, events: list[What]) -> None:
        """What happens at the table; it waits until the evening before it is read."""
        if self._held is None:
            self._send(events)
        else:
            self._held.extend(events)

    def _tables(self) -> list[What]:
        return [{"key": one.key, "name": one.name} for one in self.studio.tables()]

    def _look(self) -> None:
        """Tell the page when a table was opened, or is no longer."""
        if (known := self._tables()) != self._known:
            self._known = known
            self._send([{"is": "tables", "tables": known}])
            first = self.studio.table()
            if self.follows and self.opened.stage is None and first is not None and first.stage is not None:
                ui.navigate.to("/")

    def close(self) -> None:
        """Follow the table no longer."""
        self._stop()
        super().close()

    def _send(self, events: list[What]) -> None:
        self.send(*events)

    def _everybody(self) -> list[dict[str, Any]]:
        library, found = self.opened.table.state.library, []
        for slug in library.slugs():
            try:
                found.append(npc_face(slug, library.get(slug), self.studio.home.root))
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
        secrets = [asdict(one) for one in await self.opened.table.confiding.secrets(npc)]
        made_up = isinstance(state.library, Ensemble) and npc in state.library.improvised
        return {"told": [{"id": one.id, "text": one.text} for one in told], "secrets": secrets, "improvised": made_up}

    # --- doing -------------------------------------------------------------------------------

    async def go(self, event: Any) -> None:
        """Do what a button asks, by the hand it names; some of it is the GM's alone."""
        what = event.args if isinstance(event.args, dict) else {}
        self.hand = self._hands.get(str(what.get("as")), self.hand)
        if what.get("do") in _GM_ONLY and not self.opened.gm:
            self.fail("Only the GM does that; play without `--as`.")
            return
        await super().go(event)

    async def say(self, what: What) -> None:
        text, table = str(what.get("text", "")), self.opened.table
        if text.startswith("/") and not text.startswith("//"):
            await self._command(text)
        elif self.opened.stage is not None:
            await self.opened.stage.say(table, text, self.hand)
        else:
            async for _ in table.say(text, by=self.hand):
                pass

    async def _command(self, text: str) -> None:
        """The words a terminal knows."""
        if not self.hand.gm:
            raise TableError("Commands are the GM's; write plain words, or use the buttons.")
        async for output in run_input(self.opened.table, text, by=self.hand):
            if isinstance(output, Ack):
                self._send([{"is": "note", "text": output.text}])

    async def regen(self, what: What) -> None:
        line = number(what, "line")
        if self.opened.stage is not None:
            await self.opened.stage.another_take(self.opened.table, line, self.hand)
            return
        async for _ in self.opened.table.another_take(line, by=self.hand):
            pass

    async def keep_take(self, what: What) -> None:
        line = await self.opened.table.keep(number(what, "number"), number(what, "line"), by=self.hand)
        await self._shown(line)

    async def edit(self, what: What) -> None:
        asked = text(what, "asked", 1000) or None
        line = await self.opened.table.edit(str(what.get("text", "")), number(what, "line"), asked, by=self.hand)
        await self._shown(line)

    async def _shown(self, line: Any) -> None:
        if self.opened.stage is not None and line is not None:
            await self.opened.stage.shown(self.opened.table, line)

    async def react(self, what: What) -> None:
        mark, remove = str(what.get("mark", "")), bool(what.get("remove"))
        line = await self.opened.table.react(mark, number(what, "line"), remove=remove, by=self.hand)
        if mark == "✖" and not remove and self.opened.stage is not None:
            await self.opened.stage.stopped(self.opened.table, line)

    async def retcon(self, what: What) -> None:
        line = await self.opened.table.retcon(number(what, "line"), by=self.hand)
        if self.opened.stage is not None:
            await self.opened.stage.struck(self.opened.table, line)

    async def why(self, what: What) -> None:
        why = await self.opened.table.why(number(what, "line"))
        timings = {name: round(value) for name, value in why.timings.items() if isinstance(value, int | float)}
        rows = {
            "voice": why.adapter or "the base model alone", "base": why.base_id, "sheet": why.sheet_version,
            "sampling": ", ".join(f"{name} {value}" for name, value in why.sampling.items() if value is not None),
            "timings": ", ".join(f"{name} {value}" for name, value in timings.items()),
            "prompt": why.prompt_hash, "template": why.template_hash, "takes": str(len(why.takes)),
        }  # fmt: skip
        facts = [{"text": fact.text, "source": fact.source} for fact in why.facts]
        hidden = [asdict(one) for one in why.secrets] if self.opened.gm else []
        told = {"text": why.text, "facts": facts, "rows": [[name, value] for name, value in rows.items() if value],
                "secrets": hidden}  # fmt: skip
        self._send([{"is": "why", "why": told}])

    async def hush(self, what: What) -> None:
        if self.opened.stage is not None:
            await self.opened.stage.hush(self.opened.table)
        self.opened.table.hush()

    async def switch(self, what: What) -> None:
        self.opened.table.switch(str(what.get("npc", "")))

    async def summon(self, what: What) -> None:
        await self.opened.table.summon(str(what.get("npc", "")))

    async def dismiss(self, what: What) -> None:
        await self.opened.table.dismiss(str(what.get("npc") or "") or None)

    async def scene(self, what: What) -> None:
        given = what.get("scene")
        fields = given if isinstance(given, dict) else {}
        now = self.opened.table.state.scene
        changes = {name: str(value).strip() for name, value in fields.items() if hasattr(now, str(name))}
        changed = {name: value for name, value in changes.items() if value != getattr(now, name)}
        if changed:
            await self.opened.table.set_scene(changed)

    async def stop(self, what: What) -> None:
        when = what.get("when")
        await self.studio.rest()
        state = self.opened.table.state
        async with state.store.session() as session:
            heard = await places.count_sources(session, state.evening)
            news = await nights.npcs_with_news(session, state.campaign, now=state.clock())
        begins = await self.opened.table.stop_session(learn=when == "now", skip=when == "skip")
        told = {
            "now": "Your NPCs learn now, in the background; the page Nights shows how far they are." if begins
            else "A night is asked for; `understudy nights` takes it up.",
            "skip": "It is no reason for a night; it stays stored.",
        }  # fmt: skip
        text = told.get(str(when), "Your NPCs learn from it tonight.")
        lost = heard["answers to channel"]
        cost = f" {lost} of its {heard['lines']} lines answered channel text, which is not learnt from." if lost else ""
        idle = "" if news or when == "skip" else " So far there is nothing new to learn: rate or rewrite some lines."
        self.studio.feed(self.opened).note(f"The evening is over. {text}{cost}{idle}")

    async def say_as(self, what: What) -> None:
        text, npc = str(what.get("text", "")), str(what.get("npc") or "") or None
        await self._shown(await self.opened.table.speak_as(text, npc, by=self.hand))

    async def draft(self, what: What) -> None:
        text, shown = "", 0.0
        try:
            async for text in self.opened.table.backstage.draft(str(what.get("npc", ""))):
                if (now := asyncio.get_running_loop().time()) - shown > 0.1:
                    shown = now
                    self._send([{"is": "draft", "text": text}])
        finally:
            self._send([{"is": "draft", "text": text}])

    async def direct(self, what: What) -> None:
        self.opened.table.backstage.direct(str(what.get("npc", "")), str(what.get("text", "")))

    async def tell(self, what: What) -> None:
        await self.opened.table.backstage.tell(str(what.get("npc", "")), str(what.get("text", "")), by=self.hand)
        await self.backstage(what)

    async def untell(self, what: What) -> None:
        await self.opened.table.backstage.untell(number(what, "id"))
        await self.backstage(what)

    async def secret(self, what: What) -> None:
        npc, which = text(what, "npc", 100), number(what, "number")
        confiding = self.opened.table.confiding
        await (confiding.reveal(npc, which) if what.get("open") else confiding.close(npc, which))
        await self.backstage(what)

    async def backstage(self, what: What) -> None:
        self._send([{"is": "backstage", **await self._backstage(self.opened.table.state.speaker)}])

    async def improvise(self, what: What) -> None:
        slug, _ = await self.opened.table.backstage.improvise(str(what.get("text", "")))
        await self.opened.table.summon(slug)
        self._send([{"is": "everybody", "everybody": self._everybody()}])
        await self.backstage(what)

    async def keep_npc(self, what: What) -> None:
        slug = str(what.get("npc", ""))
        path = keep(self.opened.table.sheet(slug), slug, self.studio.home.folder("sheets"))
        told = f"{path.name} is a draft sheet of yours now; the page Characters edits it."
        self._send([{"is": "note", "text": told}])

    async def roll(self, what: What) -> None:
        _, how = await self.opened.table.roll(str(what.get("dice", "")), by=self.hand)
        self.studio.feed(self.opened).note(f"{self.hand.person.name}: {how}")
        await self.backstage(what)  # a roll may have loosened a tongue
        if self.opened.stage is not None:
            await self.opened.stage.told(self.opened.table, f"🎲 {self.hand.person.name} {how}")

    async def sit(self, what: What) -> None:
        name = " ".join(str(what.get("name", "")).split())[:40]
        if not name:
            raise TableError("A player needs a name.")
        person = await self.opened.table.sit(Seat(name, f"local:{name.casefold()}", "player"))
        self.hand = self._hands[person.key] = Hand(person)
        self._send([{"is": "people", "people": self._people(), "me": self._me(self.hand)}])


_ACTS = {
    **{name: name for name in (
        "say", "regen", "edit", "react", "retcon", "why", "hush", "switch", "summon", "dismiss", "scene", "stop",
        "say_as", "draft", "direct", "tell", "untell", "secret", "backstage", "roll", "improvise", "keep_npc",
        "sit",
    )},
    "keep": "keep_take",
}  # fmt: skip
_GM_ONLY = frozenset({
    "edit", "retcon", "summon", "dismiss", "scene", "stop", "say_as", "draft", "direct", "tell", "untell", "secret",
    "backstage", "improvise", "keep_npc", "sit",
})  # fmt: skip
