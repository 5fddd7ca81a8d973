"""What operators asked to watch, beside any face: the log as JSON lines, `/metrics` and `/healthz`."""

import contextlib
from collections.abc import AsyncIterator

from bot.wiring import House
from db.store import Store


@contextlib.asynccontextmanager
async def observed(house: House, store: Store, *, served_elsewhere: bool = False) -> AsyncIterator[None]:
    """Keep the log and serve the counters, where the settings say so.

    Args:
        served_elsewhere: the NPC API serves the counters already.
    """
    settings = house.settings.observe
    async with contextlib.AsyncExitStack() as stack:
        if settings.logs:
            from bot.table.json_log import kept_log

            stack.enter_context(kept_log(house.home.folder("logs")))
        if settings.metrics and not served_elsewhere:
            from fastapi import FastAPI

            from bot.api.guard import Guard
            from bot.api.health import health_router, metrics_router
            from bot.api.serving import served

            app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
            app.add_middleware(Guard, host="127.0.0.1", names=[], most=1024)
            app.include_router(health_router(store))
            app.include_router(metrics_router(store))
            await stack.enter_async_context(served(app, "127.0.0.1", settings.port))
        yield
