"""Adapters of a model server: found there, or registered, and chosen for each request.

- llama-server knows its adapters from its own command line (`--lora FILE`, best with
  `--lora-init-without-apply`); `GET /lora-adapters` numbers them, and a request's field `lora` says
  how strongly each is applied. All are named in every request, for a server's default may be 1.
- vLLM (`--enable-lora`, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True to register at run time) serves an
  adapter as a model of its own; `POST /v1/load_lora_adapter` registers a folder in PEFT's form.

Protocols: tools/server/README.md of llama.cpp, and "LoRA Adapters" in vLLM's documentation.
"""

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Literal, Protocol

import httpx2

from characters.inference.errors import AdapterRefused, RemoteUnavailable

Kind = Literal["none", "llama-server", "vllm"]


@dataclass(frozen=True)
class Choice:
    """What a request says so that an adapter speaks: the model's name, and further fields."""

    model: str
    fields: dict[str, Any] = field(default_factory=dict)


class ServerAdapters(Protocol):
    """The adapters of a server."""

    async def load(self, adapter: str, path: Path) -> None:
        """Make an adapter ready to be chosen.

        Raises:
            AdapterRefused: the server has not got it, and takes it from nobody.
            RemoteUnavailable: the server does not answer.
        """

    async def unload(self, adapter: str) -> None:
        """Let go of an adapter; unknown ones are ignored."""

    def choose(self, adapter: str | None) -> Choice:
        """What to say for an adapter, or for the bare base."""


class Server:
    """Asks a server about its adapters.

    Args:
        url: base address, ending in /v1.
    """

    def __init__(self, url: str, key: str, patience: float) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._patience = patience

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """One request; `path` is below the server's root.

        Raises:
            RemoteUnavailable: no answer.
        """
        address = self.url.removesuffix("/v1") + path
        try:
            async with httpx2.AsyncClient(timeout=self._patience, headers=self._headers) as client:
                return await client.request(method, address, json=body)
        except httpx2.HTTPError as error:
            raise RemoteUnavailable(
                f"The model server {self.url} does not tell its adapters; start it or correct engine.url."
            ) from error


class LlamaServerAdapters:
    """The adapters llama-server was started with."""

    def __init__(self, server: Server, model: str) -> None:
        self._server, self._model = server, model
        self._numbers: dict[str, int] = {}
        self._all: tuple[int, ...] | None = None

    async def load(self, adapter: str, path: Path) -> None:
        """Find an adapter by its file's name."""
        answer = await self._server.ask("GET", "/lora-adapters")
        listed = _list(answer)
        if listed is None:
            raise AdapterRefused(f"{self._server.url} is no llama-server with adapters (it answers "
                                 f"{answer.status_code}); correct engine.adapters.")  # fmt: skip
        self._all = tuple(int(one["id"]) for one in listed)
        found = [int(one["id"]) for one in listed if PurePath(str(one["path"])).name == path.name]
        if not found:
            raise AdapterRefused(f"The model server has no adapter {path.name}; start llama-server with --lora {path}.")
        self._numbers[adapter] = found[0]

    async def unload(self, adapter: str) -> None:
        """The server keeps what it was started with."""
        self._numbers.pop(adapter, None)

    def choose(self, adapter: str | None) -> Choice:
        """All adapters, each with its strength."""
        if adapter is not None and adapter not in self._numbers:
            raise AdapterRefused(f"The adapter {adapter} is not loaded; load it before it is chosen.")
        chosen = self._numbers[adapter] if adapter is not None else None
        lora = [{"id": number, "scale": 1.0 if number == chosen else 0.0} for number in self._all or ()]
        return Choice(self._model, {"lora": lora} if lora else {})


class VllmAdapters:
    """The adapters of a vLLM server, each a model of its own."""

    def __init__(self, server: Server, model: str) -> None:
        self._server, self._model = server, model
        self._known: set[str] = set()
        self._ours: set[str] = set()

    async def load(self, adapter: str, path: Path) -> None:
        """Find an adapter among the server's models, or register its folder (the file's name without .gguf)."""
        listed = _list((await self._server.ask("GET", "/v1/models")), "data")
        if adapter in {str(one.get("id")) for one in listed or ()}:
            self._known.add(adapter)
            return
        folder = path.with_suffix("")
        if not (folder / "adapter_config.json").is_file():
            raise AdapterRefused(
                f"The model server has no model {adapter}, and {folder} holds no adapter in PEFT's form; put the "
                "training run's adapter_config.json and adapter_model.safetensors there."
            )
        body = {"lora_name": adapter, "lora_path": str(folder)}
        answer = await self._server.ask("POST", "/v1/load_lora_adapter", body)
        if answer.status_code != 200:
            raise AdapterRefused(
                f"The model server {self._server.url} takes no adapter ({answer.status_code}); start vLLM with "
                "--enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True."
            )
        self._known.add(adapter)
        self._ours.add(adapter)

    async def unload(self, adapter: str) -> None:
        """Take back what was registered from here."""
        self._known.discard(adapter)
        if adapter in self._ours:
            self._ours.discard(adapter)
            await self._server.ask("POST", "/v1/unload_lora_adapter", {"lora_name": adapter})

    def choose(self, adapter: str | None) -> Choice:
        """The adapter's own model, or the base."""
        if adapter is not None and adapter not in self._known:
            raise AdapterRefused(f"The adapter {adapter} is not loaded; load it before it is chosen.")
        return Choice(adapter or self._model)


def _list(answer: httpx2.Response, name: str = "") -> list[dict[str, Any]] | None:
    """A list of objects in an answer; None where it holds none."""
    try:
        found = answer.json()
    except ValueError:
        return None
    found = found.get(name) if name and isinstance(found, dict) else found
    listed = isinstance(found, list) and all(isinstance(one, dict) for one in found)
    return found if listed and answer.status_code == 200 else None


def make_adapters(kind: Kind, url: str, model: str, key: str, patience: float) -> ServerAdapters | None:
    """The adapters of a kind of server; None where it has none."""
    if kind == "none":
        return None
    server = Server(url, key, patience)
    return LlamaServerAdapters(server, model) if kind == "llama-server" else VllmAdapters(server, model)
