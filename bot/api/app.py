"""The API as a FastAPI application, to be served by itself or mounted beside another face.

With a table that is open: `api = Api(await Host.beside(table, settings.api))`, then
`app.mount("/api", api.app)` puts it under /api/v1/…, and `await api.close()` ends it.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from bot.api.completions import Completions, Speaking
from bot.api.conversations import Conversations
from bot.api.errors import ApiError, as_api_error
from bot.api.feedback import give
from bot.api.guard import Guard
from bot.api.health import health_router, metrics_router
from bot.api.host import HERE, Caller, Host
from bot.api.page import page
from bot.api.schemas import CompletionRequest, FeedbackRequest
from bot.api.wire import completion, stream
from bot.table.events import Line, Piece
from characters.errors import UnderstudyError
from db.queries import api as keys

_ABOUT = (
    "Every NPC of every campaign is a model. Text from here is logged with the source `api`, and trained on only "
    "where its key consents."
)
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Api:
    """The API over a host.

    Args:
        listens_at: the address it is reached at; anything but this machine's own needs a key.
        observed: serve /healthz, and to those who may call, /metrics.

    Attributes:
        app: the application.
    """

    def __init__(self, host: Host, listens_at: str = "127.0.0.1", *, observed: bool = False) -> None:
        self.host = host
        self.conversations = Conversations(host)
        self.completions = Completions(self.conversations)
        self.app = FastAPI(
            title="Understudy", version="1", description=_ABOUT, docs_url=None, redoc_url=None,
            openapi_url="/openapi.json", redirect_slashes=False,
        )  # fmt: skip
        settings = host.settings
        self.app.add_middleware(Guard, host=listens_at, names=settings.names.split(","), most=settings.body_kib * 1024)
        for kind in (UnderstudyError, RequestValidationError, HTTPException, Exception):
            self.app.add_exception_handler(kind, _refuse)
        self._route()
        if observed:
            self.app.include_router(health_router(host.store))
            self.app.include_router(metrics_router(host.store), dependencies=[Depends(self.caller)])

    async def close(self) -> None:
        """Silence what is spoken, and get up from every table; the host stays."""
        await self.completions.close()
        await self.conversations.close()

    async def caller(self, request: Request) -> Caller:
        """Who asks: by key, or a program of this machine.

        Raises:
            ApiError: a key is missing, or unknown.
        """
        given = request.headers.get("authorization", "")
        scheme, _, secret = given.partition(" ")
        secret = secret.strip() if scheme.casefold() == "bearer" else request.headers.get("x-api-key", "").strip()
        at_home = request.scope.get("state", {}).get("at_home", False)
        if secret.startswith(SECRET_PREFIX) or (secret and not at_home):
            async with self.host.store.session() as session:
                key = await keys.key_of(session, secret)
            if key is None:
                raise ApiError("This API key opens nothing; make one with `understudy serve key new NAME`.", 401,
                               "authentication_error", "invalid_api_key")  # fmt: skip
            return Caller.of(key)
        if not at_home:
            raise ApiError("An API key is needed from outside this machine; send it as Authorization: Bearer KEY.", 401,
                           "authentication_error", "missing_api_key")  # fmt: skip
        return Caller(HERE, self.host.campaign)

    def _route(self) -> None:
        caller = Annotated[Caller, Depends(self.caller)]

        @self.app.get("/v1/models", summary="Every NPC this key may speak with")
        async def models(caller: caller) -> dict[str, Any]:
            made = int(self.host.clock().timestamp())
            named = [
                f"{campaign}/{npc}"
                for campaign in await self.conversations.campaigns(caller) for npc in self.host.library.slugs()
            ]  # fmt: skip
            return {"object": "list", "data": [_model(name, made) for name in named]}

        @self.app.get("/v1/models/{model:path}", summary="One NPC")
        async def model(model: str, caller: caller) -> dict[str, Any]:
            campaign, npc = await self.conversations.model(caller, model)
            return _model(f"{campaign}/{npc}", int(self.host.clock().timestamp()))

        @self.app.post("/v1/chat/completions", summary="Say something to an NPC, and hear its line")
        async def chat(asked: CompletionRequest, request: Request, caller: caller) -> Response:
            return await self._chat(asked, request, caller)

        @self.app.post("/v1/feedback", summary="👍, 👎, ✖ or better words for a line")
        async def feedback(given: FeedbackRequest, caller: caller) -> dict[str, Any]:
            return await give(self.completions, given, caller)

        self.app.post("/feedback", include_in_schema=False)(feedback)

        @self.app.get("/docs", include_in_schema=False)
        async def docs(request: Request) -> HTMLResponse:
            return HTMLResponse(page(self.app.openapi(), request.scope.get("root_path", "")), headers=PAGE_HEADERS)

    async def _chat(self, asked: CompletionRequest, request: Request, caller: Caller) -> Response:
        speaking = await self.completions.begin(asked, caller)
        pieces, now = speaking.performance.pieces(), self.host.clock()
        try:
            if not asked.stream:
                line = await _heard_out(request, speaking, pieces)
                return JSONResponse(completion(speaking, line, now), headers=_HEADERS)
            first = await _unless_left(request, anext(pieces, None))
        except BaseException:
            speaking.performance.leave()
            raise
        body = stream(speaking, first, pieces, now)
        return StreamingResponse(body, media_type="text/event-stream", headers=_HEADERS)


SECRET_PREFIX = "usk-"
PAGE_HEADERS = {
    **_HEADERS, "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}  # fmt: skip


def _model(name: str, made: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": made, "owned_by": "understudy"}


async def _refuse(_: Request, error: Exception) -> Response:
    return as_api_error(error).response()


async def _heard_out(
    request: Request, speaking: Speaking, pieces: AsyncGenerator[Piece | Line, None]
) -> Line | None:  # fmt: skip
    async def last() -> Line | None:
        line = None
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                line = piece if isinstance(piece, Line) else line
        return line

    line: Line | None = await _unless_left(request, last())
    return line


async def _unless_left(request: Request, wanted: Any) -> Any:
    """Wait for something, as long as the client does."""
    work = asyncio.ensure_future(wanted)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ApiError("The client left before the line was whole.", 499)
        return work.result()
    finally:
        for task in (work, leaving):
            task.cancel()
        await asyncio.gather(work, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
