"""The peers: llama.cpp's own server where it is installed, else the one that comes with llama-cpp-python.

`llama-server` keeps a KV cache for each slot, and a request may name its slot: configured fairly, every NPC has one of
its own. llama-cpp-python's server keeps one conversation: it goes on where the last prompt and the new one agree, and
reads the rest anew.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2

from learning.errors import LearningError
from learning.speed.timing import Timed, timed


class Peer:
    """A running server.

    Attributes:
        slots: how many conversations it keeps; 1 for llama-cpp-python's.
    """

    def __init__(self, name: str, address: str, slots: int) -> None:
        self.name, self.slots = name, slots
        self._native = name == "llama-server"
        self._client = httpx2.AsyncClient(base_url=address, timeout=600)

    async def line(self, prompt: str, tokens: int, slot: int = 0, seed: int = 1) -> Timed:
        """Time a line."""
        asked = {"prompt": prompt, "stream": True, "temperature": 1.0, "top_k": 64, "top_p": 0.95, "min_p": 0.05,
                 "repeat_penalty": 1.0, "seed": seed}  # fmt: skip
        if self._native:
            asked |= {"n_predict": tokens, "cache_prompt": True, "id_slot": slot % self.slots}
        else:
            asked |= {"max_tokens": tokens}
        path = "/completion" if self._native else "/v1/completions"
        try:
            return await timed(self._pieces(path, asked))
        except httpx2.RemoteProtocolError:  # it hangs up on connections that rested, at times while we ask
            return await timed(self._pieces(path, asked))

    async def _pieces(self, path: str, asked: dict[str, object]) -> AsyncIterator[int]:
        count = 0
        async with self._client.stream("POST", path, json=asked) as answer:
            if answer.status_code != 200:
                raise LearningError(f"{self.name} refuses ({answer.status_code}); see what it says at its address.")
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    told = json.loads(line[6:])
                    ends = [part.get("finish_reason") for part in told.get("choices", ())]
                    over = told.get("stop") is True or any(ends)
                    count += not over
                    yield max(count, 1)

    async def ready(self, process: asyncio.subprocess.Process) -> None:
        """Wait until it answers.

        Raises:
            LearningError: it ends instead.
        """
        for _ in range(1200):
            if process.returncode is not None:
                raise LearningError(f"The peer {self.name} ended at its start; run it by hand to see why.")
            with contextlib.suppress(httpx2.HTTPError):
                if (await self._client.get("/v1/models")).status_code == 200:
                    return
            await asyncio.sleep(0.25)
        raise LearningError(f"The peer {self.name} does not answer; run it by hand to see why.")

    async def close(self) -> None:
        """Close the connection; the process is its owner's."""
        await self._client.aclose()


@contextlib.asynccontextmanager
async def peer(model: Path, context: int, threads: int, slots: int = 1) -> AsyncIterator[Peer]:
    """Run the best peer there is beside us: `LLAMA_SERVER`, or llama-server on the PATH, or llama-cpp-python's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    native = os.environ.get("LLAMA_SERVER") or shutil.which("llama-server")
    at = ["--host", "127.0.0.1", "--port", str(port)]
    command: Sequence[str]
    if native:
        command = [native, "-m", str(model), "-c", str(context * slots), "-t", str(threads), "-np", str(slots), *at]
    else:
        command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--n_ctx", str(context),
                   "--n_threads", str(threads), "--n_threads_batch", str(threads), "--verbose", "false",
                   "--interrupt_requests", "false", *at]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    name = "llama-server" if native else "llama-cpp-python's server"
    found = Peer(name, f"http://127.0.0.1:{port}", slots if native else 1)
    try:
        await found.ready(process)
        yield found
    finally:
        await found.close()
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
            if process.returncode is None:
                process.kill()
        await process.wait()
