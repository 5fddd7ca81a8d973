"""The frame around every page: the rail with the rooms of the studio, the theme, and where assets come from."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.studio.studio import OpenTable

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


def only_gm(opened: OpenTable | None) -> bool:
    """Whether the GM sits at this page; else it says why there is nothing to see."""
    if opened is not None and opened.gm:
        return True
    told = "This room is the GM's; play without `--as`." if opened else "No table is open yet; it appears here."
    ui.label(told).classes("scroll soft")
    return False


class Part(Element, component="parts/rail.js"):
    """The rail."""


@contextlib.contextmanager
def framed(here: str) -> Iterator[None]:
    """A page inside the frame.

    Args:
        here: the path of the room.
    """
    ui.context.client.content.classes(remove="nicegui-content", add="frame")
    rail = Part()
    rail.props["rooms"] = [{"to": to, "icon": icon, "name": name} for to, icon, name in ROOMS]
    rail.props["here"] = here
    with ui.element("div").classes("page"):
        yield
