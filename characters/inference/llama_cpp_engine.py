"""The local engine: llama.cpp in a worker process, restarted when it fails.

Lines go to the worker as they are asked for, and it speaks as many at once as it has room for. A line whose worker
dies is asked for again with the same seed: it is answered once, and a caller that had already shown a part of it hears
`Restart` first. The second time each runs alone, so that a line that kills the worker takes no other table's with it.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import logging
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
from characters.inference.errors import AdapterRefused, ModelCorrupt, ModelMissing, Unsupported, WorkerFailed
from characters.inference.llama_options import LoadOptions
from characters.inference.worker_process import WorkerDied, WorkerProcess, gave_up
from characters.prompt import said_at_hand

log = logging.getLogger(__name__)

_MAX_FAILURES = 3
_OWN_LINES = 6  # of its own last lines a small model is kept from


class LlamaCppEngine:
    """Speaks from one GGUF file.

    Args:
        model: the file.
        options: context, KV budget, threads, how many lines at once.
        patience: seconds a worker may give no sign before it is taken for hung.
        kept: a folder that keeps what was read of sheets from one start to the next.
        embedder: the GGUF that makes vectors of texts, this one or another; None makes none.
    """

    def __init__(
        self, model: Path, options: LoadOptions = LoadOptions(), patience: float = 60.0, kept: Path | None = None,
        embedder: Path | None = None,
    ) -> None:
        self._model = model
        self._embedder = embedder
        self.options = options
        self._patience = patience
        self._kept = kept
        self._worker: WorkerProcess | None = None
        self._adapters: dict[str, Path] = {}
        self._capabilities: Capabilities | None = None
        self._starting = asyncio.Lock()
        self._failed_starts = 0

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._worker.pid if self._worker else None

    async def start(self) -> None:
        """Start the worker.

        Raises:
            EngineError: it cannot be started.
        """
        for _ in range(_MAX_FAILURES):
            with contextlib.suppress(WorkerDied):
                await self._running()
                return
        raise gave_up(_MAX_FAILURES, self._model.name)

    async def _running(self) -> WorkerProcess:
        """The worker; a new one where there is none, with the adapters the last one had.

        Raises:
            WorkerDied: a new one died at its start, whoever started it.
        """
        seen = self._failed_starts
        async with self._starting:
            if self._worker is not None and self._worker.pid is not None:
                return self._worker
            if self._failed_starts != seen:
                raise WorkerDied
            check_model(self._model)
            if self._embedder is not None:
                check_model(self._embedder, "memory.embedding_model")
            options = {"path": str(self._model), **dataclasses.asdict(self.options),
                       "threads": self.options.threads_for(self._model)}  # fmt: skip
            worker = WorkerProcess(options, self._patience)
            try:
                await worker.start()
                await self._reload(worker)
                if self._capabilities is not None:
                    await self._keep_in(worker, self._capabilities.base_id)
            except BaseException as error:  # a start that was broken off leaves no process behind
                self._failed_starts += isinstance(error, WorkerDied)
                await worker.kill()
                raise
            self._worker = worker
            return worker

    async def _reload(self, worker: WorkerProcess) -> None:
        """Give a new worker the adapters the last one had; one whose file is gone since, stays out."""
        for name, path in list(self._adapters.items()):
            try:
                await worker.call("load_adapter", adapter=name, path=str(path))
            except AdapterRefused as error:
                log.warning("%s The base speaks without it.", error)
                self._adapters.pop(name, None)

    async def _keep_in(self, worker: WorkerProcess, base_id: str) -> None:
        """Tell the worker where it keeps what it reads of sheets."""
        if self._kept is not None:
            await worker.call("keep_in", folder=str(self._kept), base=base_id)

    async def close(self) -> None:
        """End the worker."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()

    async def _events(self, op: str, order: dict[str, Any]) -> AsyncGenerator[dict[str, Any] | None, None]:
        """The events of an order; None where its worker died and a fresh one begins it anew.

        Raises:
            WorkerFailed: workers died under it again and again, or the engine was closed.
        """
        deaths = 0
        while True:
            worker, begun = None, True
            try:
                worker = await self._running()
                begun = deaths == 0
                async with contextlib.aclosing(worker.stream(op, **order, alone=deaths > 0)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except WorkerDied:
                if worker is not None:
                    await self._bury(worker)
            deaths += begun  # while it was waiting for its turn it was another's fault
            if deaths >= _MAX_FAILURES:
                raise gave_up(deaths, self._model.name)
            yield None

    async def _bury(self, worker: WorkerProcess) -> None:
        """A worker has died under an order; another order may have seen to it before."""
        if worker.closed:
            raise WorkerFailed("The model was closed while it spoke; ask again once it runs.")
        if self._worker is worker:
            self._worker = None
        await worker.kill()

    async def _call(self, op: str, **order: Any) -> Any:
        """The result of an order."""
        async with contextlib.aclosing(self._events(op, order)) as events:
            async for event in events:
                if event is not None and event["event"] == "result":
                    return event["result"]
        raise AssertionError("an order ends with its result")

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
            with contextlib.suppress(WorkerDied):  # a fresh one is told at its start
                await self._keep_in(await self._running(), self._capabilities.base_id)
        return self._capabilities

    async def generate(self, request: Request) -> AsyncGenerator[Event, None]:
        """Speak a line; those for which there is no room wait in order."""
        shown = False
        async with contextlib.aclosing(self._events("generate", _order(_seeded(request)))) as events:
            async for event in events:
                if event is None:
                    if shown:
                        yield Restart()
                    shown = False
                elif event["event"] == "delta":
                    shown = True
                    yield Delta(event["text"])
                elif event["event"] == "result":
                    yield _finish(event["result"])
                    return

    async def read_ahead(self, request: Request) -> None:
        """Evaluate a prompt while nobody waits."""
        await self._call("read_ahead", **_order(request))

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text."""
        ids: list[int] = await self._call("tokenize", text=text)
        return ids

    async def score(self, prompt: str, completions: Sequence[str], adapter: str | None = None) -> list[Score]:
        """Log-probabilities of completions."""
        found = await self._call("score", prompt=prompt, completions=list(completions), adapter=adapter)
        return [Score(logprob, tokens) for logprob, tokens in found]

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts."""
        if self._embedder is None:
            raise Unsupported("Nothing makes vectors of texts here; set memory.embeddings to engine.")
        other = "" if self._embedder == self._model else str(self._embedder)
        vectors: list[list[float]] = await self._call("embed", texts=list(texts), model=other)
        return vectors

    async def load_adapter(self, adapter: str, path: Path) -> None:
        """Load an adapter, now and after every restart."""
        if not await asyncio.to_thread(path.is_file):
            raise ModelMissing(f"There is no adapter at {path}; run `understudy adapters` to see which exist.")
        await self._call("load_adapter", adapter=adapter, path=str(path))
        self._adapters[adapter] = path

    async def unload_adapter(self, adapter: str) -> None:
        """Forget an adapter."""
        if self._adapters.pop(adapter, None) is not None:
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
        "facts": said_at_hand(request.prompt), "spoken": _spoken(request), "sheet": _end_of_sheet(request),
    }  # fmt: skip


def _spoken(request: Request) -> list[str]:
    """The NPC's own last lines, where nothing at hand may be asked for again."""
    if not request.messages or said_at_hand(request.messages[-1].content):
        return []
    return [message.content.strip() for message in request.messages if message.role == "assistant"][-_OWN_LINES:]


def _end_of_sheet(request: Request) -> int:
    """Up to where a prompt is the NPC's own: its system text, wherever the template puts it."""
    system = request.messages and request.messages[0].role == "system"
    own = request.messages[0].content.strip() if system else ""
    begins = request.prompt.find(own)
    return begins + len(own) if own and begins >= 0 else 0


def _finish(result: dict[str, Any]) -> Finish:
    timings = Timings(
        ttft_ms=result["ttft_ms"], total_ms=result["total_ms"], prompt_tokens=result["prompt_tokens"],
        reused_tokens=result["reused_tokens"], tokens=result["tokens"],
    )  # fmt: skip
    return Finish(result["reason"], result["text"], timings)
