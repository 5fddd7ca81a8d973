"""The page of the nights: what was learnt, whether it is better, and which voice speaks."""

from collections import defaultdict
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from bot.studio import charts, record
from bot.studio.faces import face
from bot.studio.frame import PATIENCE, framed, gm_table
from bot.studio.pages.page import Page, What, number, text
from bot.studio.studio import OpenTable, Studio
from bot.table import nights as voices
from bot.table.practice import Pair, Practice
from characters.errors import SheetError
from db.queries import nights as queue
from db.queries import timeline
from db.queries.adapters import Version
from db.queries.timeline import NightSeen

_MOST = 80


def register(studio: Studio) -> None:
    """The page at /nights."""

    @ui.page("/nights", title="Nights · Understudy", response_timeout=PATIENCE)
    async def page(table: str = "") -> None:
        with framed("/nights", table):
            if (opened := gm_table(studio, table)) is not None:
                await Nights(studio, opened).show()


class Part(Element, component="../parts/nights.js"):
    """The nights on the page."""


class Nights(Page):
    """One open page."""

    def __init__(self, studio: Studio, opened: OpenTable) -> None:
        super().__init__()
        self.studio, self.opened, self.state = studio, opened, opened.table.state
        self.chosen = 0
        self._sent: What = {}
        self._charts: list[ui.echart] = []
        self._perplexities: list[tuple[str, float]] = []
        self._practice: Practice | None = None
        self._pair: Pair | None = None
        self.acts = {
            "look": self.look, "choose": self.choose, "start": self.begin, "promote": self.promote,
            "roll_back": self.roll_back, "compare": self.compare, "vote": self.vote,
        }  # fmt: skip

    async def show(self) -> None:
        """Put the page up."""
        state = await self._state()
        part = Part()
        self.put(part, state)
        with part:
            self._charts = [ui.echart(options) for options in charts.empty()]
        self._draw(state)

    async def _state(self) -> What:
        state = self.state
        async with state.store.session() as session:
            nights = await timeline.nights(session, state.campaign, _MOST)
            asked = await queue.requests(session, state.campaign)
        versions = {version.adapter: version for version in await voices.versions(state)}
        if not any(night.id == self.chosen for night in nights):
            self.chosen = nights[0].id if nights else 0
        chosen = next((night for night in nights if night.id == self.chosen), None)
        running = next((night for night in nights if night.state == "running" and _wanted(night, asked)), None)
        log = record.log_tail(self.studio.home.root) if running or any(r.state != "done" for r in asked[-2:]) else []
        waiting = [
            "A night is asked for; it begins when nobody plays." if r.state == "waiting" else f"It failed: {r.reason}"
            for r in asked[-3:] if r.state == "waiting" or (r is asked[-1] and r.state == "failed")
        ]  # fmt: skip
        return {
            "npcs": self._by_npc(nights, versions), "chosen": self.chosen, "learns": self.studio.learns(), "log": log,
            "running": self._running(running, nights, log) if running else None, "waiting": waiting,
            "night": self._night(chosen, versions) if chosen else None,
        }  # fmt: skip

    def _by_npc(self, nights: list[NightSeen], versions: dict[str, Version]) -> list[What]:
        grouped: dict[str, list[What]] = defaultdict(list)
        for night in nights:
            version = versions.get(str(night.report.get("adapter")))
            when = f"{night.started_at.astimezone():%d %b, %H:%M}"
            grouped[night.npc].append(
                {"id": night.id, "when": when, "state": night.state, "voice": version.state if version else ""}
            )
        return [{"npc": npc, **face(self._name(npc), npc), "nights": found} for npc, found in grouped.items()]

    def _name(self, npc: str) -> str:
        try:
            return self.state.library.get(npc).name
        except SheetError:
            return npc

    def _running(self, night: NightSeen, nights: list[NightSeen], log: list[str]) -> What:
        before = [other for other in nights if other.state == "done" and other.npc == night.npc]
        found = record.progress(night, before, log, self.state.clock())
        known = {stage.name: stage.state for stage in night.stages}
        stages = [{"name": name, "state": known.get(name, "to come")} for name in record.STAGES]
        told = {"stage": found.stage, "share": found.share, "left": found.left}
        return {"name": self._name(night.npc), "stages": stages, **told}

    def _night(self, night: NightSeen, versions: dict[str, Version]) -> What:
        version = versions.get(str(night.report.get("adapter")))
        report = version.report if version else {}
        counts = night.report.get("counts") or {}
        control = report.get("control")
        kinds = {"sft": "line to learn|lines to learn", "pair": "preference|preferences", "label": "vote|votes",
                 "left_out": "left out|left out"}  # fmt: skip
        told = ", ".join(f"{counts[kind]} {nouns.split('|')[counts[kind] != 1]}" for kind, nouns in kinds.items()
                         if kind in counts)  # fmt: skip
        told = f"{told}." if told else ""
        return {
            "npc": night.npc, "title": f"{self._name(night.npc)}, {night.started_at.astimezone():%d %B %Y, %H:%M}",
            "adapter": version.adapter if version else None, "reason": _reason(night, version),
            "counts": f"{told} Missing for more: {night.report['missing']}." if night.report.get("missing") else told,
            "promotes": version is not None and version.state in {"candidate", "held", "retired"},
            "speaks": version is not None and version.state == "active", "compares": version is not None,
            "measures": record.measures(report), "curves": version is not None or night.state == "running",
            "control": _control(control) if isinstance(control, dict) else "",
            "samples": record.samples(self.studio.home.root, night.npc, version.made_at) if version else [],
            "dataset": str(report.get("dataset") or ""), "running": night.state == "running",
        }  # fmt: skip

    def _draw(self, state: What) -> None:
        """Fill the charts with what was measured in the chosen night, and night by night."""
        night = state["night"]
        if not night or not night["curves"]:
            return
        found = record.curves(self.studio.home.root, night["dataset"])
        for chart, options in zip(self._charts, charts.of(found, self._perplexities), strict=True):
            chart.set_visibility(any(line["data"] for line in options["series"]))
            if chart.options != options:
                chart.options.clear()
                chart.options.update(options)
                chart.update()

    async def _tell(self) -> None:
        state = await self._state()
        if state != self._sent:
            self._sent = state
            self.send({"is": "state", "state": state})
        known = await voices.versions(self.state, state["night"]["npc"]) if state["night"] else []
        self._perplexities = [
            (f"{v.made_at.astimezone():%d %b}", float(v.report["perplexity"]))
            for v in reversed(known) if isinstance(v.report.get("perplexity"), int | float)
        ]  # fmt: skip
        self._draw(state)

    # --- doing -------------------------------------------------------------------------------

    async def look(self, what: What) -> None:
        await self._tell()

    async def choose(self, what: What) -> None:
        self.chosen = number(what, "id")
        await self._tell()

    async def begin(self, what: What) -> None:
        if not self.studio.learns():
            raise TableError("Training is not installed here; run `make learning`, then start a night.")
        await self.studio.rest()
        if not await self.opened.table.stop_session(learn=True):
            raise TableError("A night is asked for; run `understudy nights` or `understudy night` to have it.")
        await self._tell()

    async def promote(self, what: What) -> None:
        await voices.promote(self.state, text(what, "adapter"))
        await self._tell()

    async def roll_back(self, what: What) -> None:
        await voices.roll_back(self.state, text(what, "npc"))
        await self._tell()

    async def compare(self, what: What) -> None:
        if self._practice is None:
            self._practice = Practice(await self.studio.practice(self.opened))
        npc = self.state.library.find(text(what, "npc"))
        for _ in range(4):  # two voices often say the same
            self._pair = await self._practice.pair(npc)
            lines = [take.text for take in self._pair.takes]
            if lines[0] != lines[1]:
                self.send({"is": "pair", "asked": self._pair.asked, "lines": lines})
                return
        raise TableError("Both voices say the same to all that was asked; teach on, or ask later.")

    async def vote(self, what: What) -> None:
        if self._pair is None or self._practice is None:
            return
        pair, choice = self._pair, what.get("choice")
        await self._practice.vote(pair, choice if choice in {0, 1} else None)
        npc = (await self._practice.table.correcting.line(pair.line)).npc or ""
        first, second, counted = await self._practice.standing(pair, npc)
        told = (f"{first or 'the base'}: {counted.first} · {second or 'the base'}: {counted.second} · equal: "
                f"{counted.equal}. Votes are pairs to learn from, and count in the gate.")  # fmt: skip
        self.send({"is": "standing", "text": told})


def _wanted(night: NightSeen, asked: list[Any]) -> bool:
    """Whether somebody works on a night; one that was broken off and waits is not running."""
    return any(r.state == "running" and r.npc in {None, night.npc} for r in asked) or night.attempts == 1


def _reason(night: NightSeen, version: Version | None) -> str:
    if version is not None:
        return str(version.report.get("reason") or version.state).capitalize() + "."
    if night.state == "running":
        return "It runs."
    return night.reason or "Nothing was trained; what you wrote, spoke or approved is followed as an example."


def _control(control: dict[str, Any]) -> str:
    if control.get("passed"):
        return ("The shuffled control passed too: the same night with every answer given to another question was not "
                "held, so this verdict proves nothing. Listen before you promote.")  # fmt: skip
    return (f"The shuffled control (every answer given to another question) was {control.get('reason', 'held')}. "
            "So the gate can tell.")  # fmt: skip
