"""A line to PostgreSQL that breaks, as when the server goes away in the middle of something."""

import asyncio

from sqlalchemy.engine import make_url


class PostgresLine:
    """Passes everything on between a client and the server, until the client says certain words.

    Then every connection ends without a word, and nobody gets through any more.

    Args:
        url: the server's.
        until: what the client's statement holds when the line breaks.
    """

    def __init__(self, url: str, until: str) -> None:
        self._real = make_url(url)
        self._until = until.encode()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address of this end of the line."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        here = self._real.set(host="127.0.0.1", port=port).update_query_dict({"sslmode": "disable"})
        return here.render_as_string(hide_password=False)

    async def __aenter__(self) -> "PostgresLine":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._break()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection(self._real.host, self._real.port or 5432)
        self._writers += [writer, server]
        await asyncio.gather(self._pass_on(reader, server, self._until), self._pass_on(answers, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: bytes = b"") -> None:
        while data := await reader.read(65536):
            if until and until in data:
                self._break()
                return
            writer.write(data)
        writer.close()

    def _break(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
