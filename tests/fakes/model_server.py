"""An OpenAI-compatible server on loopback that behaves, or misbehaves, as scripted."""

import asyncio
import json
from collections import deque
from typing import Any


class ModelServer:
    """Speaks just enough HTTP and SSE; each request takes the next behaviour from the script.

    Behaviours: a string (the reply), ("slow", seconds, reply) with that pause before every word,
    ("status", code, headers), "!vanish" (half a line, then the connection ends), "!nonsense" (an
    event that is no JSON), "!hang" (no answer), "!stall" (half a line, then silence), ("finish", reason,
    reply) with that reason for the end.

    Attributes:
        routes: what addresses other than the chat's answer: (status, JSON) by "METHOD /path"; unknown ones 404.
        asked: what came to them: the address and the body.
    """

    def __init__(self) -> None:
        self.script: deque[Any] = deque()
        self.requests: list[dict[str, Any]] = []
        self.routes: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, Any]] = []
        self._server: asyncio.Server | None = None
        self._hanging = asyncio.Event()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> "ModelServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._hanging.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")]
            request = json.loads(await reader.readexactly(lengths[0])) if lengths and lengths[0] else None
            address = head.partition(" HTTP")[0]
            if not address.endswith("/chat/completions"):
                self.asked.append((address, request))
                self._tell(writer, *self.routes.get(address, (404, {"error": "unknown"})))
                await writer.drain()
                return
            self.requests.append(request)
            await self._answer(writer, self.next(request))
            await writer.drain()
            self.served(request)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()

    def _tell(self, writer: asyncio.StreamWriter, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        writer.write(f"HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\n".encode())
        writer.write(f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    def next(self, request: dict[str, Any]) -> Any:
        """The behaviour towards a request."""
        return self.script.popleft() if self.script else "Aye."

    def served(self, request: dict[str, Any]) -> None:
        """A request was answered to its end."""

    async def _answer(self, writer: asyncio.StreamWriter, behaviour: Any) -> None:  # noqa: C901  (one branch a behaviour)
        if behaviour == "!hang":
            await self._hanging.wait()
            return
        if isinstance(behaviour, bytes):
            self._raw(writer, behaviour)
            return
        pause, end = 0.0, "stop"
        if isinstance(behaviour, tuple) and behaviour[0] == "finish":
            _, end, behaviour = behaviour
        if isinstance(behaviour, tuple) and behaviour[0] == "slow":
            _, pause, behaviour = behaviour
        if isinstance(behaviour, tuple):
            _, code, headers = behaviour
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            body = b'{"error": {"message": "scripted"}}'
            writer.write(f"HTTP/1.1 {code} Scripted\r\nContent-Type: application/json\r\n{lines}".encode())
            writer.write(f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        if behaviour == "!nonsense":
            self._chunk(writer, b"data: {not json}\n\n")
            return
        if behaviour == "!vanish":
            self._chunk(writer, self._event("The ale is "))
            await writer.drain()
            writer.transport.abort()
            return
        if behaviour == "!stall":
            self._chunk(writer, self._event("The ale is "))
            await writer.drain()
            await self._hanging.wait()
            return
        words = behaviour.split(" ")
        for index, word in enumerate(words):
            if pause:
                await writer.drain()
                await asyncio.sleep(pause)
            self._chunk(writer, self._event(word if index == len(words) - 1 else word + " "))
        self._chunk(writer, self._event("", end) + b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")

    def _raw(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """A body, whatever it is."""
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _event(self, text: str, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    def _chunk(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
