"""The feed of a table: what happens there, in order, to every page that is open on it.

A page gets the evening once and then only what changes. Words that arrive within a few hundredths of
a second travel together, so that eight pages cost little more than one.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.studio.faces import face, npc_face
from bot.table.events import Again, Line, Piece
from bot.table.state import State
from bot.table.watching import Begun, Changed, Moved, Said, Seen
from characters.errors import UnderstudyError
from db.queries import watching
from db.queries.watching import ShownTurn

Show = Callable[[list[dict[str, Any]]], None]

_TOGETHER = 0.03  # seconds
_MOST = 200  # turns of an evening


class Feed:
    """One table's feed.

    Args:
        state: the table's.
        home: where pictures lie.

    Attributes:
        count: how much has happened; whoever remembers it can tell whether anything is new.
    """

    def __init__(self, state: State, home: Path | None = None) -> None:
        self.state, self.home = state, home
        self.count = 0
        self._shows: list[Show] = []
        self._live: dict[int, dict[str, Any]] = {}  # the beginnings of lines that are being said
        self._waiting: list[dict[str, Any]] = []
        self._flush: asyncio.TimerHandle | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()
        self._stop = state.watchers.add(self._seen)

    def close(self) -> None:
        """Watch no longer."""
        self._stop()

    def add(self, show: Show) -> Callable[[], None]:
        """Show everything from now on, and the lines that are being said now; returns how to stop."""
        if self._flush is not None:  # what came before goes to those who were here before
            self._flush.cancel()
            self._send()
        self._shows.append(show)
        for line, begun in self._live.items():
            show([dict(begun["begun"]), {"is": "piece", "id": line, "text": begun["text"]}])

        def stop() -> None:
            if show in self._shows:
                self._shows.remove(show)

        return stop

    async def evening(self) -> list[dict[str, Any]]:
        """The evening so far."""
        async with self.state.store.session() as session:
            turns = await watching.evening(session, self.state.evening, _MOST)
        return [as_entry(turn) for turn in turns if turn.npc is None or turn.kept is not None]

    def place(self) -> dict[str, Any]:
        """Where the table stands: scene, who is there, who has the word."""
        state = self.state
        scene = state.scene
        here = [npc_face(slug, state.library.get(slug), self.home) for slug in state.present]
        return {
            "scene": {"place": scene.place, "reason": scene.reason, "mood": scene.mood,
                      "familiarity": scene.familiarity},
            "here": here, "speaker": state.speaker,
            "people": [{"key": key, **face(name)} for key, name in state.people.items()],
            "evening": state.evening, "directions": dict(state.directions),
        }  # fmt: skip

    def note(self, text: str) -> None:
        """A remark to everybody that is nobody's line."""
        self._push({"is": "note", "text": text})

    # --- what is seen ------------------------------------------------------------------------

    def _seen(self, seen: Seen) -> None:
        match seen:
            case Piece():
                self._push({"is": "piece", "id": seen.line_id, "text": seen.text})
            case Begun():
                self._push({"is": "begun", "id": seen.line_id, "npc": seen.npc, "who": seen.name})
            case Again():
                self._push({"is": "again", "npc": seen.npc})
            case Line():
                self._read(seen.line_id, seen.timings.get("ttft_ms"))
            case Changed():
                self._read(seen.line_id)
            case Said():
                self._push({"is": "entry", "entry": _said(seen)})
            case Moved():
                self._moved()

    def _moved(self) -> None:
        try:
            self._push({"is": "place", "place": self.place()})
        except UnderstudyError as error:  # somebody's sheet was broken meanwhile
            self.note(str(error))

    def _read(self, line: int, ttft: float | None = None) -> None:
        """Show a line as it stands in the database now."""
        task = asyncio.get_running_loop().create_task(self._entry(line, ttft))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _entry(self, line: int, ttft: float | None) -> None:
        async with self._in_order, self.state.store.session() as session:
            turn = await watching.one(session, line)
        if turn is None or turn.kept is None:
            self._push({"is": "gone", "id": line})
        else:
            self._push({"is": "entry", "entry": as_entry(turn) | {"ttft": ttft}})

    def _push(self, event: dict[str, Any]) -> None:
        self.count += 1
        self._follow(event)
        before = self._waiting[-1] if self._waiting else None
        if before and event["is"] == "piece" == before["is"] and before["id"] == event["id"]:
            before["text"] += event["text"]
        else:
            self._waiting.append(event)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(_TOGETHER, self._send)

    def _follow(self, event: dict[str, Any]) -> None:
        """Keep what has been said of a line until it stands in the database."""
        match event:
            case {"is": "begun", "id": line}:
                self._live[line] = {"begun": event, "text": ""}
            case {"is": "piece", "id": line, "text": text} if line in self._live:
                self._live[line]["text"] += text
            case {"is": "again"}:
                for begun in self._live.values():
                    begun["text"] = ""
            case {"is": "gone", "id": line} | {"is": "entry", "entry": {"id": line}}:
                self._live.pop(line, None)

    def _send(self) -> None:
        events, self._waiting, self._flush = self._waiting, [], None
        for show in list(self._shows):
            show(events)


def _said(seen: Said) -> dict[str, Any]:
    turn = seen.turn
    return {
        "id": turn.id, "who": turn.speaker, "npc": None, "text": turn.text, "aside": seen.aside, "takes": [],
        "votes": {}, "gone": False, **_look(turn.speaker),
    }  # fmt: skip


def _look(name: str, slug: str | None = None) -> dict[str, Any]:
    known = face(name, slug or "")
    return {"initials": known["initials"], "hue": known["hue"]}


def as_entry(turn: ShownTurn) -> dict[str, Any]:
    """A turn as a page shows it; what two voices said to be compared is nobody's take."""
    takes = [take for take in turn.takes if take.origin != "blind"]
    kept = next((take for take in takes if take.id == turn.kept), None)
    return {
        "id": turn.id, "scene": turn.scene, "who": turn.speaker, "npc": turn.npc, "text": turn.text,
        "aside": turn.aside, "gone": turn.retracted, **_look(turn.speaker, turn.npc),
        "takes": [{"number": take.number, "text": take.text, "origin": take.origin} for take in takes],
        "kept": kept.number if kept else None, "origin": kept.origin if kept else "", "votes": turn.votes,
        "adapter": kept.adapter if kept else None,
    }  # fmt: skip
