"""Serves the studio on the event loop it is called on: NiceGUI in a FastAPI application of ours, behind the guard.

NiceGUI is imported here and by the pages, and by nothing else, so that a terminal or a bot without the
studio costs no more than before. Other routers (the NPC API) are mounted beside it by `routers`.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from bot.studio.address import Address
from bot.studio.guard import Guard
from bot.studio.studio import Studio

if TYPE_CHECKING:
    import uvicorn
    from fastapi import APIRouter

log = logging.getLogger(__name__)
_UP = 20.0  # seconds until it answers
_DOWN = 5.0  # seconds open pages have to let go


@contextlib.asynccontextmanager
async def served(studio: Studio, address: Address, routers: "Sequence[APIRouter]" = ()) -> AsyncIterator[None]:
    """Serve while the context is open.

    Args:
        routers: mounted beside the pages, under their own paths and with keys of their own.
    """
    import uvicorn

    os.environ["NICEGUI_STORAGE_PATH"] = str(studio.home.folder("cache/studio"))
    app = make_app(studio, routers)
    config = uvicorn.Config(
        Guard(app, address), host=address.host, port=address.port, loop="none", log_level="warning", access_log=False,
        lifespan="on", server_header=False, ws_max_size=1024 * 1024, timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = _Quiet.make(config)
    running = asyncio.create_task(server.serve())
    try:
        await _up(server, running)
        yield
    finally:
        server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(running, _DOWN)
        await studio.close()


async def _up(server: Any, running: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(_UP):
        while not server.started:
            if running.done():
                await running  # tells why
                return
            await asyncio.sleep(0.02)


class _Quiet:
    """A server that leaves signals to the program it is a part of."""

    @staticmethod
    def make(config: "uvicorn.Config") -> "uvicorn.Server":
        import uvicorn

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Any:
                yield

        return Server(config)


def make_app(studio: Studio, routers: "Sequence[APIRouter]" = ()) -> Any:
    """The application: routers first, then the pages, which take whatever is left."""
    from fastapi import FastAPI
    from nicegui import ui

    from bot.studio.files import router as files
    from bot.studio.frame import dress
    from bot.studio.pages import characters, machine, nights, review, table

    app = FastAPI(title="Understudy", docs_url=None, redoc_url=None, openapi_url=None)
    for router in (*routers, files(studio)):
        app.include_router(router)
    dress(app)
    for page in (table, review, nights, characters, machine):
        page.register(studio)
    ui.run_with(
        app, title="Understudy", favicon="🎭", dark=None, tailwind=False, show_welcome_message=False,
        binding_refresh_interval=None, reconnect_timeout=20.0, message_history_length=2000,
    )  # fmt: skip
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    return app
