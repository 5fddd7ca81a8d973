"""The local engine: llama.cpp in a worker process, restarted when it fails.

A line whose worker dies is asked for again with the same seed: it is answered once, and a caller
that had already shown a part of it hears `Restart` first.
"""

import asyncio
import dataclasses
import hashlib
import random
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from characters.chat_template import ChatTemplate
from characters.inference.engine import (
    Capabilities,
    Delta,
    Event,
    Finish,
    Request,
    Restart,
    Score,
    Timings,
)  # fmt: skip
from characters.inference.errors import ModelCorrupt, ModelMissing, Unsupported
from characters.inference.llama_options import LoadOptions
from characters.inference.worker_process import WorkerDied, WorkerProcess, gave_up
from characters.prompt import said_at_hand

_MAX_FAILURES = 3


class LlamaCppEngine:
    """Speaks from one GGUF file.

    Args:
        model: the file.
        options: context, KV budget, threads.
        patience: seconds a worker may give no sign before it is taken for hung.
        embedder: the GGUF that makes vectors of texts, this one or another; None makes none.
    """

    def __init__(
        self, model: Path, options: LoadOptions = LoadOptions(), patience: float = 60.0, embedder: Path | None = None
    ) -> None:
        self._model = model
        self._embedder = embedder
        self.options = options
        self._patience = patience
        self._worker: WorkerProcess | None = None
        self._adapters: dict[str, Path] = {}
        self._capabilities: Capabilities | None = None
        self._lock = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._failures = 0

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._worker.pid if self._worker else None

    async def start(self) -> None:
        """Start the worker; after a crash, with the adapters it had."""
        async with self._starting:
            if self._worker is not None and self._worker.pid is not None:
                return
            check_model(self._model)
            if self._embedder is not None:
                check_model(self._embedder, "memory.embedding_model")
            options = {"path": str(self._model), **dataclasses.asdict(self.options),
                       "threads": self.options.threads_for(self._model)}  # fmt: skip
            worker = WorkerProcess(options, self._patience)
            try:
                await worker.start()
                for name, path in self._adapters.items():
                    await worker.call("load_adapter", adapter=name, path=str(path))
            except WorkerDied:
                await self._failed()
                raise
            self._worker = worker

    async def _failed(self) -> None:
        self._failures += 1
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()

    async def close(self) -> None:
        """End the worker."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    async def _call(self, op: str, **order: Any) -> Any:
        """An order repeated on a fresh worker if the first one dies under it."""
        while True:
            try:
                await self.start()
                assert self._worker is not None
                result = await self._worker.call(op, **order)
            except WorkerDied:
                await self._note_failure()
                continue
            self._failures = 0
            return result

    async def _note_failure(self) -> None:
        if self._worker is not None:
            await self._failed()
        if self._failures >= _MAX_FAILURES:
            failures, self._failures = self._failures, 0
            raise gave_up(failures, self._model.name) from None

    async def capabilities(self) -> Capabilities:
        """Read from the model file once."""
        if self._capabilities is None:
            told = await self._call("describe")
            template = ChatTemplate(
                source=told["template"], bos=told["bos"], eos=told["eos"],
                special_tokens=tuple(told["special"]), add_bos=told["add_bos"],
            )  # fmt: skip
            self._capabilities = Capabilities(
                name=told["name"] or self._model.stem,
                base_id=await asyncio.to_thread(file_id, self._model),
                context=told["context"], scoring=True, adapters=True,
                template=template if told["template"] else None,
                system_budget=int(told["system_budget"] or 0) or None,
                context_budget=int(told["context_budget"] or 0) or None,
                embedding=await asyncio.to_thread(file_id, self._embedder) if self._embedder else None,
            )  # fmt: skip
        return self._capabilities

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        """Speak a line; requests wait for each other in order."""
        request = _seeded(request)
        async with self._lock:
            while True:
                shown = False
                try:
                    await self.start()
                    assert self._worker is not None
                    stream = self._worker.stream("generate", **_order(request))
                    try:
                        async for event in stream:
                            if event["event"] == "delta":
                                shown = True
                                yield Delta(event["text"])
                            else:
                                self._failures = 0
                                yield _finish(event["result"])
                                return
                    finally:
                        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
                except WorkerDied:
                    await self._note_failure()
                    if shown:
                        yield Restart()

    async def read_ahead(self, request: Request) -> None:
        """Evaluate a prompt while nobody waits."""
        async with self._lock:
            await self._call("read_ahead", **_order(request))

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        ids: list[int] = await self._call("tokenize", text=text)
        return ids

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        """Log-probabilities of completions."""
        async with self._lock:
            found = await self._call("score", prompt=prompt, completions=list(completions), adapter=adapter)
        return [Score(logprob, tokens) for logprob, tokens in found]

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts."""
        if self._embedder is None:
            raise Unsupported("Nothing makes vectors of texts here; set memory.embeddings to engine.")
        other = "" if self._embedder == self._model else str(self._embedder)
        async with self._lock:
            vectors: list[list[float]] = await self._call("embed", texts=list(texts), model=other)
        return vectors

    async def load_adapter(self, adapter: str, path: Path) -> None:
        """Load an adapter, now and after every restart."""
        if not await asyncio.to_thread(path.is_file):
            raise ModelMissing(f"There is no adapter at {path}; run `understudy adapters` to see which exist.")
        async with self._lock:
            await self._call("load_adapter", adapter=adapter, path=str(path))
        self._adapters[adapter] = path

    async def unload_adapter(self, adapter: str) -> None:
        """Forget an adapter."""
        if self._adapters.pop(adapter, None) is not None:
            async with self._lock:
                await self._call("unload_adapter", adapter=adapter)


def check_model(path: Path, setting: str = "engine.model") -> None:
    """Refuse what is plainly no model before a process is started for it.

    Args:
        setting: where it was named.

    Raises:
        ModelMissing, ModelCorrupt: one sentence each.
    """
    if not path.is_file():
        raise ModelMissing(f"There is no model at {path}; set {setting} to a GGUF file, or restore the starter.")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelCorrupt(f"{path} is not a GGUF file; download or restore it again.")


_ids: dict[tuple[str, int, int], str] = {}


def file_id(path: Path) -> str:
    """The tagged sha256 of a file; read once while size and time stay the same."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    if key not in _ids:
        with path.open("rb") as file:
            _ids[key] = "sha256-" + hashlib.file_digest(file, "sha256").hexdigest()
    return _ids[key]


def _seeded(request: Request) -> Request:
    """Fix the seed before the first try, so that a repeated line is the same line."""
    if request.sampling.seed is not None:
        return request
    sampling = dataclasses.replace(request.sampling, seed=random.SystemRandom().getrandbits(31))
    return dataclasses.replace(request, sampling=sampling)


def _order(request: Request) -> dict[str, Any]:
    return {
        "prompt": request.prompt, "stop": list(request.stop), "cache_key": request.cache_key,
        "adapter": request.adapter, "sampling": dataclasses.asdict(request.sampling),
        "facts": said_at_hand(request.prompt),
    }  # fmt: skip


def _finish(result: dict[str, Any]) -> Finish:
    timings = Timings(
        ttft_ms=result["ttft_ms"], total_ms=result["total_ms"], prompt_tokens=result["prompt_tokens"],
        reused_tokens=result["reused_tokens"], tokens=result["tokens"],
    )  # fmt: skip
    return Finish(result["reason"], result["text"], timings)
