"""The frame around every page: the rail with the rooms of the studio, the theme, and where assets come from."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.studio.studio import OpenTable, Studio

_LOOK = 2.0  # seconds between two looks at whether somebody plays
PATIENCE = 60.0  # seconds a page may take to be made on a machine that is busy with something else
PARTS = Path(__file__).parent / "parts"
ROOMS = (
    ("/", "forum", "Table"), ("/review", "rule", "Review"), ("/nights", "nights_stay", "Nights"),
    ("/characters", "theater_comedy", "Characters"), ("/machine", "memory", "Machine"),
)  # fmt: skip
_THEME = """<script>
(() => {
  const wanted = () => localStorage.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const set = () => { document.documentElement.dataset.theme = wanted(); };
  set(); matchMedia("(prefers-color-scheme: dark)").addEventListener("change", set);
  window.turnTheme = () => { localStorage.theme = wanted() === "dark" ? "light" : "dark"; set(); };
})();
</script>"""


def dress(app: Any) -> None:
    """Serve what every page loads."""
    from fastapi.staticfiles import StaticFiles

    app.mount("/_studio", StaticFiles(directory=PARTS), name="studio")
    ui.add_head_html(_THEME, shared=True)
    ui.add_head_html(f'<link rel="stylesheet" href="/_studio/studio.css?{_stamp()}">', shared=True)


def _stamp() -> int:
    return max(path.stat().st_mtime_ns for path in PARTS.iterdir())


def gm_table(studio: Studio, key: str = "") -> OpenTable | None:
    """The table this room is about, if the GM sits at it; else it says why there is nothing to see."""
    opened = studio.table(key)
    if opened is None:
        wait_for_a_table(studio)
    elif opened.gm:
        return opened
    else:
        ui.label("This room is the GM's; play without `--as`.").classes("scroll soft")
    return None


def wait_for_a_table(studio: Studio) -> None:
    """Say that nobody plays yet, and show the room as soon as somebody does."""
    ui.label("No table is open yet; it appears here when somebody plays.").classes("scroll soft")
    ui.timer(_LOOK, lambda: ui.navigate.reload() if studio.table() else None)


class Part(Element, component="parts/rail.js"):
    """The rail."""


@contextlib.contextmanager
def framed(here: str, table: str = "") -> Iterator[None]:
    """A page inside the frame.

    Args:
        here: the path of the room.
        table: the table it is about, which the other rooms are about as well.
    """
    ui.context.client.content.classes(remove="nicegui-content", add="frame")
    rail = Part()
    rail.props["rooms"] = [{"to": to, "icon": icon, "name": name} for to, icon, name in ROOMS]
    rail.props["here"] = here
    rail.props["table"] = table
    with ui.element("div").classes("page"):
        yield
