"""What every page does alike: show a part, hear its buttons, and end whatever goes wrong as one sentence."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.element import Element

from bot.errors import TableError
from characters.errors import UnderstudyError

log = logging.getLogger(__name__)
_OURS = "Something went wrong that is our fault; the terminal says where, please report it."

What = dict[str, Any]
Act = Callable[[What], Awaitable[None]]


class Page:
    """One open page.

    Attributes:
        acts: what its buttons do, by name.
    """

    def __init__(self) -> None:
        self.part: Element | None = None
        self.acts: Mapping[str, Act] = {}

    def put(self, part: Element, start: What) -> None:
        """Show a part, and listen to it."""
        self.part = part
        part.props["start"] = start
        part.on("go", self.go)
        ui.context.client.on_delete(self.close)

    def close(self) -> None:
        """Let go of what was shown, which is much; others may still hold the page for a while."""
        if self.part is not None:
            self.part.props.pop("start", None)
            self.part = None

    def send(self, *events: What) -> None:
        """Tell the part something."""
        if self.part is not None and not self.part.is_deleted:
            self.part.run_method("apply", list(events))

    def fail(self, text: str) -> None:
        """Say what went wrong."""
        self.send({"is": "fail", "text": text})

    async def go(self, event: Any) -> None:
        """Do what a button asks."""
        what = event.args if isinstance(event.args, dict) else {}
        act = self.acts.get(str(what.get("do")))
        if act is None:
            return
        try:
            await act(what)
        except UnderstudyError as error:
            self.fail(str(error))
        except Exception:
            log.exception("A button of the studio failed.")
            self.fail(_OURS)


def number(what: What, name: str) -> int:
    """A number a button sent.

    Raises:
        TableError: it is none.
    """
    value = what.get(name)
    if not isinstance(value, int) or not 0 < value < 2**31:
        raise TableError("That is not known here any more; reload the page.")
    return value


def text(what: What, name: str, most: int = 4000) -> str:
    """A text a button sent."""
    return str(what.get(name) or "")[:most].strip()
