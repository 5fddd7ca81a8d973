"""Adapters of a model server: llama-server's and vLLM's documented protocols, against a scripted server."""

from pathlib import Path
from typing import Any

import pytest

from characters.inference.engine import Finish, Request
from characters.inference.errors import AdapterRefused, RemoteUnavailable, Unsupported
from characters.inference.openai_engine import OpenAIEngine
from characters.inference.server_adapters import Kind
from characters.messages import Message
from tests.fakes.model_server import ModelServer

LISTED = [{"id": 0, "path": "/srv/adapters/odo-1.gguf", "scale": 1.0}, {"id": 1, "path": "/srv/adapters/mira-1.gguf", "scale": 1.0}]


def engine(server: ModelServer, kind: Kind) -> OpenAIEngine:
    return OpenAIEngine(server.url, "base", "secret", adapters=kind, patience=5)


async def asked_with(server: ModelServer, speaks: OpenAIEngine, adapter: str | None) -> dict[str, Any]:
    request = Request("", (Message("user", "Ana: Hello"),), adapter=adapter)
    assert [event.text async for event in speaks.generate(request) if isinstance(event, Finish)] == ["Aye."]
    return server.requests[-1]


async def test_llama_server_is_told_in_every_request_which_of_its_adapters_speaks() -> None:
    async with ModelServer() as server:
        server.routes["GET /lora-adapters"] = (200, LISTED)
        speaks = engine(server, "llama-server")
        assert (await speaks.capabilities()).adapters
        await speaks.load_adapter("mira-1", Path("/home/me/adapters/1/mira/mira-1.gguf"))
        assert (await asked_with(server, speaks, "mira-1"))["lora"] == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 1.0}]
        assert (await asked_with(server, speaks, None))["lora"] == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}]
        await speaks.unload_adapter("mira-1")
        with pytest.raises(AdapterRefused, match="mira-1 is not loaded"):
            await asked_with(server, speaks, "mira-1")
        await speaks.close()


async def test_an_adapter_llama_server_was_not_started_with_is_refused_with_what_to_do() -> None:
    async with ModelServer() as server:
        server.routes["GET /lora-adapters"] = (200, LISTED)
        speaks = engine(server, "llama-server")
        with pytest.raises(AdapterRefused, match=r"has no adapter brug-1\.gguf; start llama-server with --lora /home/brug-1\.gguf"):
            await speaks.load_adapter("brug-1", Path("/home/brug-1.gguf"))
        server.routes.clear()
        with pytest.raises(AdapterRefused, match=r"is no llama-server with adapters \(it answers 404\)"):
            await speaks.load_adapter("brug-1", Path("/home/brug-1.gguf"))
        await speaks.close()


async def test_vllm_serves_an_adapter_it_knows_as_a_model_of_its_own() -> None:
    async with ModelServer() as server:
        server.routes["GET /v1/models"] = (200, {"object": "list", "data": [{"id": "base"}, {"id": "mira-1"}]})
        speaks = engine(server, "vllm")
        await speaks.load_adapter("mira-1", Path("/home/mira-1.gguf"))
        assert (await asked_with(server, speaks, "mira-1"))["model"] == "mira-1"
        assert (await asked_with(server, speaks, None))["model"] == "base"
        await speaks.unload_adapter("mira-1")
        assert [address for address, _ in server.asked] == ["GET /v1/models"]
        await speaks.close()


async def test_vllm_is_given_an_adapter_it_does_not_know_and_it_is_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "mira-1"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    async with ModelServer() as server:
        server.routes["GET /v1/models"] = (200, {"data": [{"id": "base"}]})
        server.routes["POST /v1/load_lora_adapter"] = (200, "Success")
        server.routes["POST /v1/unload_lora_adapter"] = (200, "Success")
        speaks = engine(server, "vllm")
        await speaks.load_adapter("mira-1", tmp_path / "mira-1.gguf")
        assert (await asked_with(server, speaks, "mira-1"))["model"] == "mira-1"
        await speaks.unload_adapter("mira-1")
        assert server.asked[1:] == [
            ("POST /v1/load_lora_adapter", {"lora_name": "mira-1", "lora_path": str(folder)}),
            ("POST /v1/unload_lora_adapter", {"lora_name": "mira-1"}),
        ]
        del server.routes["POST /v1/load_lora_adapter"]
        with pytest.raises(AdapterRefused, match="--enable-lora"):
            await speaks.load_adapter("mira-1", tmp_path / "mira-1.gguf")
        with pytest.raises(AdapterRefused, match="in PEFT's form"):
            await speaks.load_adapter("odo-1", tmp_path / "odo-1.gguf")
        await speaks.close()


async def test_a_server_without_adapters_says_so_and_one_that_is_gone_too() -> None:
    async with ModelServer() as server:
        speaks = engine(server, "none")
        assert not (await speaks.capabilities()).adapters
        with pytest.raises(Unsupported, match=r"set engine\.adapters"):
            await speaks.load_adapter("mira-1", Path("mira-1.gguf"))
        with pytest.raises(Unsupported):
            await asked_with(server, speaks, "mira-1")
        await speaks.close()
    gone = OpenAIEngine("http://127.0.0.1:9/v1", "base", adapters="vllm", patience=2)
    with pytest.raises(RemoteUnavailable, match="does not tell its adapters"):
        await gone.load_adapter("mira-1", Path("mira-1.gguf"))
    await gone.close()
