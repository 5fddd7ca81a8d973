"""A model hub on loopback: as much of the Hugging Face protocol as a pull needs, and its mishaps."""

import hashlib
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves the files of one repository.

    `mishaps` are taken one a download: an integer cuts the answer after so many bytes, ("status", code)
    refuses, "other" sends other bytes of the same length, "whole" ignores the range that was asked for.
    """

    def __init__(self, files: dict[str, bytes], *, repo: str = "somebody/tiny-GGUF", checksums: bool = True) -> None:
        self.files, self.repo, self.checksums = files, repo, checksums
        self.mishaps: deque[object] = deque()
        self.ranges: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Hub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def described(self) -> dict[str, object]:
        siblings = [
            {"rfilename": name, "size": len(data), "blobId": "b",
             **({"lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 1}} if self.checksums else {})}
            for name, data in self.files.items()
        ]  # fmt: skip
        return {"id": self.repo, "modelId": self.repo, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False,
                "downloads": 0, "cardData": {"license": "apache-2.0"}}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        data = self.hub.files.get(self._file())
        self._head(404 if data is None else 200, {"Content-Length": str(len(data or b""))}, missing=data is None)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            known = path.startswith(f"/api/models/{self.hub.repo}")
            body = json.dumps(self.hub.described() if known else {"error": "no"}).encode()
            self._head(200 if known else 404, {"Content-Length": str(len(body))}, repo_missing=not known)
            self.wfile.write(body)
            return
        self._send(self.hub.files[self._file()])

    def _file(self) -> str:
        return unquote(urlsplit(self.path).path).partition("/resolve/")[2].partition("/")[2]

    def _send(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        self.hub.ranges.append(asked)
        mishap = self.hub.mishaps.popleft() if self.hub.mishaps else None
        if isinstance(mishap, tuple):
            self._head(mishap[1], {"Content-Length": "0"})
            return
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and mishap != "whole" else 0
        body = bytes(reversed(data))[start:] if mishap == "other" else data[start:]
        partly = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        self._head(206 if start else 200, {"Content-Length": str(len(body)), **partly})
        self.wfile.write(body[:mishap] if isinstance(mishap, int) else body)
        if isinstance(mishap, int):
            self.close_connection = True

    def _head(self, code: int, headers: dict[str, str], *, missing: bool = False, repo_missing: bool = False) -> None:
        self.send_response(code)
        told = {"X-Repo-Commit": COMMIT, "ETag": '"etag"', **headers}
        if missing:
            told["X-Error-Code"] = "EntryNotFound"
        if repo_missing:
            told["X-Error-Code"] = "RepoNotFound"
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
