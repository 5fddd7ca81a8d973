"""The stand-in's gateway: websockets that identify, beat, break, and resume with what was missed."""

import asyncio
import json
import time
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import BOT, GUILD


class Watched:
    """Something one can wait for."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()

    async def until(self, true: Any, patience: float = 30.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(patience), self.changed:
            await self.changed.wait_for(true)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


class Gateway(Watched):
    """Sessions of the bot; the one server is of the first shard."""

    def __init__(self, token: str, *, privileged: bool) -> None:
        super().__init__()
        self.token, self.privileged = token, privileged
        self.url = ""
        self.heartbeat_ms = 400
        self.heartbeats: list[float] = []
        self.identified = 0
        self.resumed = 0
        self.shards: list[list[int]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.channels = [payloads.channel(), payloads.channel(payloads.CHANNEL + 1, "cellar")]
        self._events: list[dict[str, Any]] = []
        self._live: web.WebSocketResponse | None = None
        self._transports: dict[int, asyncio.Transport] = {}

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to the bot; where it is not connected, it hears of it when it resumes."""
        event = {"op": 0, "t": name, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        if self._live is not None and not self._live.closed:
            await self._live.send_json(event)

    async def drop(self) -> None:
        """The connection breaks."""
        assert self._live is not None
        self._transports[id(self._live)].abort()
        self._live = None

    async def send(self, op: int, data: Any = None) -> None:
        """Send anything else: 1 asks for a heartbeat, 7 for a reconnect, 9 says the session is invalid."""
        assert self._live is not None
        await self._live.send_json({"op": op, "d": data, "s": None, "t": None})

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from hello to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        assert isinstance(request.transport, asyncio.Transport)
        self._transports[id(socket)] = request.transport
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}, "s": None, "t": None})
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            told = json.loads(frame.data)
            if told["op"] == 1:
                self.heartbeats.append(time.monotonic())
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif told["op"] == 2:
                await self._identify(socket, told["d"])
            elif told["op"] == 6:
                await self._resume(socket, told["d"])
            await self._tell()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, told: dict[str, Any]) -> None:
        if told["token"] != self.token:
            await socket.close(code=4004)
            return
        if told["intents"] & (1 << 15) and not self.privileged:
            await socket.close(code=4014)
            return
        self.identified += 1
        shard = told.get("shard", [0, 1])
        self.shards.append(shard)
        ours = (GUILD >> 22) % shard[1] == shard[0]
        ready = {"v": 10, "user": payloads.US, "guilds": [{"id": str(GUILD), "unavailable": True}] if ours else [],
                 "session_id": "s1", "resume_gateway_url": self.url, "shard": shard,
                 "application": {"id": str(BOT), "flags": 0}}  # fmt: skip
        if not ours:
            await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": ready})
            return
        self._live = socket
        self._events.clear()
        await self.dispatch("READY", ready)
        await self.dispatch("GUILD_CREATE", {**payloads.guild(), "channels": self.channels})

    async def _resume(self, socket: web.WebSocketResponse, told: dict[str, Any]) -> None:
        if told["session_id"] != "s1":
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        for event in [event for event in self._events if event["s"] > told["seq"]]:
            await socket.send_json(event)
        self.resumed += 1
        self._live = socket
        await self.dispatch("RESUMED", {})
