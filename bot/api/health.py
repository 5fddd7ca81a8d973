"""`/healthz` and `/metrics`: for whoever watches that it runs."""

import asyncio

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.table.observing import COUNTERS
from characters.errors import UnderstudyError
from db.queries import numbers
from db.store import Store

_PATIENCE = 5.0  # seconds


def health_router(store: Store) -> APIRouter:
    """Whether it runs, and how."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the database answers")
    async def healthz() -> Response:
        try:
            async with asyncio.timeout(_PATIENCE), store.session() as session:
                well = await numbers.answers(session)
        except (UnderstudyError, TimeoutError):
            well = False
        return JSONResponse({"status": "ok" if well else "failing", "database": well}, 200 if well else 503)

    return router


def metrics_router(store: Store) -> APIRouter:
    """Counters in Prometheus' text format."""
    router = APIRouter()

    @router.get("/metrics", summary="Counters in Prometheus' text format")
    async def metrics() -> Response:
        try:
            async with asyncio.timeout(_PATIENCE), store.session() as session:
                also = await numbers.gauges(session)
        except (UnderstudyError, TimeoutError):
            also = []
        return PlainTextResponse(COUNTERS.text(also), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
